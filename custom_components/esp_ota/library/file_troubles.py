"""What is wrong with files in the folder: told one by one, or together when they are many."""

from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..const import LOGGER
from ..issues import async_clear_file_issue, async_raise_file_issue, async_show_more_files, shown
from ..ota import OtaError, one_line

_ONE_BY_ONE: Final = 16
"""Repairs that a person reads one by one; and lines in the log of one scan."""


class FileTroubles:
    """Of one folder, by the names of its files."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is wrong."""
        self._hass = hass
        self._told: set[str] = set()
        """Those with a repair of their own."""
        self._more: dict[str, OtaError] = {}
        """Those that are told together."""
        self._shown = 0

    @callback
    def async_raise(self, name: str, err: OtaError) -> None:
        """Tell of one file; together with others it is told by `async_show`."""
        if name not in self._told and len(self._told) >= _ONE_BY_ONE:
            self._more[name] = err
            return
        self._more.pop(name, None)
        self._told.add(name)
        LOGGER.info("%s in the firmware folder is not usable: %s", one_line(shown(name)), err)
        async_raise_file_issue(self._hass, name, err)

    @callback
    def async_clear(self, name: str) -> None:
        """Take back what was said about a file."""
        self._more.pop(name, None)
        if name in self._told:
            self._told.discard(name)
            async_clear_file_issue(self._hass, name)

    @callback
    def async_show(self) -> None:
        """Tell of those that are too many, or that they are not any more."""
        while self._more and len(self._told) < _ONE_BY_ONE:
            self.async_raise(*next(iter(self._more.items())))
        if len(self._more) != self._shown:
            self._shown = len(self._more)
            async_show_more_files(self._hass, list(self._more)[:_ONE_BY_ONE], self._shown)
            if self._more:
                LOGGER.info("%d more files in the firmware folder are not usable", self._shown)
