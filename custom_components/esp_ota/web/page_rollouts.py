"""What the page shows of rollouts: how each stands, and the modules of one."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.components.update.const import ATTR_UPDATE_PERCENTAGE
from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback

from ..guests import GUESTS, standing as standing_of_guest
from ..ota import MemberState
from ..rollouts import ROLLOUTS, modules_of, standing
from .feed import Feed, Item

_TOLD: Final = {
    "stage": "stage",
    "percent": ATTR_UPDATE_PERCENTAGE,
    "waits": "queue_sentence",
}
"""What the card of a module says of its update, by which names a page is told."""


@callback
def async_register_rollouts(hass: HomeAssistant) -> None:
    """Answer what the page asks about rollouts."""
    async_register_command(hass, subscribe_rollouts)
    async_register_command(hass, subscribe_rollout)


@require_admin
@websocket_command({vol.Required("type"): "esp_ota/rollouts/subscribe"})
@callback
def subscribe_rollouts(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Tell a page how each rollout stands that is known."""
    rollouts = hass.data[ROLLOUTS]
    known: set[str] = set()

    def read(key: str) -> Item | None:
        rollout = rollouts.all.get(key)
        return standing(rollout) if rollout else None

    feed = Feed(hass, connection, msg["id"], read)

    @callback
    def changed(*_told: object) -> None:
        known.update(rollouts.all)
        for key in known:
            feed.async_changed(key)

    known.update(rollouts.all)
    feed.async_start(known, rollouts.async_add_listener(changed))


@require_admin
@websocket_command(
    {vol.Required("type"): "esp_ota/rollout/subscribe", vol.Required("rollout"): str}
)
@callback
def subscribe_rollout(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Tell a page the modules of one rollout, in their order, then those that are left out."""
    rollouts, rollout = hass.data[ROLLOUTS], msg["rollout"]
    if rollout not in rollouts.all:
        connection.send_error(msg["id"], "not_found", "There is no such rollout.")
        return
    parts = _Modules(hass, rollout)
    feed = Feed(hass, connection, msg["id"], parts.read)
    guests = hass.data[GUESTS]

    @callback
    def changed(*_told: object) -> None:
        for place in parts.look():
            feed.async_changed(place)

    @callback
    def card_changed(event: Event[EventStateChangedData]) -> None:
        feed.async_changed(parts.cards[event.data["entity_id"]])

    @callback
    def is_shown(data: EventStateChangedData) -> bool:
        return data["entity_id"] in parts.cards

    @callback
    def guest_changed(key: str) -> None:
        if key in parts.places:
            feed.async_changed(parts.places[key])

    known = parts.look()
    stops = [
        rollouts.async_add_listener(changed),
        guests.async_add_listener(guest_changed),
        hass.bus.async_listen(EVENT_STATE_CHANGED, card_changed, event_filter=is_shown),
    ]

    @callback
    def stop() -> None:
        for each in stops:
            each()

    feed.async_start(known, stop)


class _Modules:
    """The modules and guests of one rollout, as they were when somebody looked last."""

    def __init__(self, hass: HomeAssistant, rollout: str) -> None:
        self._hass = hass
        self._rollout = rollout
        self._found: dict[str, tuple[str | None, Item]] = {}
        self.places: dict[str, str] = {}
        """Where each stands, by its key."""
        self.cards: dict[str, str] = {}
        """The same by their update entities."""

    def look(self) -> list[str]:
        """Look anew; return the places of all that are there, or were."""
        before = self._found
        rollout = self._hass.data[ROLLOUTS].all.get(self._rollout)
        found = modules_of(self._hass, rollout) if rollout else []
        self._found = {str(place): told for place, told in enumerate(found)}
        told = [(place, key, item) for place, (key, item) in self._found.items() if key]
        self.places = {key: place for place, key, _ in told}
        self.cards = {item["entity"]: place for place, _, item in told if item["entity"]}
        return list(before | self._found)

    def read(self, place: str) -> Item | None:
        """Return one of them, with what its update does as long as it runs."""
        if place not in self._found:
            return None
        key, item = self._found[place]
        doing = self._doing(key, item) if key and item["state"] == MemberState.BEGUN else {}
        return {**item, **{name: doing.get(name) for name in _TOLD}}

    def _doing(self, key: str, item: Item) -> Item:
        if (run := self._hass.data[GUESTS].find(key)) is not None:
            return standing_of_guest(self._hass, run)
        state = self._hass.states.get(item["entity"] or "")
        shown = state.attributes if state else {}
        return {name: shown.get(attribute) for name, attribute in _TOLD.items()}
