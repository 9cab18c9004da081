"""Home Assistant's end of the months: tells what it takes, and when the clock must go slowly.

Knows nothing of what is right. What it hears goes to a file, a line each.
"""

import json
from pathlib import Path
import sys
import time
from typing import Any, Final

from aiohttp import web

from custom_components.esp_ota.const import EVENT_UPDATE_ENDED
from custom_components.esp_ota.library import folder
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.helpers.typing import ConfigType

from .counts import counts, of_process
from .slowly import Slowly

DOMAIN: Final = "months_probe"
_ENDED: Final = ("module", "verdict", "cause", "version")


_SCAN_SECONDS: Final = 60
"""The watched folder is looked at 43,200 times a day, which is half of all that happens."""
_SWITCH_SECONDS: Final = 1.0
"""Until a thread that computes lets another one: the usual 5 ms are over at once by this clock."""


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Take part in the clock, and listen."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    folder.FOLDER_SCAN_SECONDS = _SCAN_SECONDS  # type: ignore[attr-defined]
    Slowly(hass).begin()
    Ears(hass, Path(hass.config.path("heard.jsonl"))).begin()
    hass.http.register_view(CountsView())
    return True


class Ears:
    """Writes down what is told, as soon as it is."""

    def __init__(self, hass: HomeAssistant, path: Path) -> None:
        """Write to this file."""
        self._hass = hass
        self._file = path.open("a")

    def begin(self) -> None:
        """Listen for the ends of installs, and for automations."""

        @callback
        def ended(event: Event[dict[str, Any]]) -> None:
            self._write("ended", {key: event.data.get(key) for key in _ENDED})

        @callback
        def triggered(event: Event[dict[str, Any]]) -> None:
            self._write("automation", {"name": event.data.get("name")})

        self._hass.bus.async_listen(EVENT_UPDATE_ENDED, ended)
        self._hass.bus.async_listen("automation_triggered", triggered)

    def _write(self, kind: str, data: dict[str, Any]) -> None:
        self._file.write(json.dumps({"at": time.time(), "kind": kind, **data}) + "\n")
        self._file.flush()


class CountsView(HomeAssistantView):
    """Answers what the process takes."""

    url = "/api/months_probe"
    name = "api:months_probe"
    requires_auth = False

    async def get(self, request: web.Request) -> web.Response:
        """Count everything anew."""
        hass: HomeAssistant = request.app["hass"]
        return self.json(counts(hass) | await hass.async_add_executor_job(of_process))
