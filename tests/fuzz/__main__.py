"""`python -m tests.fuzz NAME`: feed generated input to one part, and print what was found."""

import argparse
from importlib import import_module
import json
from pathlib import Path
import pkgutil
import sys


def main() -> int:
    """Run one, print its findings as one JSON line; fail when it has any under `failures`."""
    names = [one.name for one in pkgutil.iter_modules([str(Path(__file__).parent)])]
    names = [name for name in names if not name.startswith("_")]
    options = argparse.ArgumentParser(prog="script/fuzz", description=__doc__)
    options.add_argument("name", choices=names)
    options.add_argument("--runs", type=int, help="how many inputs; each has its own default")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    part = import_module(f"tests.fuzz.{given.name}")
    found = part.run(given.runs or part.RUNS, given.seed)
    print(json.dumps(found))
    return 1 if found["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
