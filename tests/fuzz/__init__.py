"""Long runs of generated input, for `script/fuzz`: each name is a file with a `main`."""
