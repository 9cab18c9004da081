"""Tests of guests: modules that another integration updates."""
