"""What is printed of a house: what speaks against it, and what it took."""

from collections import Counter
from collections.abc import Iterator, Mapping
import resource

from .checks import violations
from .history import History
from .plan import DAY
from .upkeep import base_of

_SHOWN = 6
"""Violations of one rule that are told; more come of one cause."""


def lines(run: History, seconds: float, took: Mapping[str, float]) -> Iterator[str]:
    """Yield all of it, the violations first."""
    found = violations(run)
    told: Counter[str] = Counter()
    for complaint in found:
        rule = complaint.partition(":")[0]
        told[rule] += 1
        if told[rule] <= _SHOWN:
            yield f"! {complaint}"
    for rule, times in told.items():
        if times > _SHOWN:
            yield f"! {rule}: {times - _SHOWN} more"
    for complaint in run.broken:
        yield f"broken: {complaint}"
    yield from _figures(run)
    own, home = (
        sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    days = (run.ended_at - run.plan.begins) / DAY
    yield f"days {days:.1f}, modules {len(run.plan.modules)}, looks {len(run.looks)}"
    yield f"nights {_counts(run)}"
    yield f"CPU seconds: Home Assistant {home:.0f}, the modules and the judge {own:.0f}"
    spent = ", ".join(f"{what} {real:.0f}" for what, real in _most(took))
    yield f"real seconds: {spent}"
    yield f"violations {len(found)}"
    yield f"seconds {seconds:.0f}"


def _most(took: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(took.items(), key=lambda item: -item[1])[:8]


def _counts(run: History) -> str:
    presses = sum(press.by == "automation" for press in run.presses)
    verdicts = Counter(ended.verdict for ended in run.ended)
    told = ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common())
    return f"automations {presses}, installs {len(run.ended)}: {told or 'none'}"


def _figures(run: History) -> Iterator[str]:
    if not run.figures:
        return
    last, base = run.figures[-1], base_of(run)
    for name, value in last.values.items():
        yield f"{name} {value:g}" + (
            f" (after the first day {base.values[name]:g})" if base else ""
        )
    yield f"storage {last.storage} bytes"
    rows = [count for item in run.figures for count in item.rows.values()]
    if rows:
        mean = sum(rows) / len(rows)
        yield f"rows per module and day: {mean:.0f} in the mean, {max(rows):.0f} at most"
