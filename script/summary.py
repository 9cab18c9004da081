"""Close a run of `script/test`: what took how long, what was skipped and why, and the count.

Usage: summary.py STEPS JUNIT_XML
STEPS has one line per step: its name, its result (passed, failed or skipped), the seconds it
took and why it was skipped, with tabs in between.
"""

from collections import Counter
from pathlib import Path
import re
import sys
from typing import NamedTuple
from xml.etree import ElementTree as ET

_FAILED = re.compile(r"FAILED |ERROR |\s+! ")
_SHOWN = 10


class Step(NamedTuple):
    """One step of the run."""

    name: str
    result: str
    seconds: str
    reason: str


def unit_tests(path: Path) -> tuple[int, int, Counter[str]]:
    """Return passed, failed, and the reasons of the skipped ones, from pytest's report."""
    passed = failed = 0
    skipped: Counter[str] = Counter()
    if not path.exists():
        return passed, failed, skipped
    # Our own pytest wrote this file a moment ago.
    for case in ET.parse(path).iter("testcase"):  # noqa: S314
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif (skip := case.find("skipped")) is not None:
            skipped[f"{case.get('classname')}: {skip.get('message')}"] += 1
        else:
            passed += 1
    return passed, failed, skipped


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
    steps_path, junit_path = map(Path, sys.argv[1:])
    steps = [Step(*line.split("\t")) for line in steps_path.read_text("utf-8").splitlines()]
    passed, failed, reasons = unit_tests(junit_path)
    print("\n== Summary")
    for step in steps:
        print(f"{step.name:<10} {step.result:<8} {step.seconds:>5} s  {step.reason}".rstrip())
    for step in steps:
        if step.result == "failed":
            for line in complaints(steps_path.with_name(f"{step.name}.log")):
                print(f"{step.name}: {line}")
    for reason, count in reasons.items():
        print(f"skipped {count} x {reason}")
    # The step "unit" counts by its tests, unless pytest failed without a failing one.
    counted = [s for s in steps if s.name != "unit" or (s.result == "failed" and not failed)]
    results = Counter(step.result for step in counted)
    passed += results["passed"]
    failed += results["failed"]
    skipped = results["skipped"] + reasons.total()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
