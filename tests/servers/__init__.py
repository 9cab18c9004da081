"""Tests of servers that decide about modules."""
