"""Whether a house takes no more after months than after its first day, and keeps what is set up."""

from collections import Counter, defaultdict
from collections.abc import Iterator
import re
from typing import Final

from .history import Figures, History
from .plan import DAY, HOUR, MINUTE, clock_text

ROWS: Final = 50
"""Of the recorder, of one module on one day, at most in the mean."""
_DAYS: Final = 3
"""So many make a mean: a day with two reloads, a start and an update had 54, 30 of them for
entities that went and came back."""
STORAGE: Final = (40_000, 3_000)
"""Bytes in `.storage`: of the house, and more of each module; 100 kB for twenty."""
RELEASES: Final = 7
"""Of one firmware: five are kept, besides the one that runs and the one that is gone back to."""
GROWTH: Final = {
    "memory_kb": 1.15,
    "threads": 1.5,
    "tasks": 1.25,
    "timers": 1.25,
    "timers_of_ours": 1.25,
    "listeners": 1.1,
    "sockets": 1.25,
    "files": 1.25,
    "objects_of_ours": 1.5,
}
"""By how much each figure may be more than after the first day of as many modules."""
_FEW: Final = 8
"""Of them come and go with what is just done."""
_LAST: Final = 3
"""Days of which the best counts: what is done just then comes and goes, what leaks stays."""
_ARMED: Final = {"timers", "timers_of_ours"}
"""A module may wait for something at one moment, and for nothing at another: one more of each."""
_EVERY_MINUTE: Final = 40
"""So many equal lines within an hour are one every minute."""
_NUMBERS: Final = re.compile(r"\d+")
_OURS: Final = "custom_components.esp_ota"
_NIGHT: Final = "homeassistant.components.automation.night"
_BELONGS: Final = 30 * MINUTE
"""Between the end of an install and what its automation logs: by then the clock goes fast."""
_SETTLED: Final = 0.9 * DAY


def it_takes_no_more_than_at_first(run: History) -> Iterator[str]:
    """Take as much memory, tasks, timers, listeners, sockets, files as after the first day."""
    if (base := base_of(run)) is None:
        return
    last = run.figures[-1]
    alike = [item for item in run.figures if item.entries == last.entries and item is not base]
    for name, factor in GROWTH.items():
        before, after = base.values[name], min(item.values[name] for item in alike[-_LAST:])
        few = max(_FEW, last.entries) if name in _ARMED else _FEW
        if after > max(before * factor, before + few):
            yield f"{name} grew from {before:g} to {after:g}"


def base_of(run: History) -> Figures | None:
    """Return the first figures, a day after the start, that the last ones are like.

    A house with more modules takes more, so they are of as many; None where that is the last.
    """
    last = run.figures[-1] if run.figures else None
    for item in run.figures:
        if item.at - run.plan.begins > _SETTLED and last and item.entries == last.entries:
            return item if item is not last else None
    return None


def few_rows_are_written(run: History) -> Iterator[str]:
    """Write less than fifty rows of the recorder per module and day, and never twice as many."""
    days: dict[str, list[float]] = defaultdict(list)
    for item in run.figures:
        for module, rows in item.rows.items():
            days[module].append(rows)
            if rows > 2 * ROWS:
                yield f"{module}: {rows:.0f} rows in the day before {clock_text(item.at)}"
    for module, counted in days.items():
        if len(counted) >= _DAYS and (mean := sum(counted) / len(counted)) > ROWS:
            yield f"{module}: {mean:.0f} rows a day"


def storage_stays_small(run: History) -> Iterator[str]:
    """Keep less than 100 kB in `.storage` for twenty modules."""
    house, more = STORAGE
    for item in run.figures:
        if item.storage > house + more * len(run.plan.modules):
            yield f"{item.storage} bytes at {clock_text(item.at)}"


def dropped_releases_stay_away(run: History) -> Iterator[str]:
    """Keep so many releases of each firmware as the rule says, and those that are in use."""
    for item in run.figures:
        if item.releases > RELEASES * len(run.plan.modules):
            yield f"{item.releases} releases at {clock_text(item.at)}"


def no_line_is_logged_every_minute(run: History) -> Iterator[str]:
    """Repeat no line in the log minute by minute."""
    counted: Counter[tuple[int, str]] = Counter()
    for said in run.said:
        if said.logger.startswith(_OURS):
            text = _NUMBERS.sub("#", said.text.partition("\n")[0])
            counted[int(said.at // HOUR), text] += 1
    for (hour, text), times in counted.items():
        if times > _EVERY_MINUTE:
            yield f"{times} times in the hour from {clock_text(hour * HOUR)}: {text}"


def nothing_of_ours_breaks(run: History) -> Iterator[str]:
    """Log no exception that passed through ESP OTA."""
    for said in run.said:
        if "Traceback" in said.text and "esp_ota" in said.text:
            yield f"{clock_text(said.at)} {said.text.splitlines()[0]}: {said.text.splitlines()[-1]}"


def a_night_without_news_is_quiet(run: History) -> Iterator[str]:
    """Log no error of an automation on a night on which no update of its module ended."""
    for said in run.said:
        if said.level != "ERROR" or not said.logger.startswith(_NIGHT):
            continue
        module = said.logger.removeprefix(_NIGHT).strip("_").replace("_", "-")
        if not any(
            ended.module == module and abs(ended.at - said.at) < _BELONGS for ended in run.ended
        ):
            yield f"{clock_text(said.at)} {said.text.splitlines()[0]}"


def what_a_person_set_up_stays(run: History) -> Iterator[str]:
    """Keep names, areas, options and secrets as the person left them."""
    told = set()
    for kept in run.kept:
        if kept.what not in told:
            told.add(kept.what)
            yield f"{kept.what} was {kept.wanted}, on {clock_text(kept.at)} it is {kept.found}"


def the_equipment_works(run: History) -> Iterator[str]:
    """Let it do its work whenever nothing is installed on its module."""
    before: dict[str, float] = {}
    busy = {(look.module, look.at) for look in run.looks if look.busy}
    for at, module, state, working in run.equipment:
        lately = any(name == module and abs(moment - at) < 10 * MINUTE for name, moment in busy)
        if state == working or lately:
            before.pop(module, None)
        elif at - before.setdefault(module, at) > 5 * MINUTE:
            yield f"{module}'s is {state} from {clock_text(before[module])} to {clock_text(at)}"
            before[module] = at
