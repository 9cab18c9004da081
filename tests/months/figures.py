"""Measures what a house takes: rows of the recorder, bytes of storage, lines of the log."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
import json
from pathlib import Path
import re
import sqlite3
import time
from typing import Any, Final

from .history import Figures, Said
from .house import House
from .plan import DAY, MINUTE, ModulePlan

_LINE: Final = re.compile(r"(\S+ \S+) (\w+) \([^)]*\) \[([^\]]+)\] (.*)")
_ADDING: Final = 10 * MINUTE
_ROWS: Final = (
    "select meta.entity_id, count(*) from states join states_meta meta using(metadata_id)"
    " where states.last_updated_ts > ? group by 1"
)


def figures(house: House, measured: Mapping[str, float], since: float) -> Figures:
    """Return what is measured now, and what the recorder has written since then."""
    storage = [*(house.config / ".storage").glob("esp_ota*")]
    return Figures(
        at=time.time(),
        entries=len(house.known),
        values=dict(measured),
        storage=sum(path.stat().st_size for path in storage),
        releases=_releases(house.config),
        rows=dict(_rows(house, since)),
    )


def _releases(config: Path) -> int:
    path = config / ".storage" / "esp_ota.library"
    return len(json.loads(path.read_text())["data"]["releases"]) if path.exists() else 0


def _rows(house: House, since: float) -> Iterator[tuple[str, float]]:
    """Yield the rows a day of each module that has been added for long enough to say so.

    Not those of its adding, nor of what the person has enabled because they are curious.
    """
    now = time.time()
    database = sqlite3.connect(f"file:{house.config / 'home-assistant_v2.db'}?mode=ro", uri=True)
    try:
        for name, known in house.known.items():
            begin = max(since, house.added[name] + _ADDING)
            if now - begin > DAY / 2:
                counted = dict(database.execute(_ROWS, (begin,)).fetchall())
                rows = sum(counted.get(entity, 0) for entity in known.by_default)
                yield name, rows * DAY / (now - begin)
    finally:
        database.close()


def equipment(
    plans: Sequence[ModulePlan], states: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[float, str, str | None, str]]:
    """Yield how each module's equipment stands, and how it does when it works."""
    for plan in plans:
        if plan.equipment is not None:
            state = states.get(plan.equipment.entity_id)
            yield time.time(), plan.name, state["state"] if state else None, plan.equipment.working


def log_lines(path: Path) -> Iterator[Said]:
    """Yield what was logged; what stands below a line belongs to it."""
    said: Said | None = None
    for line in path.read_text("utf-8", "replace").splitlines():
        if (match := _LINE.fullmatch(line)) is None:
            if said is not None:
                said = Said(said.at, said.level, said.logger, f"{said.text}\n{line}")
            continue
        if said is not None:
            yield said
        when, level, logger, text = match.groups()
        said = Said(datetime.fromisoformat(when).timestamp(), level, logger, text)
    if said is not None:
        yield said
