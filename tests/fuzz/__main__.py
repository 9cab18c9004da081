"""`python -m tests.fuzz NAME [OPTION...]`: each name is a file beside this one with a `main`."""

from importlib import import_module
from pathlib import Path
import sys


def main() -> int:
    """Hand the rest of the arguments to the file that was named."""
    names = {path.stem for path in Path(__file__).parent.glob("[a-z]*.py")}
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    file = import_module(f"tests.fuzz.{name}") if name in names else None
    if not hasattr(file, "main"):
        sys.stderr.write(f"There is no fuzz of {name!r}; see script/fuzz --help.\n")
        return 2
    result: int = file.main(sys.argv[2:])  # type: ignore[union-attr]
    return result


if __name__ == "__main__":
    sys.exit(main())
