"""Lets the clock go slowly while this process waits for the answer of another one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from typing import Any, Final

import aiohttp
from zeroconf import DNSOutgoing, Zeroconf  # type: ignore[attr-defined]

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback
from tests.months.clock import Clock

ASK: Final = 100.0
"""How fast while a question on mDNS waits for its answers."""
ANSWERS_IN: Final = 2.5
"""Seconds in which they come."""
WEB: Final = 10.0
"""How fast while it waits for a web site, and for the end of what that sends."""
_DOWNLOAD: Final = 1.0
"""Seconds for which it goes slowly once the answer has begun."""
_FIRST_ANSWER: Final = 5.0
"""Seconds for which a module may be asked whether it is there."""
INSTALL: Final = 20.0
"""How fast while something is sent to a module, and while it restarts."""
_AT_WORK: Final = {"checking", "making_safe", "sending", "restarting", "verifying", "restoring"}


class Slowly:
    """Wraps what sends questions, and looks at the stages of installs."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Take part in the clock of the house."""
        self._hass = hass
        self._clock = Clock.joined()
        self._asked: str | None = None
        self._answered: CALLBACK_TYPE | None = None
        self._stages: dict[str, str] = {}

    def begin(self) -> None:
        """Wrap, for as long as this process lives."""
        self._clock.wakes(os.getpid())
        self._wrap_mdns()
        self._wrap_web()
        self._wrap_sockets()
        self._hass.bus.async_listen(EVENT_STATE_CHANGED, self._stage)

    def _wrap_mdns(self) -> None:
        original: Callable[..., None] = Zeroconf.async_send

        def async_send(zc: Zeroconf, out: DNSOutgoing, *more: Any, **named: Any) -> None:
            if out.questions:
                self._ask()
            original(zc, out, *more, **named)

        Zeroconf.async_send = async_send  # type: ignore[assignment,method-assign]

    @callback
    def _ask(self) -> None:
        """Go slowly until the answers must be here."""
        if self._answered is not None:
            self._answered()
        if self._asked is None:
            self._asked = self._clock.hold(ASK)
        self._answered = self._hass.loop.call_later(ANSWERS_IN, self._release).cancel

    @callback
    def _release(self) -> None:
        self._answered = None
        if self._asked is not None:
            asked, self._asked = self._asked, None
            self._clock.release(asked)

    def _wrap_web(self) -> None:
        original = aiohttp.ClientSession._request

        async def request(session: aiohttp.ClientSession, *more: Any, **named: Any) -> Any:
            with self._slowly(WEB, _DOWNLOAD):
                return await original(session, *more, **named)

        aiohttp.ClientSession._request = request  # type: ignore[assignment,method-assign]

    def _wrap_sockets(self) -> None:
        """Go slowly while a connection is made, and while its first answer, if any, comes."""
        loop: Any = self._hass.loop
        for name in ("create_connection", "create_datagram_endpoint", "sock_connect"):
            setattr(loop, name, self._answered_slowly(getattr(loop, name)))

    def _answered_slowly(self, original: Callable[..., Any]) -> Callable[..., Any]:
        async def connect(*more: Any, **named: Any) -> Any:
            with self._slowly(INSTALL, _FIRST_ANSWER):
                return await original(*more, **named)

        return connect

    @contextmanager
    def _slowly(self, rate: float, longer: float) -> Iterator[None]:
        """Hold the clock back meanwhile, and for some seconds longer."""
        hold = self._clock.hold(rate)
        try:
            yield
        finally:
            self._hass.loop.call_later(longer, self._clock.release, hold)

    @callback
    def _stage(self, event: Event[EventStateChangedData]) -> None:
        """Hold the clock back while an install is at work."""
        name, state = event.data["entity_id"], event.data["new_state"]
        if not name.startswith("update."):
            return
        works = state is not None and state.attributes.get("stage") in _AT_WORK
        if works and name not in self._stages:
            self._stages[name] = self._clock.hold(INSTALL)
        elif not works and name in self._stages:
            self._clock.release(self._stages.pop(name))
