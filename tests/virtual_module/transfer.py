"""One update over one TCP connection, as far as both ArduinoOTA libraries do it alike."""

import asyncio

from .board import Board
from .errors import UpdateError
from .events import Seen
from .faults import Fault
from .invitation import Invitation
from .link import Link
from .listener import Ending
from .strike import strike
from .updater import Struck, Updater

_BETWEEN_PRINTS = 0.001
"""Seconds in which a host may read the first of two segments."""


class Transfer:
    """Connects, receives, verifies, reports. `updater.begin()` is the caller's."""

    connect_timeout: float
    nodelay: bool = False
    glues_ok: bool = False
    """Whether the last ack leaves in one segment with the OK."""

    def __init__(self, board: Board, invitation: Invitation) -> None:
        """Prepare for one invitation."""
        self.board = board
        self.invitation = invitation
        self.updater = Updater(board, invitation)
        self._duplicate_acks = board.strikes(Fault.DUPLICATE_ACK)
        self._merge_ok = board.strikes(Fault.MERGED_OK) or self.glues_ok
        self._held = b""

    async def run(self) -> Ending:
        """Update the module, or find out why not."""
        link = await self._connect()
        if link is None:
            return Ending.STAYS
        try:
            if self.board.strikes(Fault.HANG_AFTER_ACCEPT):
                return await strike(self.board, link, Fault.HANG_AFTER_ACCEPT)
            if await self.receive(link):
                return await self._end(link)
            self.board.events.add(Seen.ABORTED, bytes=self.updater.filled, reason="silence")
            self.close(link)
        except Struck as struck:
            return await strike(self.board, link, struck.fault)
        except BaseException:
            if not self.board.has_silenced(link):
                link.reset()  # switched off, or broken
            raise
        return Ending.STAYS

    async def receive(self, link: Link) -> bool:
        """Take the payload in; tell whether the library goes on to verify it."""
        raise NotImplementedError

    async def say_ok(self, link: Link) -> None:
        """Report success as slowly as the library does, and close."""
        raise NotImplementedError

    async def _connect(self) -> Link | None:
        config, invitation = self.board.config, self.invitation
        self.board.events.add(Seen.CONNECTING, host=invitation.host, port=invitation.port)
        if self.board.strikes(Fault.NO_CONNECT):
            await asyncio.sleep(self.board.limit(self.connect_timeout))
            self.board.events.add(Seen.CONNECT_FAILED, reason=Fault.NO_CONNECT.value)
            return None
        facts = config.facts
        try:
            link = await Link.open(
                (invitation.host, invitation.port),
                source=config.host,
                mss=facts.mss if config.mss is None else config.mss,
                window=facts.window if config.window is None else config.window,
                timeout=self.board.limit(self.connect_timeout),
                nodelay=self.nodelay,
            )
        except OSError as error:
            self.board.events.add(Seen.CONNECT_FAILED, reason=type(error).__name__)
            return None
        self.board.events.add(Seen.CONNECTED)
        self.board.last_link = link
        return link

    async def _end(self, link: Link) -> Ending:
        finished = self.updater.finished
        error = self.updater.end()
        if error is not None:
            await self._report(link, error, finished=finished)
            return Ending.STAYS
        if self.board.strikes(Fault.REBOOT_WITHOUT_OK):
            await self._say(link, self._held)
            self.board.silence(link, midway=True)
        elif self.board.strikes(Fault.CLOSE_WITHOUT_OK):
            await self._say(link, self._held)
            self.close(link)
        else:
            await self.say_ok(link)
        return Ending.STAYS if self.board.strikes(Fault.NO_RESTART) else Ending.RESTARTS

    async def _report(self, link: Link, error: UpdateError, *, finished: bool) -> None:
        """Print the error to the connection, which may be dead already, and close."""
        if finished:
            details = {"code": error.code, "text": str(error), "reason": self.updater.reason}
            self.board.events.add(Seen.REJECTED, bytes=self.updater.filled, **details)
        else:
            self.board.events.add(Seen.ABORTED, bytes=self.updater.filled, reason=str(error))
        await self._say(link, self._held)
        for text in error.prints:
            if await self._say(link, text.encode()):
                await asyncio.sleep(_BETWEEN_PRINTS)
        self.close(link)

    async def _say(self, link: Link, data: bytes) -> bool:
        """Print to the connection; tell whether it could still take it."""
        return not data or await link.send(data)

    async def acknowledge(self, link: Link, count: int) -> None:
        """Send the decimal count of a write."""
        digits = str(count).encode()
        if self._duplicate_acks:
            await self._say(link, digits)
        if self._merge_ok and self.updater.finished and self.updater.error is None:
            self._held = digits
        else:
            await self._say(link, digits)

    async def send_ok(self, link: Link) -> None:
        """Send the final OK, in as many segments as the faults want."""
        if self.board.strikes(Fault.SPLIT_OK):
            await self._say(link, self._held + b"O")
            await asyncio.sleep(0.05)
            sent = await self._say(link, b"K")
        else:
            sent = await self._say(link, self._held + b"OK")
        if sent:
            self.board.events.add(Seen.OK_SENT)

    def close(self, link: Link) -> None:
        """Close the connection, once."""
        if not link.closed:
            self.board.events.add(Seen.CLOSED, unread=link.available)
            link.close()
