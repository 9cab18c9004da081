"""What the page shows of the library: every release, and the modules that would miss it."""

from collections import defaultdict
from typing import Any

import voluptuous as vol

from homeassistant.components.update import ATTR_INSTALLED_VERSION
from homeassistant.components.update.const import ATTR_IN_PROGRESS
from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event

from ..const import CONF_FIRMWARE, DOMAIN
from ..house import HOUSE, House
from ..installs import ModuleRuntime
from ..library import Release
from ..modules import identity_of
from ..ota import SignatureState
from .feed import Feed, Item


@callback
def async_register_library(hass: HomeAssistant) -> None:
    """Answer what the page asks about the library."""
    async_register_command(hass, subscribe_library)


@require_admin
@websocket_command({vol.Required("type"): "esp_ota/library/subscribe"})
@callback
def subscribe_library(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Tell a page all releases, and whatever changes of them."""
    house = hass.data[HOUSE]
    shelf = _Shelf(house)
    feed = Feed(hass, connection, msg["id"], shelf.read)

    @callback
    def changed() -> None:
        for sha256 in shelf.look():
            feed.async_changed(sha256)

    @callback
    def state_changed(event: Event[EventStateChangedData]) -> None:
        if _seen(event.data["old_state"]) != _seen(event.data["new_state"]):
            changed()

    registry = er.async_get(hass)
    names = (f"{identity_of(entry)}_firmware" for entry in house.modules)
    cards = (registry.async_get_entity_id("update", DOMAIN, name) for name in names)
    stops = [
        house.library.async_add_listener(changed),
        async_track_state_change_event(hass, [card for card in cards if card], state_changed),
    ]

    @callback
    def stop() -> None:
        for each in stops:
            each()

    feed.async_start(shelf.look(), stop)


class _Shelf:
    """All releases, and who runs which, as they were when somebody looked last."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._order: dict[str, int] = {}
        self._runs: dict[str, list[str]] = {}
        self._goes_back: dict[str, list[str]] = {}
        self._waits: set[str] = set()

    def look(self) -> set[str]:
        """Look anew; return the releases that are there, or were the last time (sha256)."""
        house = self._house
        before = self._order
        shas = (release.image.sha256 for release in house.library.releases)
        self._order = {sha256: place for place, sha256 in enumerate(shas)}
        self._waits = house.waited_for()
        runs, back = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
        found: dict[tuple[str, str], list[str]] = {}

        def of(firmware: str, version: str) -> list[str]:
            """Return the images of a version; many modules run the same one."""
            if (firmware, version) not in found:
                releases = house.library.find(firmware, version)
                found[firmware, version] = [item.image.sha256 for item in releases]
            return found[firmware, version]

        for entry in house.modules:
            firmware, version = _running(house, entry)
            running = of(firmware, version) if firmware and version else []
            for sha256 in running:
                runs[sha256].append(entry.title)
            for sha256 in house.journal.good(entry.entry_id):
                if sha256 not in running:
                    back[sha256].append(entry.title)
        self._runs, self._goes_back = dict(runs), dict(back)
        return {*before, *self._order}

    def read(self, sha256: str) -> Item | None:
        """Return a release, None for one that is gone."""
        if (release := self._house.library.get(sha256)) is None:
            return None
        facts, signature = _facts(release), str(self._house.signatures.state(release))
        if signature == SignatureState.UNCHECKED:
            signature = "signed" if facts["signed"] else "unsigned"
        return {
            **facts,
            "order": self._order.get(sha256),
            "signature": signature,
            "runs_on": self._runs.get(sha256, []),
            "goes_back": self._goes_back.get(sha256, []),
            "waited_for": sha256 in self._waits,
        }


def _running(house: House, entry: ConfigEntry) -> tuple[str | None, str | None]:
    """Return firmware and version of a module; what is not loaded runs what it ran last."""
    runtime = getattr(entry, "runtime_data", None)
    if isinstance(runtime, ModuleRuntime):
        data = runtime.coordinator.data
        return data.firmware, data.installed
    known = house.journal.known(entry.entry_id)
    firmware = entry.options.get(CONF_FIRMWARE) or (known["firmware"] if known else None)
    return firmware, known["version"] if known else None


def _seen(state: State | None) -> list[Any]:
    """Return what of a card tells that another release runs, or is waited for."""
    names = (ATTR_INSTALLED_VERSION, ATTR_IN_PROGRESS)
    return [state.attributes.get(name) for name in names] if state else []


def _facts(release: Release) -> dict[str, Any]:
    return release.facts() | {
        "notes": release.notes,
        "filesystem": release.image.filesystem,
    }
