"""What the person of the house does, over the API that its page uses."""

from dataclasses import dataclass, field
from typing import Final

from tests.e2e import flows
from tests.e2e.client import ActionFailed, Json

from .life import Life, Talk
from .plan import ANNOUNCES, PAGE, PULLS, ModulePlan

_ENTRY: Final = "/api/config/config_entries/entry"
_FLOW: Final = "/api/config/config_entries/flow"
_SUBENTRY: Final = "/api/config/config_entries/subentries/flow"
PARTS: Final = ("firmware", "last_seen", "last_verdict", "reachable")
"""The entities that are looked at, by the end of their unique ids."""
_LAST_SEEN: Final = "_last_seen"
_PORT: Final = 8266


@dataclass(kw_only=True, slots=True)
class Entities:
    """What Home Assistant has of one module."""

    entry_id: str
    ids: dict[str, str] = field(default_factory=dict)
    """Entity ids by part."""
    by_default: list[str] = field(default_factory=list)
    """The entity ids of all that nobody had to enable."""


async def pull_url(talk: Talk) -> str:
    """Read the address for sketches that ask."""
    form = await talk.post(_FLOW, {"handler": "esp_ota"})
    path = f"{_FLOW}/{form['flow_id']}"
    shown = await talk.post(path, {"next_step_id": "pull"})
    await talk.post(path, {})
    return str(shown["description_placeholders"]["url"])


async def add(talk: Talk, plan: ModulePlan, host: str, hostname: str) -> str:
    """Add a module as its kind is added, by its names of now, and return its entry."""
    equipment = "switches" if plan.equipment else "nothing"
    answers: Json = {"equipment": equipment}
    if plan.password:
        answers["password"] = plan.password
    if plan.way in {ANNOUNCES, PULLS}:
        shown_as = plan.shown_as if plan.way == PULLS else hostname
        entry_id = await flows.add_discovered(talk, shown_as, answers)
    elif plan.way == PAGE:
        entry_id = await flows.add_by_hand(
            talk, "esp_ota", answers | {"host": host, "upload_port": 80}, step="page"
        )
    else:
        entry_id = await flows.add_by_hand(
            talk, "esp_ota", answers | {"host": host, "port": _PORT}, step="address"
        )
    if plan.way in {PAGE, PULLS} or not plan.says:
        named = {"firmware": plan.name, "chip": str(plan.chip)}
        await flows.configure(talk, entry_id, "firmware", named)
    if plan.equipment:
        await flows.configure(talk, entry_id, "safe_state", plan.equipment.safe_state())
    return entry_id


async def want_last_seen(talk: Talk, entry_id: str) -> bool:
    """Enable *Last seen*, which reloads the entry; return whether it was not."""
    for item in await talk.command("config/entity_registry/list"):
        named = item["unique_id"].endswith(_LAST_SEEN) and item["config_entry_id"] == entry_id
        if named and item["disabled_by"]:
            wanted = {"entity_id": item["entity_id"], "disabled_by": None}
            await talk.command("config/entity_registry/update", **wanted)
            return True
    return False


async def entities(talk: Talk, entry_id: str, *, enabled: bool) -> Entities:
    """Look up what a module's entities are called; *Last seen* may have been enabled."""
    found = Entities(entry_id=entry_id)
    for item in await talk.command("config/entity_registry/list"):
        if item["config_entry_id"] != entry_id or item["disabled_by"]:
            continue
        if not (enabled and item["unique_id"].endswith(_LAST_SEEN)):
            found.by_default.append(item["entity_id"])
        for part in PARTS:
            if item["unique_id"].endswith(f"_{part}"):
                found.ids[part] = item["entity_id"]
    return found


async def add_list(talk: Talk, url: str) -> None:
    """Add a list of releases as a source that is asked each hour."""
    house = await flows.entry_called(talk, flows.LIBRARY)
    answers = {"url": url, "interval": 60}
    form = await talk.post(_SUBENTRY, {"handler": [house, "manifest"]})
    answer = await talk.post(f"{_SUBENTRY}/{form['flow_id']}", answers)
    if answer["type"] != "create_entry":
        raise ActionFailed({"message": f"the list was not taken: {answer}"})


async def reload(talk: Talk, entry_id: str) -> None:
    """Press *Reload* on an entry."""
    await talk.post(f"{_ENTRY}/{entry_id}/reload", {})
    await flows.loaded(talk, entry_id)


async def remove(life: Life, entry_id: str) -> None:
    """Press *Delete* on an entry."""
    await life.delete(f"{_ENTRY}/{entry_id}")


async def readdress(talk: Talk, plan: ModulePlan, entry_id: str, host: str) -> None:
    """Press *Reconfigure* and say where the module is now."""
    start = {"handler": "esp_ota", "entry_id": entry_id}
    form = await talk.post(_FLOW, start)
    answers: Json = {"host": host} | ({"upload_port": 80} if plan.way == PAGE else {"port": _PORT})
    answer = await talk.post(f"{_FLOW}/{form['flow_id']}", answers)
    if answer["type"] != "abort" or answer["reason"] != "reconfigure_successful":
        raise ActionFailed({"message": f"the address was not taken: {answer}"})


async def name_it(talk: Talk, entry_id: str, card: str, text: str) -> None:
    """Give a module's device an area, and its card a name."""
    area = (await talk.command("config/area_registry/create", name=text))["area_id"]
    for device in await talk.command("config/device_registry/list"):
        if device["config_entry_id"] == entry_id:
            await talk.command(
                "config/device_registry/update",
                device_id=device["id"],
                area_id=area,
                name_by_user=text,
            )
    await talk.command("config/entity_registry/update", entity_id=card, name=text)
