"""What the page shows of rollouts: how each stands, and the modules of one."""

from typing import Any

import voluptuous as vol

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.core import HomeAssistant, callback

from ..rollouts import ROLLOUTS, modules_of, standing
from .feed import Feed, Item


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

    @callback
    def changed(*_told: object) -> None:
        for key in parts.look():
            feed.async_changed(key)

    feed.async_start(parts.look(), rollouts.async_add_listener(changed))


class _Modules:
    """The modules of one rollout, as they were when somebody looked last."""

    def __init__(self, hass: HomeAssistant, rollout: str) -> None:
        self._hass = hass
        self._rollout = rollout
        self._items: dict[str, Item] = {}

    def look(self) -> list[str]:
        """Look anew; return the places of all modules that are there, or were."""
        before = self._items
        rollout = self._hass.data[ROLLOUTS].all.get(self._rollout)
        found = modules_of(self._hass, rollout) if rollout else []
        self._items = {str(place): item for place, item in enumerate(found)}
        return list(before | self._items)

    def read(self, place: str) -> Item | None:
        """Return one module."""
        return self._items.get(place)
