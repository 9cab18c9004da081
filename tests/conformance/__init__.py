"""The conformance matrix: every door, every generation of modules, every way an install can end."""
