"""The Updater class of the cores: it counts, writes sectors and verifies at the end."""

import asyncio
import hashlib

from . import errors
from .board import SECTOR, Board, Staged, whole_sectors
from .chips import Family
from .config import Generation
from .errors import UpdateError, update_error
from .events import Seen
from .faults import Fault
from .inspect_image import BadImageError, is_gzip, verify
from .invitation import Invitation
from .link import Link

MIDWAY = (Fault.SILENT_DEATH, Fault.RESET, Fault.HANG_MIDWAY, Fault.REBOOT_MIDWAY)
"""Faults that end a transfer at `fault_at`, the first of them if several strike."""
_SLACK = 2 * SECTOR
"""Room for bytes beyond the announced size, which an ESP32 does read."""


class Struck(Exception):
    """A fault ends the transfer here."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class Updater:
    """One update, from its begin to its end."""

    def __init__(self, board: Board, invitation: Invitation) -> None:
        """Take the facts of the invitation; nothing is checked yet."""
        self._board = board
        self._config = board.config
        self.size = invitation.size
        self._sketch = invitation.command == 0
        self._checked = True
        self._expected_md5 = invitation.md5
        self._data = bytearray()
        self._view = memoryview(self._data)
        self._address = 0
        self.filled = 0
        """Bytes taken from the connection."""
        self.written = 0
        """Bytes in flash."""
        self.error: UpdateError | None = None
        self.reason = ""
        """What the module knows better than its error says."""
        self._midway = [fault for fault in MIDWAY if board.strikes(fault)]
        self._write_fails = board.strikes(Fault.FLASH_WRITE_ERROR)
        self._slow = board.strikes(Fault.SLOW_SECTOR)
        self._strike_at = int(self.size * self._config.fault_at)

    @property
    def finished(self) -> bool:
        """Whether the transfer loop may stop: all is written, or nothing more will be."""
        return self.error is not None or self.written == self.size

    @property
    def buffered(self) -> int:
        """Bytes read and not yet written."""
        return self.filled - self.written

    @property
    def first_byte(self) -> int:
        """The first byte of the payload, once there is one."""
        return self._data[0]

    def take_unchecked(self) -> None:
        """Take everything for a sketch, and none for a wrong one, as in 2015."""
        self._sketch, self._checked = True, False

    def begin(self) -> UpdateError | None:
        """Check what can be checked before the first byte."""
        code = self._obstacle()
        if code is not None:
            return update_error(self._config, code)
        self._data = bytearray(self.size + _SLACK)
        self._view = memoryview(self._data)
        self._board.payload_bytes = 0
        return None

    def _obstacle(self) -> int | None:  # noqa: PLR0911
        family = self._config.family
        if family is Family.ESP8266 and self._board.strikes(Fault.BOOT_STRAP):
            return errors.BOOT_STRAP
        if self.size == 0:
            return errors.SIZE
        if self._board.strikes(Fault.NOT_ENOUGH_SPACE):
            return errors.SIZE if family is Family.ESP32 else errors.SPACE
        # Sizes are unsigned in the module: a negative one is huge.
        size = self.size & 0xFFFFFFFF
        room = self._board.slot_size if self._sketch else self._board.fs_size
        match family:
            case Family.ESP32:
                if not room:
                    return errors.ESP32_NO_PARTITION
                return errors.SIZE if size > room else None
            case Family.PICO:
                if not self._board.fs_size:
                    return errors.PICO_NO_FILESYSTEM
                return errors.SPACE if size > room else None
            case Family.ESP8266:
                if not self._sketch:
                    return errors.SPACE if whole_sectors(size) > room else None
                # The new sketch is staged right below the filesystem.
                self._address = max(room - whole_sectors(size), 0)
                free_from = whole_sectors(len(self._board.image))
                return errors.SPACE if self._address < free_from else None

    def read(self, link: Link, count: int) -> int:
        """Take bytes from the connection into the sector buffer."""
        before = self.filled
        self.filled += link.read_into(self._view[before : before + count])
        self._board.payload_bytes = self.filled
        if not before and self.filled:
            self._board.events.add(Seen.FIRST_BYTE)
        if before < self.size <= self.filled:
            self._board.events.add(Seen.COMPLETE, bytes=self.size)
        if self._midway and self.filled >= self._strike_at:
            raise Struck(self._midway[0])
        return self.filled - before

    async def write_sector(self) -> bool:
        """Write what is buffered, at most a sector; tell whether the flash took it."""
        seconds = self._config.sector_time
        if self._slow:
            seconds += self._config.slow_sector_time
        if seconds:
            await asyncio.sleep(seconds)
        count = min(self.buffered, SECTOR)
        first = self._sketch and not self.written
        if self._config.family is Family.ESP32 and first and self._data[0] != 0xE9:
            return self._fail(errors.ESP32_MAGIC)
        if self._write_fails and self.written + count > self._strike_at:
            return self._fail(errors.WRITE)
        self.written += count
        if not self._sketch and self._config.family is not Family.PICO:
            self._write_in_place()
        return True

    def _write_in_place(self) -> None:
        """Overwrite the filesystem, which has no second slot."""
        old = self._board.fs_image
        self._board.fs_image = bytes(self._view[: self.written]) + old[self.written :]

    def _fail(self, code: int, found: str = "") -> bool:
        self.error = update_error(self._config, code, self._expected_md5, found)
        return False

    def overrun(self) -> None:
        """Fail as an ESP32 does that read more than still fits."""
        self._fail(errors.SPACE)

    def end(self) -> UpdateError | None:
        """Verify what was written and stage it; return why not."""
        if self.error is None:
            self._verify()
        if self.error is not None:
            return self.error
        payload = bytes(self._view[: self.size])
        if self._sketch:
            self._board.staged = Staged(payload, self._address)
        else:
            self._board.fs_image = payload
        self._board.events.add(
            Seen.INSTALLED, bytes=self.size, kind="sketch" if self._sketch else "filesystem"
        )
        return None

    def _verify(self) -> None:
        esp32 = self._config.family is Family.ESP32
        if not self.finished:
            self._fail(self._premature())
            return
        if not self._checked:
            return
        if self._board.strikes(Fault.SIGNATURE_REQUIRED):
            self._fail(errors.ESP32_SIGNATURE if esp32 else errors.SIGNATURE)
            return
        payload = self._view[: self.size]
        found = hashlib.md5(payload).hexdigest()
        if self._board.strikes(Fault.WRONG_MD5):
            found = hashlib.md5(found.encode()).hexdigest()
        expected = self._expected_md5
        if not (esp32 and self._config.generation is Generation.LEGACY):
            expected = expected.lower()  # the oldest ESP32 cores mind the case
        if found != expected:
            self._fail(errors.MD5, found)
        elif self._sketch:
            self._verify_sketch(bytes(payload))

    def _verify_sketch(self, payload: bytes) -> None:
        match self._config.family:
            case Family.ESP8266:
                gzip = is_gzip(payload) and self._config.core_version >= (2, 7)
                if payload[0] != 0xE9 and not gzip:
                    self._fail(errors.MAGIC)
            case Family.ESP32:
                try:
                    verify(payload, self._config.chip)
                except BadImageError as error:
                    self.reason = str(error)
                    self._fail(errors.ESP32_ACTIVATE)
            case Family.PICO:
                pass  # takes any file with the right MD5

    def _premature(self) -> int:
        """Return the error of an update that the host left unfinished."""
        if self._config.family is Family.ESP32:
            return errors.ESP32_ABORTED
        core = self._config.core_version if self._config.family is Family.ESP8266 else (3, 1)
        if not self.written and core >= (3, 0):
            return errors.NO_DATA
        return errors.NO_ERROR
