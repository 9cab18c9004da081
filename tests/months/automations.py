"""The nightly automations of the house, as the documentation shows one."""

from copy import deepcopy
from pathlib import Path
import re
from typing import Any, Final

import yaml

from .plan import ModulePlan

_PAGE: Final = Path(__file__).parents[2] / "docs" / "automations.md"
_EXAMPLE: Final = re.compile(
    r"An automation that updates at night:\n\n```yaml\n(.*?)```", re.DOTALL
)
_ENTITY: Final = "update.garden_valve_firmware"
NAME: Final = "night "
"""What the name of each begins with; that of its module follows."""


def example() -> dict[str, Any]:
    """Return the automation of the documentation; raises LookupError when it shows none."""
    found = _EXAMPLE.search(_PAGE.read_text())
    if found is None:
        raise LookupError("the documentation shows no automation that updates at night")
    return dict(yaml.safe_load(found.group(1)))


def nightly(plan: ModulePlan, entity: str) -> dict[str, Any]:
    """Return a module's own, at its own time."""
    automation = _replace(deepcopy(example()), _ENTITY, entity)
    times = [trigger for trigger in automation["triggers"] if trigger["trigger"] == "time"]
    for trigger in times:
        trigger["at"] = plan.night
    assert times
    return {"id": plan.name, "alias": f"{NAME}{plan.name}", "mode": "single", **automation}


def _replace(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {key: _replace(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace(item, old, new) for item in value]
    return value.replace(old, new) if isinstance(value, str) else value
