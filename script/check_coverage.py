"""Judge a coverage report by the limits in pyproject.toml's [tool.esp_ota.coverage].

Usage: check_coverage.py COVERAGE_JSON
"""

import json
from pathlib import Path
import sys
import tomllib
from typing import NotRequired, TypedDict


class Limits(TypedDict):
    """What pyproject.toml asks for."""

    overall: float
    complete: list[str]


class Summary(TypedDict):
    """The numbers that coverage gives of one file, and of all."""

    percent_covered: float


class File(TypedDict):
    """What coverage says of one file."""

    missing_branches: NotRequired[list[tuple[int, int]]]
    """Left out when nothing at all was run."""
    missing_lines: list[int]


class Report(TypedDict):
    """The part of `coverage json` that is read here."""

    files: dict[str, File]
    totals: Summary


def missed(report: Report, limits: Limits) -> list[str]:
    """Return a sentence for each limit that is missed."""
    found = []
    overall = report["totals"]["percent_covered"]
    if overall < limits["overall"]:
        found.append(f"overall: {overall:.1f} % of lines and branches, {limits['overall']} wanted")
    for name in limits["complete"]:
        file = report["files"].get(name)
        if file is None:
            found.append(f"{name}: not in the report")
            continue
        gaps = [str(line) for line in file["missing_lines"]]
        # A negative line number stands for leaving the function.
        gaps += [f"{a}->{b if b > 0 else 'exit'}" for a, b in file.get("missing_branches", [])]
        if gaps:
            found.append(f"{name}: never tested: {', '.join(gaps)}")
    return found


def main() -> int:
    """Print what is missed."""
    report: Report = json.loads(Path(sys.argv[1]).read_bytes())
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    limits: Limits = project["tool"]["esp_ota"]["coverage"]
    print(f"coverage: {report['totals']['percent_covered']:.1f} % of lines and branches")
    found = missed(report, limits)
    for sentence in found:
        print(f"coverage: {sentence}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
