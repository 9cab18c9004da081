"""Tests of what a rollout does next, when, and until when."""
