"""What the page shows of all modules, one line each."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.components.update import ATTR_LATEST_VERSION
from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import (
    CONF_ACTIONS,
    CONF_EQUIPMENT,
    CONF_KIND,
    CONF_RESTORE,
    CONF_SAFE_STATE,
    CONF_TIME_LIMIT,
    DOMAIN,
    EQUIPMENT_HOUSE,
    EQUIPMENT_NOTHING,
    KIND_MODULE,
    TRANSPORT_PULL,
)
from ..house import HOUSE
from ..installs import ModuleRuntime
from ..modules import ModuleCoordinator, identity_of
from ..ota import EvidenceSource, InstallStage
from .feed import Feed, Item

_CARD: Final = "firmware"
_SHOWN: Final = {_CARD: "update", "reachable": "binary_sensor"}
"""The entities that change when something does that is shown, and their platforms."""
_TOLD: Final = {
    "offered": ATTR_LATEST_VERSION,
    "waits": "queue_sentence",
    "pinned": "pinned_to",
    "held": "held_until",
}
"""What only the card says, and in which attribute."""
_MOST_ACTIONS: Final = 3
_REMEMBERED: Final = "remembered"
"""It was said before the last restart."""


@callback
def async_register_modules(hass: HomeAssistant) -> None:
    """Answer what the page asks about modules."""
    async_register_command(hass, subscribe_modules)


@require_admin
@websocket_command({vol.Required("type"): "esp_ota/modules/subscribe"})
@callback
def subscribe_modules(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Tell a page all modules, and whatever changes of them."""
    lines = Lines(hass)
    feed = Feed(hass, connection, msg["id"], lines.read)
    feed.async_start(lines.entries, lines.async_follow(feed))


class Lines:
    """The modules as lines, and which entities belong to which."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self.entries: dict[str, ConfigEntry] = {}
        self.owners: dict[str, str] = {}
        """Which module an entity belongs to."""
        self._entities: dict[str, Mapping[str, str]] = {}
        for entry in hass.data[HOUSE].modules:
            self.take(entry.entry_id)

    def take(self, key: str) -> None:
        """Look anew whether there is such a module, and which entities it has."""
        for entity_id in self._entities.pop(key, {}).values():
            self.owners.pop(entity_id, None)
        self.entries.pop(key, None)
        if (entry := self._hass.config_entries.async_get_entry(key)) is not None:
            self.entries[key] = entry
            self._entities[key] = _entities(self._hass, entry)
            self.owners |= dict.fromkeys(self._entities[key].values(), key)

    def read(self, key: str) -> Item | None:
        """Return a module's line."""
        if (entry := self.entries.get(key)) is None:
            return None
        card = self._entities[key].get(_CARD)
        line: dict[str, Any] = {"name": entry.title, "entity": card}
        if card is not None and (state := self._hass.states.get(card)) is not None:
            line |= {name: state.attributes.get(told) for name, told in _TOLD.items()}
        runtime = getattr(entry, "runtime_data", None)
        if isinstance(runtime, ModuleRuntime):
            line |= _of_module(runtime)
        return line

    @callback
    def async_follow(self, feed: Feed) -> CALLBACK_TYPE:
        """Have a feed tell of whatever changes; returns what ends it."""
        hass = self._hass

        @callback
        def state_changed(event: Event[EventStateChangedData]) -> None:
            feed.async_changed(self.owners[event.data["entity_id"]])

        @callback
        def is_shown(data: EventStateChangedData) -> bool:
            return data["entity_id"] in self.owners

        @callback
        def entry_changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
            if entry.domain == DOMAIN and entry.data.get(CONF_KIND) == KIND_MODULE:
                self.take(entry.entry_id)
                feed.async_changed(entry.entry_id)

        @callback
        def entity_changed(event: Event[er.EventEntityRegistryUpdatedData]) -> None:
            entity = er.async_get(hass).async_get(event.data["entity_id"])
            if entity and entity.platform == DOMAIN and entity.config_entry_id in self.entries:
                self.take(entity.config_entry_id)
                feed.async_changed(entity.config_entry_id)

        stops = [
            # One listener for all: they come and go.
            hass.bus.async_listen(EVENT_STATE_CHANGED, state_changed, event_filter=is_shown),
            hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, entity_changed),
            async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed),
        ]

        @callback
        def stop() -> None:
            for each in stops:
                each()

        return stop


def _entities(hass: HomeAssistant, entry: ConfigEntry) -> Mapping[str, str]:
    """Return the ids of the entities of a module whose changes are shown."""
    registry = er.async_get(hass)
    identity = identity_of(entry)
    found = {
        name: registry.async_get_entity_id(platform, DOMAIN, f"{identity}_{name}")
        for name, platform in _SHOWN.items()
    }
    return {name: entity_id for name, entity_id in found.items() if entity_id is not None}


def _of_module(runtime: ModuleRuntime) -> dict[str, Any]:
    coordinator = runtime.coordinator
    data, device = coordinator.data, coordinator.device
    ended, progress = data.ended, data.progress
    stage = progress.stage if progress else None
    past = coordinator.house.history.of(coordinator.config_entry.entry_id)
    return {
        "device": device.id if device else None,
        "reachable": data.reachable,
        "firmware": data.firmware,
        "runs": data.installed,
        "proof": _proof(coordinator),
        "stage": stage,
        "since": runtime.installer.chronicle.since if stage else None,
        "limit": _limit(runtime, stage),
        "does": _does(runtime, stage),
        "percent": progress.percent if progress else None,
        "waits_for": progress.waits_for if progress else None,
        "place": progress.place if progress else None,
        "verdict": ended["verdict"] if ended else None,
        "sentence": ended["sentence"] if ended else None,
        "ended": past[0]["ended"] if past else None,
    }


def _proof(coordinator: ModuleCoordinator) -> str | None:
    """Return who says what runs, None where nobody does."""
    if coordinator.data.assumed:
        return EvidenceSource.ASSUMED
    if (best := coordinator.statements.best) is not None:
        return best.source
    return _REMEMBERED if coordinator.data.installed else None


def _safe_state(runtime: ModuleRuntime) -> Mapping[str, Any]:
    """Return the safe state that the module's equipment gets, empty for none."""
    coordinator = runtime.coordinator
    options = coordinator.config_entry.options
    of_house = options.get(CONF_EQUIPMENT) == EQUIPMENT_HOUSE
    safe_state: Mapping[str, Any] = (coordinator.house.options if of_house else options).get(
        CONF_SAFE_STATE, {}
    )
    return safe_state if options.get(CONF_EQUIPMENT) != EQUIPMENT_NOTHING else {}


def _does(runtime: ModuleRuntime, stage: InstallStage | None) -> list[Any] | None:
    """Return what is done to the equipment in a stage: the first actions, as they are stored."""
    key = {InstallStage.MAKING_SAFE: CONF_ACTIONS, InstallStage.RESTORING: CONF_RESTORE}.get(
        stage or InstallStage.DONE
    )
    return list(_safe_state(runtime).get(key, [])[:_MOST_ACTIONS]) if key else None


def _limit(runtime: ModuleRuntime, stage: InstallStage | None) -> float | None:
    """Return how many seconds a stage may take, where that is known."""
    coordinator = runtime.coordinator
    if stage is InstallStage.RESTARTING and coordinator.transports != [TRANSPORT_PULL]:
        watch = coordinator.house.patience.watch
        return watch.go + watch.back
    if stage in {InstallStage.MAKING_SAFE, InstallStage.RESTORING}:
        limit = _safe_state(runtime).get(CONF_TIME_LIMIT)
        return float(limit) if limit else None
    return None
