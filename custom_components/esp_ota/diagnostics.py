"""What a report about a module needs, without its secrets."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_PASSWORD
from homeassistant.core import HomeAssistant

from .const import (
    CONF_KIND,
    CONF_PULL_SECRET,
    CONF_TOKEN,
    CONF_TOKENS,
    CONF_UPLOAD_PASSWORD,
    CONF_URL,
    KIND_HOUSE,
)
from .house import HOUSE
from .installs import ModuleConfigEntry, async_uses
from .library import SourceWatcher
from .modules import Outcome
from .ota import without_secrets

_SECRETS = {
    CONF_PASSWORD,
    CONF_PULL_SECRET,
    CONF_TOKEN,
    CONF_TOKENS,
    CONF_UPLOAD_PASSWORD,
    CONF_URL,
}
"""The address of a list may have a secret in it as well."""
_OF_ACTIONS = {"access_token", "api_key", "authorization", "code", "password", "secret", "token"}
"""What actions of a safe state are given to open a lock, to switch off an alarm, or to log in."""
_PERSON = {"pressed_by", "user", "user_id"}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ModuleConfigEntry
) -> dict[str, Any]:
    """Return what is known of a module, or of the library."""
    known: dict[str, Any] = _scrubbed(await _async_known(hass, entry))
    return known


def _scrubbed(value: Any) -> Any:
    """Return the same without secrets, in addresses or by their names, wherever they stand."""
    if type(value) is str:
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {
            _scrubbed(key): REDACTED
            if str(key).lower() in _OF_ACTIONS and item
            else _scrubbed(item)
            for key, item in value.items()
        }
    if type(value) in {list, tuple}:
        return type(value)(_scrubbed(item) for item in value)
    return value


async def _async_known(hass: HomeAssistant, entry: ModuleConfigEntry) -> dict[str, Any]:
    house = hass.data[HOUSE]
    diagnostics: dict[str, Any] = {
        "entry": async_redact_data({"data": entry.data, "options": entry.options}, _SECRETS)
    }
    if entry.data[CONF_KIND] == KIND_HOUSE:
        diagnostics["entry"]["subentries"] = [
            {
                "type": item.subentry_type,
                "title": item.title,
                "data": async_redact_data(dict(item.data), _SECRETS),
            }
            for item in entry.subentries.values()
        ]
        return diagnostics | {
            "releases": [asdict(item) for item in house.library.releases],
            "removed": house.library.removed,
            "modules": [asdict(use) for use in async_uses(house)],
            "sources": [_source(source) for source in house.sources.all],
        }
    coordinator = entry.runtime_data.coordinator
    offered, assigned = coordinator.offered, house.assignments.of(entry.entry_id)
    return diagnostics | {
        "facts": asdict(coordinator.facts()),
        "state": asdict(replace(coordinator.data, outcome=None)),
        "outcome": _outcome(coordinator.data.outcome),
        "offered": asdict(offered) if offered else None,
        "assigned": asdict(assigned) if assigned else None,
        "journal": async_redact_data(house.journal.open_install(entry.entry_id), _PERSON),
        "accepted_checks": sorted(coordinator.accepted),
        "slot": asdict(coordinator.slot) if coordinator.slot else None,
        "learnt": coordinator.knowledge.stored,
        "polled": asdict(coordinator.polled) if coordinator.polled else None,
        "said": {source: said.version for source, said in coordinator.statements.all.items()},
    }


def _outcome(outcome: Outcome | None) -> dict[str, Any] | None:
    """Return how the last install ended, but not whose press it was."""
    if outcome is None:
        return None
    told = async_redact_data(outcome.attributes, _PERSON)
    return {"verdict": outcome.result.verdict, "facts": outcome.result.facts} | told


def _source(source: SourceWatcher) -> dict[str, Any]:
    memory = source.memory
    return {
        "title": source.title,
        "settings": async_redact_data(dict(source.settings), _SECRETS),
        "checked": memory.checked,
        "cause": memory.cause,
        "failures": memory.failures,
        "taken": len(memory.taken),
        "refused": list(memory.refused.values()),
    }
