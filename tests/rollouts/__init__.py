"""Tests of rollouts in a house, with real virtual modules."""
