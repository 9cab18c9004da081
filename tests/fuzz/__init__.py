"""Long runs of generated input, each a module of this package with `run(runs, seed)`."""
