"""What one module announces under its name: listened to, and asked for."""

from collections.abc import Callable

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, callback

from ..const import CONF_SERVICE_NAME
from ..house import House
from ..ota import ModuleFacts

type Heard = Callable[[ModuleFacts | None, float | None], None]
"""Called with what it said, None for goodbye, and when; None for now."""


class Ears:
    """Of one module; its name may change."""

    def __init__(self, entry: ConfigEntry, house: House, heard: Heard) -> None:
        """Hear nothing before `async_start`."""
        self._entry = entry
        self._house = house
        self._heard = heard
        self.unclear: Callable[[], None] = lambda: None
        """Called when it cannot be told whether its words are its own: it is to be asked."""
        self._stop: CALLBACK_TYPE | None = None

    @property
    def name(self) -> str | None:
        """The service it announces, None for a module that announces nothing."""
        return self._entry.data.get(CONF_SERVICE_NAME)

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Listen for the name that it has now, and take what it said before."""
        self.async_stop()
        if (name := self.name) is not None:
            announcements = self._house.announcements
            self._stop = announcements.async_listen(
                name, lambda facts: self._heard(facts, None), self.unclear
            )
            for claim in reversed(announcements.claims(name)):
                self._heard(claim.facts, claim.told)
        return self.async_stop

    @callback
    def async_stop(self) -> None:
        """Listen no more."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    @callback
    def async_ask(self) -> None:
        """Have it say everything again, if it says anything."""
        if (name := self.name) is not None:
            self._house.announcements.async_ask(name)
