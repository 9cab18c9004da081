"""Measurements beside each other in one run; nothing here asserts a time."""
