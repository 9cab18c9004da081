"""One call of `update()`, `updateFS()` or `getAvailableVersion()` (`handleUpdate()` of the cores).

After ESP8266httpUpdate.cpp, HTTPUpdate.cpp of the ESP32 core and of arduino-pico. What is done
with the body is in `pull_body.py`.
"""

import asyncio
from contextlib import suppress
import re

from . import pull_errors as codes
from .board import Board
from .chips import Family
from .events import Seen
from .faults import Fault
from .link import ESTABLISHED, Link
from .listener import Ending
from .pull_answer import CLIENT_TIME, Answer, read_answer
from .pull_body import PullUpdater, receive
from .pull_config import PullConfig, PullMode
from .pull_errors import PullError, pull_error, updater_error
from .pull_proxy import way_to
from .pull_request import free_space, request_text
from .strike import strike
from .updater import Struck

_KIB = 1024
_FLASH_SIZES = {0: 512, 1: 256, 2: 1024, 3: 2048, 4: 4096, 8: 8192, 9: 16384}
"""KiB by the nibble in an ESP8266's header; others count as none."""
_MD5_DIGITS = 32
_SHA256_TEXT = re.compile("[0-9A-Fa-f]{64}")
_LOOK = 4
"""Bytes of the body that an ESP8266 waits for before it decides."""


class PullClient:
    """The update client of a core, for one call."""

    def __init__(self, board: Board, pull: PullConfig, mode: PullMode) -> None:
        """Prepare one call."""
        self._board = board
        self._config = board.config
        self._pull = pull
        self._mode = mode
        self.failed = False
        """`HTTP_UPDATE_FAILED`"""

    async def run(self) -> Ending:
        """Ask, and do as the answer says."""
        board = self._board
        board.events.add(Seen.POLLING, mode=self._mode.value, version=board.version)
        try:
            chunking = board.strikes(Fault.CHUNKING_PROXY)
            async with way_to(self._pull.address, chunking=chunking) as address:
                return await self._call(address)
        except PullError as error:
            self.failed = True
            details = {"code": error.code, "text": error.text, "reason": error.reason}
            board.events.add(Seen.PULL_FAILED, **details)
            return Ending.STAYS

    async def _call(self, address: tuple[str, int]) -> Ending:
        link = await self._connect(address)
        try:
            request = request_text(self._board, self._pull, self._mode)
            self._board.asked.append(request)
            await link.send(request)
            answer = await read_answer(link, self._board)
            self._board.events.add(
                Seen.ANSWERED, status=answer.status, size=answer.size, md5=answer.md5
            )
            return await self._act(link, answer)
        except Struck as struck:
            return await strike(self._board, link, struck.fault)
        except PullError:
            self._end(link)
            raise
        except BaseException:
            link.reset()  # switched off, or broken
            raise

    async def _connect(self, address: tuple[str, int]) -> Link:
        config = self._config
        try:
            link = await Link.open(
                address,
                source=config.host,
                mss=config.facts.mss if config.mss is None else config.mss,
                window=config.facts.window if config.window is None else config.window,
                timeout=self._board.limit(CLIENT_TIME),
                nodelay=config.family is not Family.ESP32,
            )
        except OSError as error:
            failed = pull_error(config, codes.CONNECTION_FAILED)
            failed.reason = type(error).__name__
            raise failed from None
        self._board.last_link = link
        return link

    async def _act(self, link: Link, answer: Answer) -> Ending:
        if answer.status == 200:
            if self._mode is PullMode.VERSION:
                return self._hear_version(link, answer)
            return await self._update(link, answer)
        if answer.status == 304 and self._mode is not PullMode.VERSION:
            self._board.events.add(Seen.NO_UPDATE)
            self._end(link)
            return Ending.STAYS
        match answer.status:
            case 404:
                code = codes.NOT_FOUND
            case 403:
                code = codes.FORBIDDEN
            case 401 if self._knows_401():
                code = codes.UNAUTHORIZED
            case _:
                code = codes.WRONG_CODE
        raise pull_error(self._config, code)

    def _knows_401(self) -> bool:
        family = self._config.family
        return family is Family.PICO or (
            family is Family.ESP8266 and self._config.core_version >= (3, 0)
        )

    def _hear_version(self, link: Link, answer: Answer) -> Ending:
        version = answer.headers.get("x-version")
        if not version:
            raise pull_error(self._config, codes.NO_VERSION)
        self._board.events.add(Seen.VERSION_TOLD, version=version)
        self._end(link)
        return Ending.STAYS

    async def _update(self, link: Link, answer: Answer) -> Ending:
        if answer.size <= 0:
            raise pull_error(self._config, codes.NO_SIZE)
        self._check_size(answer.size)
        await self._board.pause(0.1)
        await self._check_header(link)
        updater = self._begin(answer)
        if self._board.strikes(Fault.HANG_AFTER_ACCEPT):
            raise Struck(Fault.HANG_AFTER_ACCEPT)
        await receive(link, updater, self._board)
        self._finish(updater)
        if self._board.strikes(Fault.REBOOT_WITHOUT_OK):
            self._board.silence(link, midway=True)
        else:
            self._end(link)
        return self._ending()

    def _check_size(self, size: int) -> None:
        """Compare with the room there is, as each client does; a Pico's leaves it be."""
        family, sketch = self._config.family, self._mode is PullMode.SKETCH
        room = free_space(self._board) if sketch else self._board.fs_size
        if family is Family.ESP32 and not room:
            raise pull_error(self._config, codes.ESP32_NO_PARTITION)
        too_big = size > room and not (family is Family.PICO and sketch)
        if too_big or self._board.strikes(Fault.NOT_ENOUGH_SPACE):
            raise pull_error(self._config, codes.TOO_LITTLE_SPACE)

    async def _check_header(self, link: Link) -> None:
        """Look at the first bytes, which an ESP8266 waits for and an ESP32 does not."""
        family = self._config.family
        if self._mode is not PullMode.SKETCH or family is Family.PICO:
            return
        if family is Family.ESP8266:
            await self._wait_for(link, _LOOK)
        head = link.peek(_LOOK) if link.available else b""
        packed = family is Family.ESP8266 and self._config.core_version >= (2, 7)
        magic = (0xE9, 0x1F) if packed else (0xE9,)
        if not head or head[0] not in magic or (family is Family.ESP8266 and len(head) < _LOOK):
            raise pull_error(self._config, codes.BAD_HEADER)
        if family is Family.ESP8266 and head[0] == 0xE9:
            needed = _FLASH_SIZES.get(head[3] >> 4, 0) * _KIB
            if needed > self._pull.chip_size:
                raise pull_error(self._config, codes.WRONG_FLASH)

    async def _wait_for(self, link: Link, count: int) -> None:
        """Wait for some bytes, as long as the client does."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._board.limit(CLIENT_TIME)
        while link.available < count and (left := deadline - loop.time()) > 0:
            if link.available or link.state != ESTABLISHED:
                await asyncio.sleep(min(left, 0.01))
            else:
                await link.wait_readable(left)

    def _begin(self, answer: Answer) -> PullUpdater:
        """Begin the update. A bad digest leaves the Updater begun, so that no other can."""
        sha256 = answer.sha256 if self._pull.checks_sha256 else ""
        updater = PullUpdater(
            self._board,
            sketch=self._mode is PullMode.SKETCH,
            size=answer.size,
            md5=answer.md5,
            sha256=sha256,
        )
        if (error := updater.begin()) is not None:
            self._board.events.add(Seen.BEGIN_FAILED, code=error.code, text=str(error))
            raise updater_error(error)
        code = 0
        if answer.md5 and len(answer.md5) != _MD5_DIGITS:
            code = codes.FAULTY_MD5
        elif sha256 and not _SHA256_TEXT.fullmatch(sha256):
            code = codes.ESP32_FAULTY_SHA256
        if code:
            self._board.updater_runs = not self._pull.checks_sha256
            raise pull_error(self._config, code)
        return updater

    def _finish(self, updater: PullUpdater) -> None:
        complete = updater.filled == updater.size
        error = updater.end()
        if error is None:
            return
        if complete:
            details = {"code": error.code, "text": str(error), "reason": updater.reason}
            self._board.events.add(Seen.REJECTED, bytes=updater.filled, **details)
        else:
            self._board.events.add(Seen.ABORTED, bytes=updater.filled, reason=str(error))
        raise updater_error(error, updater.reason)

    def _ending(self) -> Ending:
        """Tell whether the client restarts the chip: after a sketch, unless told not to."""
        restarts = self._mode is PullMode.SKETCH
        if not restarts:
            old = self._config.family is Family.ESP8266 and self._config.core_version < (2, 4)
            asked = self._pull.restarts_after_filesystem
            restarts = old if asked is None else asked
        if not restarts or self._board.strikes(Fault.NO_RESTART):
            return Ending.STAYS
        return Ending.RESTARTS

    def _end(self, link: Link) -> None:
        """Throw away what is there and close; what comes later is answered with a reset."""
        with suppress(ConnectionError):
            link.read_into(memoryview(bytearray(link.available)))
        self._board.events.add(Seen.CLOSED, unread=link.available)
        link.close()
