"""The hardware under the sketch: flash, clock, antenna, and the faults of all three."""

import asyncio
from dataclasses import dataclass
import hashlib
import socket

from .boot import after_restart, in_flash_mode
from .chips import Family
from .config import ModuleConfig
from .events import EventLog, Seen
from .faults import Fault, FaultPlan
from .images import build_image
from .inspect_image import BadImageError, is_gzip, read_marker
from .link import Link

SECTOR = 4096
_GARBAGE = b"\xff\x00\x13\x37 not ArduinoOTA \xfe"


def whole_sectors(size: int) -> int:
    """Round up to flash sectors."""
    return (size + SECTOR - 1) // SECTOR * SECTOR


@dataclass(frozen=True, slots=True)
class Staged:
    """A verified payload that waits for the restart."""

    payload: bytes
    address: int


class Board:
    """State that survives a restart, and what sketch code asks the hardware for."""

    def __init__(self, config: ModuleConfig) -> None:
        """Flash the configured image."""
        self.config = config
        self.faults = FaultPlan(config.faults)
        self.events = EventLog()
        self.image = config.image or build_image(config.chip)
        """The sketch in flash, unpacked."""
        self.fs_image = config.fs_image
        self.other_image: bytes | None = None
        """ESP32: the sketch in the slot that does not run."""
        self.switches_slot = False
        """ESP32: whether the next restart runs what is in the other slot."""
        self.staged: Staged | None = None
        self.bricked = False
        """Whether what is in flash cannot run, so that only a cable would help."""
        self.reported_version: str | None = None
        """What the sketch says against better knowledge, see WRONG_VERSION_BACK."""
        self.crashes = False
        """Whether the running sketch does not run for long, see CRASHES."""
        self.payload_bytes = 0
        """Bytes taken in during the newest transfer."""
        self.last_link: Link | None = None
        self.asked: list[bytes] = []
        """All requests for an update, as they went over the wire."""
        self.updater_runs = False
        """Whether an update was begun and never ended, so that no other can begin."""
        self.main_loop = asyncio.Lock()
        """The sketch's loop does one thing at a time: serve a push, or poll."""
        self._silenced: list[Link] = []
        self._cut_off: list[Link] = []
        self._late: set[asyncio.TimerHandle] = set()

    @property
    def slot_size(self) -> int:
        """Room for sketches."""
        given = self.config.slot_size
        return self.config.facts.slot_size if given is None else given

    @property
    def fs_size(self) -> int:
        """Room for files."""
        given = self.config.fs_size
        return self.config.facts.fs_size if given is None else given

    @property
    def version(self) -> str | None:
        """The version the running sketch reports."""
        if self.reported_version is not None:
            return self.reported_version
        found = read_marker(self.image)
        return found[1] if found else None

    @property
    def firmware_name(self) -> str | None:
        """The firmware the running sketch says it is."""
        found = read_marker(self.image)
        return found[0] if found else None

    @property
    def md5(self) -> str:
        """MD5 of the running image."""
        return hashlib.md5(self.image).hexdigest()

    @property
    def fs_md5(self) -> str | None:
        """MD5 of the filesystem; None where there never was one."""
        return hashlib.md5(self.fs_image).hexdigest() if self.fs_image else None

    async def pause(self, seconds: float) -> None:
        """Let the module take its time."""
        await asyncio.sleep(seconds * self.config.time_scale)

    async def tick(self) -> None:
        """Take the library's pause between two looks at the connection."""
        await asyncio.sleep(self.config.tick)

    def limit(self, seconds: float) -> float:
        """Return a limit that the host must keep to."""
        return seconds * self.config.limit_scale

    def strikes(self, fault: Fault) -> bool:
        """Tell whether a fault strikes now."""
        return self.faults.strikes(fault)

    def reply(self, udp: socket.socket, text: str, to: tuple[str, int], *, first: bool) -> None:
        """Answer a datagram; `first` answers an invitation, others an authentication."""
        lost = self.strikes(Fault.LOST_FIRST_REPLY if first else Fault.LOST_AUTH_REPLY)
        self.events.add(Seen.REPLIED, text=text, to=to[1], lost=lost)
        if lost:
            return
        data = text.encode()
        if first and self.strikes(Fault.GARBAGE_REPLY):
            data = _GARBAGE
        if not self.strikes(Fault.LATE_REPLY):
            udp.sendto(data, to)
            return

        def send_late() -> None:
            self._late.discard(handle)
            if udp.fileno() >= 0:
                udp.sendto(data, to)

        loop = asyncio.get_running_loop()
        handle = loop.call_later(self.config.late_reply_time, send_late)
        self._late.add(handle)

    def silence(self, link: Link, *, midway: bool = False) -> None:
        """Let a connection die without a segment; it is kept so that no FIN leaves.

        `midway`: the host goes on sending, were it to ask whether the connection lives, which the
        stack that boots next answers by a reset.
        """
        link.fall_silent()
        (self._cut_off if midway else self._silenced).append(link)

    def has_silenced(self, link: Link) -> bool:
        """Tell whether a connection died without a segment."""
        return link in self._silenced or link in self._cut_off

    def reset_unknown(self) -> None:
        """Do what a stack that has just booted does with segments of older connections."""
        for link in self._cut_off:
            link.reset()
        self._cut_off.clear()

    def boot(self) -> None:
        """Put a staged image in place. Raises `BadImageError` if nothing can run."""
        self.updater_runs = False
        if self.bricked:
            raise BadImageError("nothing to run")
        if self.switches_slot and self.other_image is not None:
            self.image, self.other_image = self.other_image, self.image
            self.switches_slot, self.reported_version = False, None
            self.crashes = False
            return
        staged, self.staged = self.staged, None
        if staged is None:
            return
        old_back = self.strikes(Fault.OLD_SKETCH_BACK)
        wrong = self.strikes(Fault.WRONG_VERSION_BACK)
        crashes = self.strikes(Fault.CRASHES)
        if old_back:
            return
        self.bricked = True
        image = after_restart(self.config.chip, self.image, staged.payload, staged.address)
        if self.config.family is Family.ESP8266 and image != self.image:
            # The Updater of cores from 2.4.2 on copies the mode of what runs, where it can.
            patched = self.config.core_version >= (2, 4, 2) and not is_gzip(staged.payload)
            if patched:
                image = image[:2] + self.image[2:3] + image[3:]
            image = in_flash_mode(image, self.config.flash_mode, patched=patched)
        if self.config.family is Family.ESP32:
            self.other_image = self.image
        self.image = image
        self.bricked = False
        self.reported_version = self.config.wrong_version if wrong else None
        self.crashes = crashes

    def close(self) -> None:
        """Give back what belongs to the operating system."""
        for handle in self._late:
            handle.cancel()
        self._late.clear()
        self.reset_unknown()
        for link in self._silenced:
            link.reset()
        self._silenced.clear()
