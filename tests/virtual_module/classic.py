"""OTA of 2015, before there was an ArduinoOTA library: the example `DNS_SD_Arduino_OTA`.

After libraries/ESP8266mDNS/examples/DNS_SD_Arduino_OTA of esp8266/Arduino: the first form of
2015-06-30 (dc9072b94) on `ESP.updateSketch()`, the second as of 2015-07-11 (1cd50e481) on the
Update library. Both read three numbers from any datagram that has a byte in it, whatever the
command says, and answer none; neither has a password nor an MD5, and only the first form looks
at the magic byte. `WiFiClient::connect` had no time limit but lwIP's.
"""

import asyncio
import re
from typing import Final, override

from .board import SECTOR, Board
from .esp8266 import Esp8266Transfer
from .events import Seen
from .faults import Fault
from .invitation import Invitation
from .link import ESTABLISHED, Link
from .listener import Ending, Listener

_CONNECT: Final = 20.0
"""Seconds of lwIP's own attempts: an estimate, not measured."""
_TIMEOUT: Final = 1.0
"""Seconds without a byte after which `Stream::readBytes` gives up."""
_MAGIC: Final = 0xE9


def read_numbers(data: bytes, source: tuple[str, int]) -> Invitation:
    """Return what `Stream::parseInt` finds: three numbers, 0 for each that is missing."""
    numbers = [int(text) for text in re.findall(rb"-?[0-9]+", data)[:3]]
    command, port, size = (*numbers, 0, 0, 0)[:3]
    return Invitation(
        command=command, host=source[0], port=port & 0xFFFF, size=size, md5="", reply_to=source
    )


class _Example(Listener):
    """Looks for a datagram in each loop, and does nothing else while it updates."""

    @override
    async def run(self) -> Ending:
        while True:
            data, source = await self._loop.sock_recvfrom(self._udp, 2048)
            await self._board.pause(self._board.config.loop_time)
            if not data:  # `parsePacket()` returns its length
                self._board.events.add(Seen.IGNORED, reason="empty")
                continue
            if self._is_busy():
                continue
            invitation = read_numbers(data, source)
            self._board.events.add(
                Seen.INVITED,
                command=invitation.command,
                port=invitation.port,
                size=invitation.size,
            )
            async with self._board.main_loop:
                ending = await self._update(invitation)
            if ending is not Ending.STAYS:
                return ending

    async def _update(self, invitation: Invitation) -> Ending:
        raise NotImplementedError


class _ExampleTransfer(Esp8266Transfer):
    """What both forms have in common: a sketch, unchecked, and a restart without a FIN."""

    connect_timeout = _CONNECT

    def __init__(self, board: Board, invitation: Invitation) -> None:
        """Take everything for a sketch."""
        super().__init__(board, invitation)
        self.updater.take_unchecked()

    def _restart(self, link: Link) -> Ending:
        """Let the connection hang: the stack that boots next knows nothing of it."""
        self.board.silence(link, midway=True)
        return Ending.RESTARTS


class ClassicTransfer(_ExampleTransfer):
    """The second form: counts, then `OK` CR LF or an error text."""

    @override
    async def receive(self, link: Link) -> bool:
        while not self.updater.finished:
            if link.available:
                written = await self._write_available(link)
                if written:
                    await self.acknowledge(link, written)
            elif link.state == ESTABLISHED:
                await link.wait_readable(None)
            else:
                # `while(!Update.isFinished())` asks for nothing else, and never ends.
                self.board.events.add(Seen.ABORTED, bytes=self.updater.filled, reason="hangs")
                link.close()
                await asyncio.get_running_loop().create_future()
        return True

    @override
    async def _end(self, link: Link) -> Ending:
        error = self.updater.end()
        if error is not None:
            await self._report(link, error, finished=True)
            return Ending.STAYS
        if self.board.strikes(Fault.CLOSE_WITHOUT_OK):
            self.close(link)
        elif not self.board.strikes(Fault.REBOOT_WITHOUT_OK):
            await self.send_ok(link)
            await link.send(b"\r\n")
            await link.until_acknowledged()
        return self._restart(link)


class ClassicListener(_Example):
    """Stops all UDP as soon as it is invited, and begins no second time before a restart."""

    @override
    async def _update(self, invitation: Invitation) -> Ending:
        self._udp.close()
        transfer = ClassicTransfer(self._board, invitation)
        error = transfer.updater.begin()
        if error is not None:
            self._board.events.add(Seen.BEGIN_FAILED, code=error.code, text=str(error))
        elif (ending := await transfer.run()) is not Ending.STAYS:
            return ending
        never: asyncio.Future[Ending] = self._loop.create_future()
        return await never


class FirstClassicTransfer(_ExampleTransfer):
    """The first form: blocks of 4 kB, and not a word."""

    @override
    async def receive(self, link: Link) -> bool:
        error = self.updater.begin()
        if error is not None:  # `size > getFreeSketchSpace()`, found once it is connected
            self.board.events.add(Seen.BEGIN_FAILED, code=error.code, text=str(error))
            return False
        while not self.updater.finished:
            if not await self._read_block(link) or not self._is_sketch():
                return False
            if not await self.updater.write_sector():
                return False
        return True

    async def _read_block(self, link: Link) -> bool:
        """Fill the buffer to a block; tell whether all of it came."""
        updater = self.updater
        wanted = min(SECTOR, updater.size - updater.written)
        while updater.buffered < wanted:
            if not link.available and link.state == ESTABLISHED:
                await link.wait_readable(self.board.limit(_TIMEOUT))
            if not link.available:
                return False
            updater.read(link, min(link.available, wanted - updater.buffered))
        return True

    def _is_sketch(self) -> bool:
        return bool(self.updater.written) or self.updater.first_byte == _MAGIC

    @override
    async def _end(self, link: Link) -> Ending:
        if self.updater.end() is not None:
            self.close(link)
            return Ending.STAYS
        return self._restart(link)


class FirstClassicListener(_Example):
    """Connects first, and listens again when that or the update failed."""

    @override
    async def _update(self, invitation: Invitation) -> Ending:
        return await FirstClassicTransfer(self._board, invitation).run()
