"""ArduinoOTA of the ESP8266 core, which the Pico's is a copy of.

After libraries/ArduinoOTA/ArduinoOTA.cpp and, for the end of a connection,
libraries/ESP8266WiFi/src/include/ClientContext.h.
"""

import asyncio
import socket
from typing import override

from .board import SECTOR, Board
from .chips import Family
from .events import Seen
from .invitation import Invitation
from .link import CLOSE_WAIT, ESTABLISHED, Link
from .listener import Ending, Listener, State
from .transfer import Transfer

_PATIENCE = 1.0
"""Seconds after which the library looks whether the connection still lives."""


class Esp8266Transfer(Transfer):
    """Reads whatever is there, acknowledges per drained queue, waits for ever."""

    connect_timeout = 5.0

    def __init__(self, board: Board, invitation: Invitation) -> None:
        """Behave as the core's version did."""
        super().__init__(board, invitation)
        config = board.config
        self._core = config.core_version if config.family is Family.ESP8266 else (3, 1)
        self.nodelay = self._core >= (2, 5)
        self._outlives_fin = False

    @override
    async def _say(self, link: Link, data: bytes) -> bool:
        """Print nothing once the host has closed: `ClientContext::state()` then says CLOSED."""
        return link.state == ESTABLISHED and await super()._say(link, data)

    def _connected(self, link: Link) -> bool:
        """Tell whether the connection lives; a FIN that meets an empty queue kills it."""
        state, available = link.state, link.available
        if state == CLOSE_WAIT and not self._outlives_fin:
            if not available:
                link.reset()
                return False
            self._outlives_fin = True
        return state == ESTABLISHED or available > 0

    @override
    async def receive(self, link: Link) -> bool:
        while not self.updater.finished and self._connected(link):
            await self._wait(link)
            written = await self._write_available(link)
            if written:
                await self.acknowledge(link, written)
        return True

    async def _wait(self, link: Link) -> None:
        """Wait for data, or until the library looks at the connection again."""
        if not link.available:
            await self.board.tick()
        if link.available:
            return
        loop = asyncio.get_running_loop()
        again = loop.time() + self.board.limit(_PATIENCE)
        await link.wait_readable(again - loop.time())
        if not link.available and not self._connected(link):
            # lwIP aborts at once, but the library notices at its next look only.
            await asyncio.sleep(max(0.0, again - loop.time()))

    async def _write_available(self, link: Link) -> int:
        """Feed the Updater until the queue is empty; return what it took."""
        updater = self.updater
        written = 0
        while available := link.available:
            self._connected(link)  # a FIN that comes along with data is outlived
            available = min(available, updater.size - updater.filled)
            if updater.buffered + available > SECTOR:
                count = updater.read(link, SECTOR - updater.buffered)
                if not await updater.write_sector():
                    return written
                written += count
            else:
                written += updater.read(link, available)
                if updater.filled == updater.size and not await updater.write_sector():
                    return written
            if updater.finished:
                return written
            self._connected(link)
            await self.board.tick()
        return written

    @override
    async def say_ok(self, link: Link) -> None:
        if self._core >= (2, 7):
            await self.board.pause(1.0)
        if self._connected(link):
            await self.send_ok(link)
        await self.board.pause(1.0 if self._core >= (2, 6) else 0.01)
        self.close(link)


class Esp8266Listener(Listener):
    """Answers datagrams as they come and updates from the sketch's main loop."""

    def __init__(self, board: Board, udp: socket.socket) -> None:
        """Wait for the first granted invitation."""
        super().__init__(board, udp)
        config = board.config
        self._hasty = config.family is Family.ESP8266 and config.core_version < (2, 4)
        self._work: asyncio.Future[Invitation] = self._loop.create_future()

    @override
    async def run(self) -> Ending:
        self._loop.add_reader(self._udp, self._on_readable)
        try:
            while True:
                invitation = await self._work
                await self._board.pause(self._board.config.loop_time)
                async with self._board.main_loop:
                    ending = await self._update(invitation)
                self._state = State.IDLE
                self._work = self._loop.create_future()
                if ending is not Ending.STAYS:
                    return ending
        finally:
            self._loop.remove_reader(self._udp)

    def _on_readable(self) -> None:
        """Handle one datagram; an error goes to the task, which ends the module with it."""
        try:
            data, source = self._udp.recvfrom(2048)
        except BlockingIOError, ConnectionRefusedError:
            return
        try:
            self._on_datagram(data, source)
        except Exception as error:  # noqa: BLE001
            if not self._work.done():
                self._work.set_exception(error)

    def _on_datagram(self, data: bytes, source: tuple[str, int]) -> None:
        if self._is_busy():
            return
        match self._state:
            case State.IDLE:
                self._on_invitation(data, source)
            case State.WAITAUTH:
                self._on_response(data, source)
            case State.RUNUPDATE:
                self._board.events.add(Seen.IGNORED, reason="update runs")

    @override
    def _auth_reply_to(self, invitation: Invitation, source: tuple[str, int]) -> tuple[str, int]:
        return invitation.reply_to

    @override
    def _granted(self, invitation: Invitation, source: tuple[str, int]) -> None:
        self._state = State.RUNUPDATE
        if self._hasty:
            self._reply(invitation, "OK")
        self._work.set_result(invitation)

    def _reply(self, invitation: Invitation, text: str) -> None:
        first = not self._board.config.locked
        self._board.reply(self._udp, text, invitation.reply_to, first=first)

    async def _update(self, invitation: Invitation) -> Ending:
        transfer = Esp8266Transfer(self._board, invitation)
        error = transfer.updater.begin()
        if error is not None:
            self._board.events.add(Seen.BEGIN_FAILED, code=error.code, text=str(error))
            if not self._hasty:
                self._reply(invitation, f"ERR: {error.printed}")
                await self._board.pause(0.1)
            return Ending.STAYS
        if not self._hasty:
            self._reply(invitation, "OK")
            await self._board.pause(0.1)
        ending = await transfer.run()
        if ending is Ending.RESTARTS:
            await self._board.pause(0.1)
        return ending
