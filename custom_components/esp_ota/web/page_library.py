"""What the page shows of the library."""

from typing import Any

import voluptuous as vol

from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant, callback

from ..house import HOUSE
from ..library import Release
from .feed import Feed, Item


@callback
def async_register_library(hass: HomeAssistant) -> None:
    """Answer what the page asks about the library."""
    websocket_api.async_register_command(hass, subscribe_library)


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): "esp_ota/library/subscribe"})
@callback
def subscribe_library(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Tell a page all releases, and whatever changes of them."""
    library = hass.data[HOUSE].library
    known: set[str] = set()

    def read(sha256: str) -> Item | None:
        release = library.get(sha256)
        return _line(release) if release else None

    feed = Feed(hass, connection, msg["id"], read)

    @callback
    def changed() -> None:
        now = {release.image.sha256 for release in library.releases}
        for sha256 in now | known:
            feed.async_changed(sha256)
        known.clear()
        known.update(now)

    known.update(release.image.sha256 for release in library.releases)
    feed.async_start(known, library.async_add_listener(changed))


def _line(release: Release) -> dict[str, Any]:
    return release.facts() | {"notes": release.notes}
