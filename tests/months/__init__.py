"""Plays months of a house in minutes: `script/months`."""
