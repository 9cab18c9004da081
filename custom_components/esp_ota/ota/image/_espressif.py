"""The header and the segments that images of all Espressif chips are made of."""

from dataclasses import dataclass
import struct
from typing import Final

from ..details import Detail
from ..models import FlashMode
from ._content import corrupt, truncated
from ._sums import Data, xor_of

MAGIC: Final = 0xE9
DESCRIPTION_AT: Final = 32
DESCRIPTION: Final = b"\x32\x54\xcd\xab"
"""What the first segment of every ESP32 app begins with."""
_FLASH_MODES: Final = (FlashMode.QIO, FlashMode.QOUT, FlashMode.DIO, FlashMode.DOUT)
_MAX_SEGMENTS: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class EspHeader:
    """The eight bytes every Espressif image begins with."""

    segments: int
    flash_mode: FlashMode | None
    flash_size_code: int
    entry: int

    @classmethod
    def read(cls, data: Data, at: int) -> EspHeader:
        """Read what follows the magic byte; raises ImageError where the file ends."""
        if len(data) < at + 8:
            raise truncated(Detail.HEADER_CUT)
        segments, mode, size_and_speed, entry = struct.unpack_from("<xBBBI", data, at)
        return cls(
            segments=segments,
            flash_mode=_FLASH_MODES[mode] if mode < len(_FLASH_MODES) else None,
            flash_size_code=size_and_speed >> 4,
            entry=entry,
        )

    @property
    def is_esp8266(self) -> bool:
        """The entry point lies in the ESP8266's instruction RAM, where no ESP32 has any."""
        return self.entry >> 16 == 0x4010


@dataclass(frozen=True, slots=True)
class Segments:
    """What a walk along the segments of an image saw."""

    end: int
    """Where the last one ends."""
    xor: int
    """XOR of their bytes, begun as the checksum is."""
    places: tuple[int, ...]
    """Addresses that they are for; 0 is for padding."""


def walk(data: Data, header: EspHeader, first: int, limit: int) -> Segments:
    """Walk the segments from `first`; raises ImageError where they reach behind `limit`."""
    if not 1 <= header.segments <= _MAX_SEGMENTS:
        raise corrupt(Detail.SEGMENTS, segments=header.segments)
    at, xor, places = first, 0xEF, list[int]()
    for _ in range(header.segments):
        if at + 8 > limit:
            raise truncated(Detail.SEGMENT_MISSING)
        place, length = struct.unpack_from("<II", data, at)
        at += 8
        if at + length > limit:
            raise truncated(Detail.SEGMENT_CUT)
        xor ^= xor_of(data, at, at + length)
        at += length
        places.append(place)
    return Segments(at, xor, tuple(places))


def checksum_of(data: Data, segments_end: int) -> tuple[int, int]:
    """Return where the checksum is, last in the 16-byte block behind the segments, and it."""
    at = segments_end | 15
    if at >= len(data):
        raise truncated(Detail.CHECKSUM_MISSING)
    return at, data[at]
