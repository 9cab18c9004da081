"""What a module finds in an image when it verifies it or boots from it."""

import hashlib
import re
import struct
import zlib

from .checksums import crc32_msb_first, xor_checksum
from .chips import CHIPS, Chip, Family

_MARKER = re.compile(rb"ESP_OTA_FW:([\x21-\x39\x3c-\x7e]{1,64}):([\x21-\x3a\x3c-\x7e]{1,64});")
_SECTOR = 4096
_MAX_SEGMENTS = 16
_ESP8266_MAP = range(0x40200000, 0x40300000)
"""Where the ESP8266 sees its first megabyte of flash: code must end within it."""


class BadImageError(Exception):
    """The image cannot run on this chip."""


def read_marker(image: bytes) -> tuple[str, str] | None:
    """Return (name, version) from the `ESP_OTA_FW` text, if there is one."""
    found = _MARKER.search(image)
    return (found[1].decode(), found[2].decode()) if found else None


def is_gzip(image: bytes) -> bool:
    """Tell whether the image starts like gzip."""
    return image[:2] == b"\x1f\x8b"


def gunzip(image: bytes) -> bytes:
    """Unpack as a boot stage does: one member, the last four bytes name the size."""
    unpacker = zlib.decompressobj(31)
    try:
        plain = unpacker.decompress(image)
    except zlib.error as error:
        raise BadImageError(f"gzip: {error}") from error
    if not unpacker.eof:
        raise BadImageError("gzip: truncated")
    if int.from_bytes(image[-4:], "little") != len(plain):
        raise BadImageError("gzip: the last four bytes are not the unpacked size")
    return plain


def sketch_size(image: bytes, chip: Chip) -> int:
    """Return where the sketch ends, as the chip finds it: a signature behind it counts not."""
    family = CHIPS[chip].family
    try:
        if family is Family.ESP8266 and len(image) > _SECTOR + 8:
            return _segments_end(image, _SECTOR + 8, image[_SECTOR + 1])[0]
        if family is Family.ESP32 and len(image) > 24:
            return _segments_end(image, 24, image[1])[0] + 32 * (image[23] == 1)
    except BadImageError:
        pass
    return len(image)


def verify(image: bytes, chip: Chip) -> None:
    """Raise `BadImageError` unless the chip could boot this plain image."""
    match CHIPS[chip].family:
        case Family.ESP8266:
            _verify_esp8266(image)
        case Family.ESP32:
            _verify_esp32(image, CHIPS[chip].image_id)
        case Family.PICO:
            _verify_rp2040(image)


def _refuse(reason: str) -> None:
    raise BadImageError(reason)


def _segments_end(image: bytes, at: int, count: int) -> tuple[int, list[tuple[int, int, int]], int]:
    """Walk segments; return (offset behind the checksum, segments, the checksum they need)."""
    if not 1 <= count <= _MAX_SEGMENTS:
        _refuse(f"{count} segments")
    segments = []
    checksum = 0xEF
    for _ in range(count):
        if at + 8 > len(image):
            _refuse("truncated in a segment head")
        address, size = struct.unpack_from("<II", image, at)
        at += 8
        if at + size > len(image):
            _refuse("truncated in a segment")
        segments.append((address, at, size))
        checksum = xor_checksum(image[at : at + size], checksum)
        at += size
    end = (at | 15) + 1
    if end > len(image):
        _refuse("truncated before the checksum")
    return end, segments, checksum


def _verify_esp8266(image: bytes) -> None:
    if len(image) < _SECTOR + 32:
        _refuse("shorter than eboot and a header")
    if image[0] != 0xE9 or image[_SECTOR] != 0xE9:
        _refuse("no header at 0 or at 0x1000")
    end, _, checksum = _segments_end(image, 8, image[1])
    if end > _SECTOR or image[end - 1] != checksum:
        _refuse("eboot checksum")
    end, segments, checksum = _segments_end(image, _SECTOR + 8, image[_SECTOR + 1])
    # Length and CRC were zero when the checksum was made; they are put in afterwards.
    if image[end - 1] != xor_checksum(image[_SECTOR + 16 : _SECTOR + 24], checksum):
        _refuse("application checksum")
    address, _, size = segments[0]
    if address not in _ESP8266_MAP or address + size > _ESP8266_MAP.stop:
        _refuse("the first segment is not code within the flash map")
    length, crc = struct.unpack_from("<II", image, _SECTOR + 16)
    if length:
        if length > len(image):
            _refuse("truncated: shorter than its length word")
        if crc32_msb_first(image[: _SECTOR + 16] + bytes(8) + image[_SECTOR + 24 : length]) != crc:
            _refuse("CRC")


def _verify_esp32(image: bytes, image_id: int) -> None:
    """Check what ESP-IDF checks before it makes a partition the one to boot."""
    if len(image) < 24 or image[0] != 0xE9:
        _refuse("no header")
    found_id = int.from_bytes(image[12:14], "little")
    if found_id != image_id:
        _refuse(f"chip id {found_id}, not {image_id}")
    end, segments, checksum = _segments_end(image, 24, image[1])
    if image[end - 1] != checksum:
        _refuse("checksum")
    if image[23] == 1 and image[end : end + 32] != hashlib.sha256(image[:end]).digest():
        _refuse("SHA-256")
    # Bootloaders are whole images too, but carry no application description.
    first = segments[0][1]
    if image[first : first + 4] != b"\x32\x54\xcd\xab":
        _refuse("no application descriptor")


def _verify_rp2040(image: bytes) -> None:
    if len(image) < 256 + 192:
        _refuse("shorter than boot stage and vectors")
    if struct.unpack_from("<I", image, 252)[0] != crc32_msb_first(image[:252]):
        _refuse("boot stage CRC")
    stack, entry = struct.unpack_from("<II", image, 256)
    if not 0x20000000 <= stack <= 0x20082000 or not 0x10000000 <= entry < 0x20000000:
        _refuse("vector table")
