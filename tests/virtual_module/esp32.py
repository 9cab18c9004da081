"""ArduinoOTA of the ESP32 core: everything happens in `handle()`.

After libraries/ArduinoOTA/src/ArduinoOTA.cpp of the 3.x cores with MD5. That of 3.3.1 and later
is known from its host tool only, and taken to differ in nothing but the challenge.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import replace
import socket
from typing import override

from .board import SECTOR, Board
from .events import Seen
from .invitation import Invitation
from .link import CLOSE_WAIT, ESTABLISHED, Link
from .listener import Ending, Listener, State
from .transfer import Transfer

_READ = 1460
_SILENCE = 1.0
"""Seconds without data, after which the library aborts or repeats its last ack."""
_AFTER_FIN = 1.3
"""Seconds of silence behind a FIN, after which it closes too: measured, with the re-ack failing."""
_REPEATS = 3
_MAILBOX = 6
"""Datagrams that lwIP keeps for a socket nobody reads (CONFIG_LWIP_UDP_RECVMBOX_SIZE)."""
_VERIFY_TIME = 0.5
"""Seconds ESP-IDF takes to verify one MiB: an estimate, not measured."""
_MIB = 1 << 20


class Esp32Transfer(Transfer):
    """Reads at most 1460 bytes at once and acknowledges each read."""

    connect_timeout = 3.0
    glues_ok = True  # Nagle stays on, and the OK is printed at once

    @override
    async def receive(self, link: Link) -> bool:
        acked = repeats = 0
        while not self.updater.finished and link.state in (ESTABLISHED, CLOSE_WAIT):
            if await self._wait(link):
                repeats = 0
                acked = await self._write(link)
                if acked:
                    await self.acknowledge(link, acked)
                continue
            if link.state == CLOSE_WAIT:
                await asyncio.sleep(self.board.limit(_AFTER_FIN - _SILENCE))
                return False
            if not acked or repeats == _REPEATS:
                return False
            repeats += 1
            if not await link.send(str(acked).encode()):
                break
            self.board.events.add(Seen.REACKED, count=acked)
        return True

    async def _wait(self, link: Link) -> bool:
        """Wait a second for data. Nothing else, no FIN and no RST, ends the wait early."""
        if not link.available:
            await self.board.tick()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.board.limit(_SILENCE)
        while not link.available:
            left = deadline - loop.time()
            if left <= 0:
                return False
            if link.state == ESTABLISHED:
                await link.wait_readable(left)
            else:
                await asyncio.sleep(left)
        return True

    async def _write(self, link: Link) -> int:
        """Feed the Updater one read; return what it says it took."""
        updater = self.updater
        room = updater.size - updater.written
        count = updater.read(link, min(link.available, _READ))
        taken = 0
        if count > room:
            updater.overrun()
            return 0
        if updater.buffered > SECTOR:
            await asyncio.sleep(0)
            if not await updater.write_sector():
                return 0
            taken = count - updater.buffered
        if updater.filled == updater.size and not await updater.write_sector():
            return taken
        return count

    @override
    async def say_ok(self, link: Link) -> None:
        await self.board.pause(_VERIFY_TIME * self.updater.size / _MIB)
        if link.state in (ESTABLISHED, CLOSE_WAIT):
            await self.send_ok(link)
        self.close(link)
        await self.board.pause(0.01)


class Esp32Listener(Listener):
    """Reads one datagram per loop, and none while it updates."""

    def __init__(self, board: Board, udp: socket.socket) -> None:
        """Start with an empty mailbox."""
        super().__init__(board, udp)
        self._mailbox: deque[tuple[bytes, tuple[str, int]]] = deque()

    @override
    async def run(self) -> Ending:
        while True:
            data, source = await self._next_datagram()
            async with self._board.main_loop:
                await self._board.pause(self._board.config.loop_time)
                await self._on_datagram(data, source)
                if self._state is not State.RUNUPDATE:
                    continue
                assert self._invitation is not None
                ending = await self._update(self._invitation)
            self._state = State.IDLE
            if ending is not Ending.STAYS:
                return ending
            self._fill_mailbox()

    async def _next_datagram(self) -> tuple[bytes, tuple[str, int]]:
        while not self._mailbox:
            with suppress(ConnectionRefusedError):
                self._mailbox.append(await self._loop.sock_recvfrom(self._udp, 2048))
        return self._mailbox.popleft()

    def _fill_mailbox(self) -> None:
        """Keep what came during the update, as far as the mailbox had room for it."""
        with suppress(BlockingIOError):
            while True:
                datagram = self._udp.recvfrom(2048)
                if len(self._mailbox) < _MAILBOX:
                    self._mailbox.append(datagram)

    async def _on_datagram(self, data: bytes, source: tuple[str, int]) -> None:
        if self._is_busy():
            return
        if not data:
            self._board.events.add(Seen.IGNORED, reason="empty")
        elif self._state is State.IDLE:
            self._on_invitation(data, source)
        else:
            if self._lock.strong:
                await self._board.pause(self._board.config.auth_time)
            self._on_response(data, source)

    @override
    def _auth_reply_to(self, invitation: Invitation, source: tuple[str, int]) -> tuple[str, int]:
        return source

    @override
    def _granted(self, invitation: Invitation, source: tuple[str, int]) -> None:
        self._invitation = replace(invitation, host=source[0])
        self._state = State.RUNUPDATE
        self._board.reply(self._udp, "OK", source, first=not self._board.config.locked)

    async def _update(self, invitation: Invitation) -> Ending:
        transfer = Esp32Transfer(self._board, invitation)
        error = transfer.updater.begin()
        if error is not None:
            self._board.events.add(Seen.BEGIN_FAILED, code=error.code, text=str(error))
            return Ending.STAYS
        ending = await transfer.run()
        if ending is Ending.RESTARTS:
            await self._board.pause(0.1)
        return ending
