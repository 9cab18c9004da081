"""What a person has set up, and whether it is still as they left it."""

from collections.abc import Iterator, Mapping
import json
from pathlib import Path
from typing import Any, Final

from .person import PARTS

_DATA: Final = ("password", "pull_secret", "transports", "upload_port", "upload_password")
_OF_ENTITIES: Final = ("entity_id", "name", "area_id", "disabled_by", "hidden_by")
_OF_DEVICES: Final = ("name_by_user", "area_id", "disabled_by")

type Setup = dict[str, dict[str, Any]]
"""By what it is of (a module's name, or "house"), then by what it is."""


def set_up(config: Path, entries: Mapping[str, str]) -> Setup:
    """Read from disk what is set up of each module, whose entry's id is given."""
    stored = {entry["entry_id"]: entry for entry in _read(config, "core.config_entries", "entries")}
    devices = {
        device["config_entry_id"]: device
        for device in _read(config, "core.device_registry", "devices")
    }
    entities = _read(config, "core.entity_registry", "entities")
    found: Setup = {}
    for name, entry_id in entries.items():
        if (entry := stored.get(entry_id)) is None:
            found[name] = {"entry": None}
            continue
        setup: dict[str, Any] = {"options": entry["options"]}
        setup |= {f"data {key}": entry["data"].get(key) for key in _DATA}
        device = devices.get(entry_id, {})
        setup |= {f"device {key}": device.get(key) for key in _OF_DEVICES}
        for entity in entities:
            part = _part(entity)
            if entity["config_entry_id"] == entry_id and part:
                setup[f"entity {part}"] = {key: entity.get(key) for key in _OF_ENTITIES}
        found[name] = setup
    return found


def _part(entity: Mapping[str, Any]) -> str | None:
    return next((part for part in PARTS if entity["unique_id"].endswith(f"_{part}")), None)


def _read(config: Path, name: str, what: str) -> list[dict[str, Any]]:
    path = config / ".storage" / name
    return list(json.loads(path.read_text())["data"][what]) if path.exists() else []


def differences(wanted: Setup, found: Setup) -> Iterator[tuple[str, Any, Any]]:
    """Yield what is no longer as it was left: what, how it was left, how it is."""
    for name, setup in wanted.items():
        now = found.get(name, {})
        for what, value in setup.items():
            if now.get(what) != value:
                yield f"{what} of {name}", value, now.get(what)
