"""Variations of good and bad input, for `script/fuzz`."""
