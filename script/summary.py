"""Close a run of `script/test`: what took how long, what was skipped and why, and the count.

Usage: summary.py FOLDER
FOLDER/steps has one line per step: its name, its result (passed, failed or skipped), the seconds
it took and why it was skipped, with tabs in between. FOLDER/NAME.log is what that step printed,
FOLDER/junit.xml pytest's report, FOLDER/junit-again.xml that of what was run once more.
"""

from collections import Counter
from pathlib import Path
import re
import sys
from typing import NamedTuple
from xml.etree import ElementTree as ET

_FAILED = re.compile(r"FAILED |ERROR |UNSTEADY |\s+! ")
_SHOWN = 10


class Step(NamedTuple):
    """One step of the run."""

    name: str
    result: str
    seconds: str
    reason: str


def unit_tests(path: Path) -> dict[str, str]:
    """Return what became of each test: passed, failed, or why it was skipped."""
    if not path.exists():
        return {}
    ends = {}
    # Our own pytest wrote this file a moment ago.
    for case in ET.parse(path).iter("testcase"):  # noqa: S314
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            ends[name] = "failed"
        elif (skip := case.find("skipped")) is not None:
            ends[name] = str(skip.get("message"))
        else:
            ends.setdefault(name, "passed")
    return ends


def complaints(log: Path) -> list[str]:
    """Return the last lines of a step's output that say what failed, each with the one after it.

    The checks in the browser, pytest and the torture all write them with this word.
    """
    if not log.exists():
        return []
    lines = log.read_text("utf-8", errors="replace").splitlines()
    at = [number for number, line in enumerate(lines) if _FAILED.match(line)]
    return [line for number in at[-_SHOWN:] for line in lines[number : number + 2]]


def main() -> int:
    """Print the end of the run."""
    folder = Path(sys.argv[1])
    lines = (folder / "steps").read_text("utf-8").splitlines()
    steps = [Step(*line.split("\t")) for line in lines]
    print("\n== Summary")
    for step in steps:
        print(f"{step.name:<10} {step.result:<8} {step.seconds:>5} s  {step.reason}".rstrip())
    for step in steps:
        for line in complaints(folder / f"{step.name}.log"):
            print(f"{step.name}: {line}")
    tests, again = unit_tests(folder / "junit.xml"), unit_tests(folder / "junit-again.xml")
    for name, end in tests.items():
        if end == "failed" and again.get(name) == "passed":
            print(f"unsteady: {name}")
            tests[name] = "passed"
        elif end not in {"passed", "failed"}:
            print(f"skipped {name}: {end}")
    unit = Counter(tests.values())
    # The step "unit" counts by its tests, unless pytest failed without a failing one.
    failing = unit["failed"]
    counted = [s for s in steps if s.name != "unit" or (s.result == "failed" and not failing)]
    results = Counter(step.result for step in counted)
    passed, failed = unit["passed"] + results["passed"], failing + results["failed"]
    skipped = unit.total() - unit["passed"] - failing + results["skipped"]
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
