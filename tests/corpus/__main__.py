"""`python -m tests.corpus FOLDER`: write the files, and what each of them is, into a folder."""

import json
from pathlib import Path
import sys

from . import cases


def main() -> None:
    """Write `expected.json` and one file for each case."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for case in cases():
        (folder / case.file).write_bytes(case.make())
        expected[case.file] = {"kind": case.kind, "chip": case.chip, "problem": case.problem}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
