"""Tests of what proves an update of a guest, and of the steps around it."""
