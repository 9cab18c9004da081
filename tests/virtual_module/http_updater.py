"""The Updater as web pages use it: begun with all the room there is, ended where the file ends."""

import hashlib

from .board import SECTOR, Board, Staged
from .chips import Family
from .errors import UpdateError
from .events import Seen
from .invitation import Invitation
from .updater import Struck, Updater


def room_for(board: Board, *, sketch: bool) -> int:
    """Return the size that a page begins its update with."""
    if not sketch:
        return board.fs_size
    if board.config.family is not Family.ESP8266:
        return board.slot_size
    free = board.slot_size - (len(board.image) + SECTOR - 1) // SECTOR * SECTOR
    return (free - SECTOR) // SECTOR * SECTOR


class PageUpdater(Updater):
    """One update that does not know beforehand how long its file is."""

    def __init__(
        self, board: Board, *, sketch: bool, request_size: int, size: int | None = None
    ) -> None:
        """Prepare; faults strike at their share of the request. `size` is for those who know."""
        if size is None:
            size = room_for(board, sketch=sketch)
        command = 0 if sketch else 100
        invitation = Invitation(
            command=command, host="", port=0, size=size, md5="", reply_to=("", 0)
        )
        super().__init__(board, invitation)
        self._strike_at = int(request_size * board.config.fault_at)
        self.expected_md5: str | None = None
        """None: nobody checks. That is the rule."""
        self.is_torn = False
        """ESP8266: whether the end could not be written, and all is staged in spite of it."""

    def refuse(self) -> UpdateError | None:
        """Begin; keep the error, as the class does, for whoever asks later."""
        self.error = self.begin()
        if self.error is not None:
            details = {"code": self.error.code, "text": str(self.error)}
            self._board.events.add(Seen.BEGIN_FAILED, **details)
        return self.error

    async def take(self, data: bytes) -> bool:
        """Write bytes of the file; tell whether all were taken."""
        if self.error is not None:
            return False
        if self.filled + len(data) > self.size:
            self.overrun()
            return False
        if not self.filled and data:
            self._board.events.add(Seen.FIRST_BYTE)
        self._view[self.filled : self.filled + len(data)] = data
        self.filled += len(data)
        self._board.payload_bytes = self.filled
        if self._midway and self.filled >= self._strike_at:
            raise Struck(self._midway[0])
        while self.buffered >= SECTOR:
            if not await self.write_sector():
                return False
        return True

    async def finish(self, *, accept_shorter: bool = True) -> UpdateError | None:
        """Write the rest, verify and stage; return why not."""
        while self.error is None and self.buffered:
            if not await self.write_sector() and self._config.family is Family.ESP8266:
                # `end(true)` does not ask whether its `_writeBuffer()` failed (Updater.cpp).
                self.is_torn = True
                self._stage_torn()
        if self.error is None and accept_shorter and self.written:
            self.size = self.written
        found = hashlib.md5(self._view[: self.size]).hexdigest()
        self._expected_md5 = self.expected_md5 or found
        error = self.end()
        if error is None:
            self._board.events.add(Seen.COMPLETE, bytes=self.size)
        else:
            details = {"code": error.code, "text": str(error), "reason": self.reason}
            self._board.events.add(Seen.REJECTED, bytes=self.filled, **details)
        return error

    def _stage_torn(self) -> None:
        """Tell eboot to copy what was written, and whatever stands behind it in flash."""
        if self._sketch:
            self._board.staged = Staged(bytes(self._view[: self.written]), self._address)

    def restart_on(self, more: int) -> None:
        """Go on with the bytes of another request, as an update does that was broken off."""
        self._strike_at = self.filled + int(more * self._config.fault_at)
        if self.filled:
            self._midway = [one for one in self._midway if self._board.strikes(one)]
