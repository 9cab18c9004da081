"""Crash and fault torture: random gardens, Home Assistant killed at any moment, checked outside."""
