"""What the page shows of one module when its row is opened, besides its line."""

from collections.abc import Mapping
import time
from typing import Any

import voluptuous as vol

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import (
    CONF_EQUIPMENT,
    CONF_SAFE_STATE,
    EQUIPMENT_HOUSE,
)
from ..house import HOUSE, House
from ..installs import ModuleRuntime
from ..modules import page_of
from .feed import Feed, Item


@callback
def async_register_module(hass: HomeAssistant) -> None:
    """Answer what the page asks about one module."""
    async_register_command(hass, subscribe_module)


@require_admin
@websocket_command({vol.Required("type"): "esp_ota/module/subscribe", vol.Required("module"): str})
@callback
def subscribe_module(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Tell a page one module by parts: `facts`, `evidence`, `equipment`, `history`, `live`."""
    house = hass.data[HOUSE]
    entry = hass.config_entries.async_get_entry(msg["module"])
    runtime = getattr(entry, "runtime_data", None)
    if entry is None or not isinstance(runtime, ModuleRuntime):
        connection.send_error(msg["id"], "not_found", "There is no such module, or not now.")
        return
    parts = _Parts(house, entry, runtime)
    feed = Feed(hass, connection, msg["id"], parts.read)

    @callback
    def changed() -> None:
        for name in parts.names:
            feed.async_changed(name)

    feed.async_start(parts.names, runtime.coordinator.async_add_listener(changed))


class _Parts:
    """One module, part by part."""

    def __init__(self, house: House, entry: ConfigEntry, runtime: ModuleRuntime) -> None:
        self._house = house
        self._offset = time.time() - time.monotonic()
        self._entry = entry
        self._coordinator = runtime.coordinator
        self._chronicle = runtime.installer.chronicle
        self._installer = runtime.installer
        self._read = {
            "facts": self._facts,
            "evidence": self._evidence,
            "equipment": self._equipment,
            "history": self._history,
            "live": self._live,
        }
        self.names = list(self._read)

    def read(self, name: str) -> Item:
        """Return one part."""
        return self._read[name]()

    def _facts(self) -> dict[str, Any]:
        coordinator = self._coordinator
        facts, slot = coordinator.facts(), coordinator.slot
        back = self._installer.rolls_back_to
        return {
            "host": facts.host,
            "mac": facts.mac,
            "chip": facts.chip or facts.family,
            "board": facts.board,
            "transports": coordinator.transports,
            "slot": slot.size if slot else facts.slot_size,
            "slot_source": slot.source if slot else None,
            "page": page_of(self._entry, facts.host),
            "rolls_back_to": back.version if back else None,
            "versions": list(dict.fromkeys(item.version for item in coordinator.releases)),
        }

    def _evidence(self) -> dict[str, Any]:
        """Return who said what, the strongest first, and when (seconds since the epoch)."""
        data = self._coordinator.data
        said = [
            {
                "source": source,
                "firmware": sighting.firmware,
                "version": sighting.version,
                "sum": sighting.sketch_md5,
                "at": round(sighting.at + self._offset),
            }
            for source, sighting in self._coordinator.statements.all.items()
        ]
        seen = data.last_seen
        return {
            "said": said,
            "seen": round(seen.timestamp()) if seen else None,
            "reachable": data.reachable,
        }

    def _equipment(self) -> Mapping[str, Any]:
        options = self._entry.options
        chosen = options.get(CONF_EQUIPMENT)
        of_house = chosen == EQUIPMENT_HOUSE
        safe_state = (self._house.options if of_house else options).get(CONF_SAFE_STATE, {})
        return {"chosen": chosen, "safe_state": dict(safe_state)}

    def _history(self) -> dict[str, Any]:
        return {"past": self._house.history.of(self._entry.entry_id)}

    def _live(self) -> dict[str, Any]:
        points = self._chronicle.points
        return {"points": list(points), "total": self._total()}

    def _total(self) -> int | None:
        progress = self._coordinator.data.progress
        return progress.total if progress else None
