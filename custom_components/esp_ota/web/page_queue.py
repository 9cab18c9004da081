"""What the page shows of the queue: every module and every guest whose update runs or waits."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.core import HomeAssistant, callback

from ..guests import GUESTS, standing
from .feed import Feed, Item
from .page_modules import Lines

_TOLD: Final = ("name", "entity", "stage", "percent", "place", "waits")


@callback
def async_register_queue(hass: HomeAssistant) -> None:
    """Answer what the page asks about the queue."""
    async_register_command(hass, subscribe_queue)


@require_admin
@websocket_command({vol.Required("type"): "esp_ota/queue/subscribe"})
@callback
def subscribe_queue(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Tell a page who is updated or waits for it, and whatever changes of that."""
    lines, guests = Lines(hass), hass.data[GUESTS]

    def read(key: str) -> Item | None:
        if (run := guests.find(key)) is not None:
            return standing(hass, run)
        line = lines.read(key) or {}
        return {name: line.get(name) for name in _TOLD} if line.get("stage") else None

    feed = Feed(hass, connection, msg["id"], read)
    stops = [lines.async_follow(feed), guests.async_add_listener(feed.async_changed)]

    @callback
    def stop() -> None:
        for each in stops:
            each()

    feed.async_start([*lines.entries, *guests.running], stop)
