"""Tests of what is said between a server that decides about modules and us."""
