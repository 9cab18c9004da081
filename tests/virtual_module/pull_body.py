"""How the update clients take an image in: `runUpdate()` and `Updater::writeStream()`."""

import asyncio
import hashlib
from typing import override

from . import errors
from .board import SECTOR, Board
from .chips import Family
from .errors import UpdateError, update_error
from .invitation import Invitation
from .link import ESTABLISHED, Link
from .pull_answer import CLIENT_TIME
from .updater import Updater

_SHA256 = 15
"""Number and text of the newest ESP32 error are guesses: its source could not be read."""


_TRY = CLIENT_TIME + 0.1
"""Seconds that a read without a byte takes, with the pause behind it; a dead connection too."""
_OLD_ESP8266_TRIES, _TRIES, _ESP32_TRIES = 2, 8, 300
"""Such reads until a client gives up. Cores from ESP8266 3.0 on count 60 s instead."""


def silence(board: Board) -> float:
    """Return after how many seconds without a byte the client gives up."""
    if board.config.family is Family.ESP32:
        return _ESP32_TRIES * _TRY
    if board.config.family is Family.ESP8266 and board.config.core_version < (3, 0):
        return _OLD_ESP8266_TRIES * _TRY
    return _TRIES * _TRY


class PullUpdater(Updater):
    """One update whose size and digests an answer's headers told."""

    def __init__(self, board: Board, *, sketch: bool, size: int, md5: str, sha256: str) -> None:
        """Prepare; without an MD5 nobody checks one."""
        command = 0 if sketch else board.config.fs_command
        super().__init__(
            board,
            Invitation(command=command, host="", port=0, size=size, md5=md5, reply_to=("", 0)),
        )
        self._expected_sha256 = sha256.lower()

    @override
    def begin(self) -> UpdateError | None:
        """Check what can be checked before the first byte."""
        config = self._config
        if self._board.updater_runs:
            tells = config.family is Family.ESP8266 and config.core_version >= (3, 1)
            return (
                update_error(config, errors.RUNNING) if tells else UpdateError(errors.NO_ERROR, ())
            )
        if config.family is Family.PICO and not self._board.fs_size:
            return update_error(config, errors.SPACE)
        return super().begin()

    def starve(self) -> None:
        """Fail for want of bytes."""
        self._fail(errors.STREAM)

    @override
    def _verify(self) -> None:
        payload = self._view[: self.size]
        if not self._expected_md5:
            self._expected_md5 = hashlib.md5(payload).hexdigest()
        super()._verify()
        wanted = self._expected_sha256
        if self.error is None and wanted and hashlib.sha256(payload).hexdigest() != wanted:
            self.error = UpdateError(_SHA256, ("SHA256 Check Failed", "\r\n"))


async def receive(link: Link, updater: PullUpdater, board: Board) -> None:
    """Take the body in, sector by sector; `updater.error` tells whether it failed."""
    while not updater.finished:
        # A read that got something returns it before the ones that get nothing are counted.
        seconds = silence(board) + (CLIENT_TIME if updater.buffered else 0)
        if not await _more(link, board.limit(seconds)):
            updater.starve()
            return
        room = min(SECTOR - updater.buffered, updater.size - updater.filled)
        updater.read(link, min(link.available, room))
        if updater.buffered == SECTOR or updater.filled == updater.size:
            await updater.write_sector()
            await asyncio.sleep(0)


async def _more(link: Link, seconds: float) -> bool:
    """Wait for bytes. Neither FIN nor RST ends the wait early: nobody looks."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not link.available:
        left = deadline - loop.time()
        if left <= 0:
            return False
        if link.state == ESTABLISHED:
            await link.wait_readable(left)
        else:
            await asyncio.sleep(left)
    return True
