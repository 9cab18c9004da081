"""Close a run of `script/test`: what took how long, what was skipped and why, and the count.

Usage: summary.py STEPS JUNIT_XML
STEPS has one line per step: its name, its result (passed, failed or skipped), the seconds it
took and why it was skipped, with tabs in between.
"""

from collections import Counter
from pathlib import Path
import sys
from typing import NamedTuple
from xml.etree import ElementTree as ET


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


def main() -> int:
    """Print the end of the run."""
    steps_path, junit_path = map(Path, sys.argv[1:])
    steps = [Step(*line.split("\t")) for line in steps_path.read_text("utf-8").splitlines()]
    passed, failed, reasons = unit_tests(junit_path)
    print("\n== Summary")
    for step in steps:
        print(f"{step.name:<10} {step.result:<8} {step.seconds:>5} s  {step.reason}".rstrip())
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
