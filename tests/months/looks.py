"""Takes one look: what is true inside the modules, and what Home Assistant shows of them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
import time
from typing import Any

from .history import Look
from .person import Entities
from .world import Unit


def looks(
    units: Mapping[str, Unit],
    known: Mapping[str, Entities],
    added: Mapping[str, float],
    states: Mapping[str, Mapping[str, Any]],
    home_since: float,
) -> Iterator[Look]:
    """Yield a look at each module that has power, or is added."""
    now = time.time()
    for name, unit in units.items():
        look = Look(
            at=now,
            module=name,
            there_since=unit.there_since,
            gone_at=unit.gone_at,
            last_asked=unit.last_asked,
            runs=unit.runs,
            added_at=added.get(name),
            home_since=home_since,
            **_shown(known.get(name), states),
        )
        yield look


def _shown(entities: Entities | None, states: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if entities is None:
        return {}
    found = {part: states.get(name) for part, name in entities.ids.items()}
    card = found.get("firmware")
    shown = {part: state["state"] for part, state in found.items() if state is not None}
    attributes = card["attributes"] if card else {}
    return {
        "installed": attributes.get("installed_version"),
        "latest": attributes.get("latest_version"),
        "busy": attributes.get("in_progress", False),
        "reachable": shown.get("reachable"),
        "last_seen": _moment(shown.get("last_seen")),
        "verdict": shown.get("last_verdict"),
    }


def _moment(text: str | None) -> float | None:
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except ValueError:
        return None
