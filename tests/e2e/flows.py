"""What a person does in Settings, over the API its dialogs use."""

import asyncio
import time
from typing import Any

from .client import ActionFailed, Client
from .garden import VALVE, Json

LIBRARY = "Firmware library"
"""The title of the house's own entry."""
_READING = 1.0
"""Seconds; who is faster is told that the update still runs, while its journal is closed."""
_FLOW = "/api/config/config_entries/flow"
_OPTIONS = "/api/config/config_entries/options/flow"
_ENTRIES = "/api/config/config_entries/entry"


async def discovered(client: Client, name: str, seconds: float = 30.0) -> str:
    """Wait for the card of a discovered module and return its flow."""
    end = time.monotonic() + seconds
    while True:
        for flow in await client.command("config_entries/flow/progress"):
            if flow["context"].get("title_placeholders", {}).get("name") == name:
                return str(flow["flow_id"])
        if time.monotonic() > end:
            raise TimeoutError(f"{name} was not discovered within {seconds:.0f} s")
        await asyncio.sleep(0.2)


async def add_discovered(client: Client, name: str, answers: Json) -> str:
    """Press "Add" on the card, fill in the form and return the entry."""
    flow_id = await discovered(client, name)
    form = await client.get(f"{_FLOW}/{flow_id}")
    wanted = {field["name"] for field in form["data_schema"]}
    known = {key: value for key, value in answers.items() if key in wanted}
    return _entry_of(await client.post(f"{_FLOW}/{flow_id}", known))


async def add_by_hand(
    client: Client, handler: str, answers: Json, *, step: str | None = None
) -> str:
    """Press "Add integration", choose a form if there is a menu, fill it in, return the entry."""
    form = await client.post(_FLOW, {"handler": handler})
    path = f"{_FLOW}/{form['flow_id']}"
    if step is not None:
        await client.post(path, {"next_step_id": step})
    return _entry_of(await client.post(path, answers))


def _entry_of(answer: Json) -> str:
    if answer["type"] != "create_entry":
        raise ActionFailed({"message": f"the form was not taken: {answer}"})
    return str(answer["result"]["entry_id"])


async def address_for_sketches(client: Client) -> str:
    """Open the form that shows what to put into a sketch that asks, and return the address."""
    form = await client.post(_FLOW, {"handler": "esp_ota"})
    path = f"{_FLOW}/{form['flow_id']}"
    form = await client.post(path, {"next_step_id": "pull"})
    await client.post(path, {})
    return str(form["description_placeholders"]["url"])


async def configure(client: Client, entry_id: str, step: str, answers: Json) -> None:
    """Press "Configure", choose a form from the menu and fill it in."""
    await loaded(client, entry_id)
    menu = await client.post(_OPTIONS, {"handler": entry_id})
    path = f"{_OPTIONS}/{menu['flow_id']}"
    form = await client.post(path, {"next_step_id": step})
    answer = await client.post(path, _in_sections(form, answers))
    if answer["type"] != "create_entry":
        raise ActionFailed({"message": f"the form {step} was not taken: {answer}"})
    await loaded(client, entry_id)


def _in_sections(form: Json, answers: Json) -> Json:
    """Return answers as a form with sections sends them."""
    parts = {part["name"]: part["schema"] for part in form["data_schema"] if "schema" in part}
    sent: Json = {name: {} for name in parts}
    for field, value in answers.items():
        within = [name for name, part in parts.items() if field in {one["name"] for one in part}]
        (sent[within[0]] if within else sent)[field] = value
    return sent


async def loaded(client: Client, entry_id: str, seconds: float = 30.0) -> None:
    """Wait until an entry runs again; saving its options reloads it."""
    end = time.monotonic() + seconds
    while True:
        for entry in await client.command("config_entries/get", domain="esp_ota"):
            if entry["entry_id"] == entry_id and entry["state"] == "loaded":
                return
        if time.monotonic() > end:
            raise TimeoutError(f"the entry was not loaded again within {seconds:.0f} s")
        await asyncio.sleep(0.1)


async def entry_called(client: Client, title: str) -> str:
    """Return an entry of ESP OTA by its title."""
    for entry in await client.command("config_entries/get", domain="esp_ota"):
        if entry["title"] == title:
            return str(entry["entry_id"])
    raise LookupError(f"Home Assistant has no entry {title}")


async def make_valve(client: Client) -> None:
    """Let Home Assistant show the valve's switch as a valve."""
    answers = {"entity_id": "switch.garden_valve", "target_domain": "valve", "invert": False}
    await add_by_hand(client, "switch_as_x", answers)
    await client.wait_until("the valve", lambda: client.state(VALVE.entity_id) == VALVE.working)


async def asked_again(client: Client, entry_id: str, seconds: float = 5.0) -> bool:
    """Tell whether Home Assistant asks for an entry's password again."""
    end = time.monotonic() + seconds
    while True:
        contexts = [
            flow["context"] for flow in await client.command("config_entries/flow/progress")
        ]
        if any(
            context["source"] == "reauth" and context.get("entry_id") == entry_id
            for context in contexts
        ):
            return True
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.2)


async def repairs(client: Client) -> list[Json]:
    """Return the open repairs of ESP OTA."""
    answer: dict[str, Any] = await client.command("repairs/list_issues")
    return [issue for issue in answer["issues"] if issue["domain"] == "esp_ota"]


async def repair(client: Client, key: str, seconds: float = 10.0) -> Json:
    """Wait for a repair and return it."""
    end = time.monotonic() + seconds
    while True:
        found = await repairs(client)
        for issue in found:
            if issue["translation_key"] == key:
                return issue
        if time.monotonic() > end:
            keys = [issue["translation_key"] for issue in found]
            raise TimeoutError(f"no repair {key} within {seconds:.0f} s, only {keys}")
        await asyncio.sleep(0.1)


async def fix(client: Client, issue: Json) -> None:
    """Press Fix on a repair, read what it says, then press Submit."""
    path = "/api/repairs/issues/fix"
    form = await client.post(path, {"handler": "esp_ota", "issue_id": issue["issue_id"]})
    await asyncio.sleep(_READING)
    answer = await client.post(f"{path}/{form['flow_id']}", {})
    if answer["type"] != "create_entry":
        raise ActionFailed({"message": f"the repair was not fixed: {answer}"})
