"""The configuration directory of a house: entries as the flows make them, releases, storage."""

from collections.abc import Iterable
from datetime import UTC, datetime
import json
from pathlib import Path
import shutil
from typing import Any, Final

from .garden import ModuleOutside
from .guests import GuestOutside
from .plan import PULL, UPLOAD, HousePlan, ModulePlan
from .torture_garden.points import id_of

SECRET: Final = "secret-of-the-house"
JOURNAL: Final = "esp_ota.journal"
ROLLOUTS: Final = "esp_ota.rollouts"
WINDOW: Final = "torture_garden.window"
"""Says whether the window of the house is `open`."""
PORT: Final = 8123
WEB: Final = {
    # In YAML the address would be taken back after five minutes: it waits for a confirmation.
    "stable": {
        "server_host": ["127.0.0.1"],
        "server_port": PORT,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate",
        "use_x_frame_options": True,
        "created_at": "2026-11-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    },
    "pending": None,
    "yaml_migration_done": True,
}
"""What Home Assistant stores about its web server."""


def entity_of(valve: str) -> str:
    """Return the entity that tells a valve's position."""
    return f"torture_garden.{valve}"


def _entry(entry_id: str, title: str, unique_id: str, **content: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {
        "created_at": now,
        "modified_at": now,
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "esp_ota",
        "entry_id": entry_id,
        "minor_version": 1,
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": list[dict[str, Any]](),
        "title": title,
        "unique_id": unique_id,
        "version": 1,
    } | content


def safe_state_of(plan: ModulePlan) -> dict[str, Any]:
    """Return the safe state of a module that switches one valve."""

    def move(position: str) -> dict[str, Any]:
        data = {"valve": plan.valve_name, "position": position, "module": plan.name}
        return {"action": "torture_garden.move", "data": data}

    def stands(position: str) -> dict[str, Any]:
        return {"condition": "state", "entity_id": entity_of(plan.valve_name), "state": position}

    options = plan.options
    return {
        "actions": [move("closed")],
        "conditions": [stands("closed")],
        "time_limit": options["time_limit"],
        "stable": options["stable"],
        "restore": [move("open")],
        "restore_conditions": [stands("open")] if options["restore_conditions"] else [],
        "when_missing": options["when_missing"],
    }


def _module_entry(outside: ModuleOutside) -> dict[str, Any]:
    plan, module = outside.plan, outside.module
    data: dict[str, Any] = {
        "kind": "module",
        "name": plan.name,
        "host": module.host,
        "port": module.port,
        "service_name": f"{plan.name}._arduino._tcp.local.",
        "board": module.config.facts.board,
        "mac": module.config.mac,
        "auth_required": None,
    }
    if plan.config["password"]:
        data["password"] = plan.config["password"]
    if plan.door == PULL:
        data |= {"transports": [PULL], "service_name": None}
    elif plan.door == UPLOAD:
        data |= {
            "transports": [UPLOAD],
            "upload_port": outside.http_port,
            "upload_dialect": plan.dialect,
        }
    options = {
        "firmware": plan.firmware,
        "equipment": "switches",
        "safe_state": safe_state_of(plan),
        "rollback": plan.options["rollback"],
    }
    if minutes := plan.options["soak_minutes"]:
        options |= {"soak_minutes": minutes, "soak_entities": []}
    if plan.sleep is not None:
        options["sleeps"] = True
    return _entry(plan.name, plan.name, module.config.mac, data=data, options=options)


def _guest_subentry(plan: ModulePlan) -> dict[str, Any]:
    """Return what *Add guests* makes of one."""
    safe_state = safe_state_of(plan)
    data = {"entities": [id_of(plan.name)], "equipment": "switches", "safe_state": safe_state}
    return {
        "data": data,
        "subentry_id": f"guest-{plan.name}",
        "subentry_type": "guest",
        "title": plan.name,
        "unique_id": None,
    }


def write_entries(
    folder: Path,
    plan: HousePlan | None,
    modules: Iterable[ModuleOutside | GuestOutside] = (),
) -> None:
    """Write the house's entry and those of its modules."""
    options: dict[str, Any] = {"parallel_installs": plan.parallel if plan else 1}
    if plan and plan.opens_at:
        is_open = {"condition": "state", "entity_id": WINDOW, "state": "open"}
        options["window"] = {"conditions": [is_open]}
    house = _entry(
        "house",
        "House",
        "house",
        data={"kind": "house", "pull_secret": SECRET},
        options=options,
        source="system",
    )
    entries = [house]
    for outside in modules:
        if isinstance(outside, GuestOutside):
            house["subentries"].append(_guest_subentry(outside.plan))
        else:
            entries.append(_module_entry(outside))
    store(folder, "core.config_entries", 1, 5, {"entries": entries})


def store(folder: Path, key: str, version: int, minor: int, data: Any) -> None:
    """Write one file of Home Assistant's storage."""
    content = {"version": version, "minor_version": minor, "key": key, "data": data}
    place = folder / ".storage" / key
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(content))


def copy_template(template: Path, folder: Path) -> None:
    """Begin with what a first life has left: the releases of all firmwares."""
    shutil.copytree(template, folder)


def last_rollout(folder: Path) -> dict[str, Any] | None:
    """Return what is on disk of the only rollout, None while there is none."""
    try:
        stored = json.loads((folder / ".storage" / ROLLOUTS).read_text())
    except FileNotFoundError:
        return None
    found: list[dict[str, Any]] = stored["data"]["rollouts"]
    return found[-1] if found else None


def open_installs(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what the journal on disk says of open installs, by module."""
    try:
        stored = json.loads((folder / ".storage" / JOURNAL).read_text())
    except FileNotFoundError:
        return {}
    found: dict[str, dict[str, Any]] = stored["data"]["open"]
    return {note.get("guest", {}).get("name", key): note for key, note in found.items()}
