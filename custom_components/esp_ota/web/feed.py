"""What a page is told by a subscription: all of it once, then what changed, a few times a second.

Items are flat: an id, and named values. A change carries the ids and the values that differ from
what that page was told last.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

type Item = Mapping[str, Any]

PAUSE: Final = 0.25
"""Seconds from one message to the next: a bar moves smoothly, and nothing floods a phone."""


class Feed:
    """One subscription of one page."""

    def __init__(
        self,
        hass: HomeAssistant,
        connection: ActiveConnection,
        message_id: int,
        read: Callable[[str], Item | None],
    ) -> None:
        """`read` returns an item as it is now, None for one that is gone."""
        self._hass = hass
        self._connection = connection
        self._id = message_id
        self._read = read
        self._told: dict[str, Item] = {}
        self._stale: set[str] = set()
        self._pause: CALLBACK_TYPE | None = None
        self._job = HassJob(self._tell_again, "ESP OTA page", cancel_on_shutdown=True)

    @callback
    def async_start(self, ids: Iterable[str], stop: CALLBACK_TYPE) -> None:
        """Answer the command and tell all of it; `stop` is called when nobody listens any more."""

        @callback
        def unsubscribe() -> None:
            stop()
            if self._pause is not None:
                self._pause()

        self._connection.subscriptions[self._id] = unsubscribe
        self._connection.send_result(self._id)
        self._told = {key: item for key in ids if (item := self._read(key)) is not None}
        self._send({"all": self._told})
        self._rest()

    @callback
    def async_changed(self, key: str) -> None:
        """Tell an item again, if it is not what it was, as soon as it is time."""
        self._stale.add(key)
        if self._pause is None:
            self._tell()

    def _rest(self) -> None:
        self._pause = async_call_later(self._hass, PAUSE, self._job)

    @callback
    def _tell_again(self, _now: object) -> None:
        self._pause = None
        if self._stale:
            self._tell()

    def _tell(self) -> None:
        changed: dict[str, Item] = {}
        gone: list[str] = []
        for key in self._stale:
            before, now = self._told.get(key, {}), self._read(key)
            if now is None:
                if self._told.pop(key, None) is not None:
                    gone.append(key)
                continue
            self._told[key] = now
            news = {name: value for name, value in now.items() if before.get(name, ...) != value}
            if news:
                changed[key] = news
        self._stale.clear()
        message: dict[str, Any] = {"changed": changed} if changed else {}
        if gone:
            message["gone"] = gone
        if message:
            self._send(message)
            self._rest()

    def _send(self, content: Mapping[str, Any]) -> None:
        self._connection.send_message(event_message(self._id, content))
