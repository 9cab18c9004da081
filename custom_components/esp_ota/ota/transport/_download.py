"""One image on its way to a module that asked for it, and how long each wait of a pull is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import socket
import time
from typing import Final

from ..causes import Cause
from ..exceptions import EndlessTransfer, OtaError, TransferError
from ..models import Delivery, Payload, ProgressCallback
from ._connection import unacknowledged
from ._longest import Pace

_HEADERS_ONLY: Final = 12 * 1024
"""Bytes a module's TCP takes although its sketch read only the headers.

Its whole window: 5.8 kB, of a Pico 11.7 kB (`lwipopts.h` of arduino-pico).
"""
_FINAL: Final = {Cause.TOO_SLOW}
"""What a second try would end as just so."""
_LOOK: Final = 0.05
"""Seconds between looks at whether a download goes on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PullLimits:
    """Seconds of the waits of a pull, and how often somebody may ask."""

    request: float = 5.0
    """A request is held so long; the clients of all cores give up after 8 s."""
    offer: float = 600.0
    """For the first request after Update was pressed, at least; longer for rare pollers."""
    intervals: int = 3
    """Poll intervals the offer stays open, where the module has shown one."""
    hold: float = 600.0
    """The safe state is kept so long for the request that fetches the image."""
    after: float = 3600.0
    """The next request is waited for so long after a download at most, however rarely it has asked
    before: its equipment is shut off meanwhile, and a sketch asks when it has started."""
    stall: float = 60.0
    """Without one byte drained; an ESP8266 gives up after 60 s itself."""
    restart: float = 1.5
    """None boots and joins faster: who asks earlier has not restarted, and who was silent so long
    before its connection broke has."""
    burst: float = 1.0
    """Between two requests of one poll, at most: it may ask for files and for its sketch."""
    again: float = 3.0
    """For a byte more to be taken, when somebody asks in the middle of a download: a module that
    has restarted takes none. Half of what its client waits for an answer."""
    pace: Pace = field(default_factory=Pace)
    requests: int = 300
    """From one address in a minute; several modules may stand behind one."""


class Download:
    """One image on its way to one visit; whoever answers HTTP reports here how it goes."""

    def __init__(
        self,
        payload: Payload,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
        *,
        host: str = "",
        limits: PullLimits | None = None,
    ) -> None:
        """Offer a payload to the module that asked last from `host`."""
        self.payload = payload
        self._limits = limits or PullLimits()
        self._moved_at = 0.0
        self._host = host
        self.proxied = False
        """Whether the request that gets it came through a proxy."""
        self.sent = 0
        """Bytes that the module's TCP stack, or the proxy's, has acknowledged."""
        self.look: Callable[[], object] = lambda: None
        """Brings `sent` up to date; whoever answers HTTP knows how."""
        self.may_be_whole = False
        """Whether the bytes that complete it were handed over, once all before them had left."""
        self._before_first_byte = before_first_byte
        self._on_progress = on_progress
        self._percent = -1
        self.ended: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self.ended.add_done_callback(_heard)  # also where nobody waits for it any more

    def begin(self) -> bool:
        """Ask whether the first byte may leave; False ends the download."""
        if self.ended.done():
            return False
        try:
            self._before_first_byte()
        except OtaError as err:
            self._fail(err)
        if self.ended.done():
            return False
        longest = self._limits.pace.longest(len(self.payload.data))
        timer = asyncio.get_running_loop().call_later(longest, self._too_slow, longest)
        self.ended.add_done_callback(lambda _: timer.cancel())
        return True

    def _too_slow(self, seconds: float) -> None:
        """Report that the module took some all the time, and did not come to an end."""
        self.look()
        self._fail(self._broken(Cause.TOO_SLOW, seconds=round(seconds)))

    def track(self, written: int, connection: socket.socket) -> bool:
        """Note what was taken of the bytes written so far; tell whether it is more than before.

        A connection that is closed already tells nothing: what was seen before stands.
        """
        if connection.fileno() < 0:
            return False
        # Response headers may still be among the unacknowledged bytes: they go first.
        sent = min(max(0, written - unacknowledged(connection)), len(self.payload.data))
        if sent <= self.sent:
            return False
        self.sent = sent
        self._moved_at = time.monotonic()
        percent = sent * 100 // len(self.payload.data)
        if percent != self._percent and not self.ended.done():
            self._percent = percent
            self._on_progress(sent, len(self.payload.data))
        return True

    def settle(self, written: int, connection: socket.socket) -> None:
        """Look a last time: either all was taken, or what was seen before stands.

        A reset drops what the kernel had not got yet, so that nothing less is certain.
        """
        if connection.fileno() < 0:
            return
        if written - unacknowledged(connection) >= len(self.payload.data):
            self.track(written, connection)
            self.complete()

    def complete(self) -> None:
        """Report that all bytes were taken; what comes of them, the next request says."""
        if not self.ended.done():
            self.ended.set_result(Delivery.UNCONFIRMED)

    def stalled(self, seconds: float) -> None:
        """Report that the module took nothing for so long."""
        self._fail(self._broken(Cause.STALLED, seconds=round(seconds)))

    def lost(self) -> None:
        """Report that the connection ended early."""
        if self.sent > _HEADERS_ONLY:
            silent = time.monotonic() - self._moved_at > self._limits.restart
            self._fail(self._broken(Cause.REBOOTED if silent else Cause.CONNECTION_LOST))
        elif self.proxied:
            self._fail(self._broken(Cause.LENGTH_LOST))
        else:
            self._fail(self._broken(Cause.DOWNLOAD_DECLINED))

    def refuse(self, err: OtaError) -> None:
        """Report that what came before it was refused, so that it is not sent."""
        self._fail(err)

    async def goes_on(self) -> bool:
        """Whether it comes to its end, or takes more, although somebody asks in the middle.

        Who asks twice, or through a proxy that does, or in another's name, breaks nothing off.
        """
        self.look()
        sent, until = self.sent, time.monotonic() + self._limits.again
        while not self.ended.done() and self.sent == sent:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(_LOOK)
            self.look()
        return True

    def asked_again(self) -> None:
        """Report that the module asks anew in the middle: it has restarted."""
        self._fail(self._broken(Cause.REBOOTED))

    def _broken(self, cause: Cause, **facts: object) -> TransferError:
        facts |= {"host": self._host, "sent": self.sent, "total": len(self.payload.data)}
        return EndlessTransfer(cause, **facts) if cause in _FINAL else TransferError(cause, **facts)

    def broken_off(self) -> None:
        """Report all of it where the module may have it: no reset catches up with that."""
        if self.may_be_whole:
            self._on_progress(len(self.payload.data), len(self.payload.data))

    def _fail(self, err: OtaError) -> None:
        if not self.ended.done():
            self.broken_off()
            self.ended.set_exception(err)


def _heard(ended: asyncio.Future[Delivery]) -> None:
    if not ended.cancelled():
        ended.exception()
