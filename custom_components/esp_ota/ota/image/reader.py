"""Read the facts of an image from its bytes, and refuse what has no business on a module.

No length in a file is trusted; any bytes give facts or an `ImageError`. Memory and time are
bounded by the size of the largest flash, whatever a file promises.
"""

import hashlib
import re
from typing import Final

from ..causes import Cause
from ..exceptions import ImageError
from ..models import Image, ImageKind, Marker, Slot
from ._content import Content
from ._esp32 import ARDUINO_SIGNATURE, read_esp32
from ._esp8266 import read_esp8266
from ._espressif import MAGIC, EspHeader
from ._filesystem import filesystem_of
from ._foreign import is_encrypted, refuse_foreign
from ._gzip import GZIP, unpack
from ._littlefs import is_named
from ._partitions import filesystem_area_of, find_table, is_merged, slots_of
from ._parts import refuse_part
from ._rp2 import read_rp2
from ._sums import Data, has_only_blank_behind, md5_of
from ._trailer import AppendedSignature, trailer_at

__all__ = [
    "MAX_FILE_SIZE",
    "AppendedSignature",
    "appended_signature",
    "read_filesystem_area",
    "read_image",
    "read_slots",
    "read_staged_from",
]

MAX_FILE_SIZE: Final = 32 * 1024 * 1024
"""No supported module has more flash, so nothing larger can be an image for one."""

_SECTOR: Final = 4096
_MARKER: Final = re.compile(rb"ESP_OTA_FW:([A-Za-z0-9][\w.+-]{0,63}):([\w][\w.+-]{0,63});")


def read_image(data: bytes, kind: ImageKind | None = None) -> Image:
    """Return the facts of one image.

    `kind` is what somebody said it is: it rules out the other kind, and lets a SPIFFS pass that
    carries no mark. Raises ImageError with the cause when no module can take the bytes.
    """
    if not data:
        raise ImageError(Cause.EMPTY_FILE)
    if len(data) > MAX_FILE_SIZE:
        raise ImageError(Cause.OVERSIZED_FILE, size=len(data), limit=MAX_FILE_SIZE)
    packed = _is_packed(data)
    unpacked = unpack(data, MAX_FILE_SIZE) if packed else None
    plain = unpacked.plain if unpacked else data
    content = _recognise(plain, kind)
    files = content.filesystem
    found = ImageKind.SKETCH if files is None else ImageKind.FILESYSTEM
    if kind not in {None, found}:
        is_sketch = found is ImageKind.SKETCH
        raise ImageError(Cause.SKETCH_IMAGE if is_sketch else Cause.FILESYSTEM_IMAGE)
    md5 = md5_of(data)
    whole = not packed and content.end == len(data)
    return Image(
        kind=found,
        chip=content.chip,
        size=len(data),
        md5=md5,
        sha256=hashlib.sha256(data).hexdigest(),
        packed=packed,
        plain_size=len(plain),
        plain_md5=md5 if whole else md5_of(memoryview(plain)[: content.end]),
        flash_size=content.flash_size,
        flash_mode=content.flash_mode,
        min_revision=content.min_revision,
        max_revision=content.max_revision,
        descriptor=content.descriptor,
        filesystem=files.kind if files else None,
        filesystem_size=files.size if files else None,
        filesystem_version=files.version if files else None,
        filesystem_block=files.block if files else None,
        filesystem_longest_name=files.longest_name if files else None,
        staged_from=unpacked.staged_from if unpacked else None,
        signed=unpacked.signed if unpacked else content.signed,
        marker=_find_marker(plain) if found is ImageKind.SKETCH else None,
    )


def read_staged_from(packed: bytes) -> int:
    """Return `Image.staged_from` of what is packed; raises ImageError for what is not."""
    return unpack(packed, MAX_FILE_SIZE).staged_from


def read_marker(data: bytes) -> Marker | None:
    """Return the marker in any bytes; raises ImageError when they cannot even be unpacked."""
    return _find_marker(_plain(data))


def read_slots(data: bytes) -> tuple[Slot, ...]:
    """Return the places for sketches that a merged image, or a lone partition table, names.

    Raises ImageError when the bytes cannot even be unpacked.
    """
    return slots_of(find_table(_plain(data)))


def read_filesystem_area(data: bytes) -> int | None:
    """Return the bytes for files in the same partition table; None where it has not one place.

    Raises ImageError when the bytes cannot even be unpacked.
    """
    return filesystem_area_of(find_table(_plain(data)))


def _is_packed(data: bytes) -> bool:
    return data.startswith(GZIP) and not is_named(data)


def _plain(data: bytes) -> Data:
    if len(data) > MAX_FILE_SIZE:
        raise ImageError(Cause.OVERSIZED_FILE, size=len(data), limit=MAX_FILE_SIZE)
    return unpack(data, MAX_FILE_SIZE).plain if _is_packed(data) else data


def appended_signature(data: bytes) -> AppendedSignature | None:
    """Return the signature that follows an image, None where there is none."""
    if (at := trailer_at(data)) is not None:
        return AppendedSignature(at, data[at:-4], padded=False)
    at = len(data) - ARDUINO_SIGNATURE
    try:
        content = _recognise(data, None)
    except ImageError:
        return None
    if content.signed and content.end == at:
        return AppendedSignature(at, data[at:], padded=True)
    return None


def _find_marker(plain: Data) -> Marker | None:
    """Return the first marker, which a sketch states with one `const char[]`."""
    if found := _MARKER.search(plain):
        return Marker(name=found[1].decode("ascii", "replace"), version=found[2].decode())
    return None


def _recognise(plain: Data, kind: ImageKind | None) -> Content:
    """Find out what the unpacked bytes are; raises ImageError for what no module takes."""
    if not is_named(plain):
        refuse_foreign(plain)
    if is_merged(plain):
        raise ImageError(Cause.MERGED_IMAGE)
    refuse_part(plain)
    filesystem = filesystem_of(plain, stated=kind is ImageKind.FILESYSTEM)
    if filesystem is not None:
        return Content(filesystem=filesystem, end=len(plain))
    if plain[0] == MAGIC:
        header = EspHeader.read(plain, 0)
        content = (read_esp8266 if header.is_esp8266 else read_esp32)(plain, header)
        if not content.signed and _has_more_behind(plain, content.end):
            raise ImageError(Cause.MERGED_IMAGE)
        return content
    if (pico := read_rp2(plain)) is not None:
        return pico
    raise ImageError(Cause.ENCRYPTED_IMAGE if is_encrypted(plain) else Cause.NOT_FIRMWARE)


def _has_more_behind(plain: Data, end: int) -> bool:
    """Whether files, or the rest of a whole flash, follow the sketch.

    Up to a sector is let pass: build tools pad, and some leave their own mark.
    """
    return len(plain) - end > _SECTOR and not has_only_blank_behind(plain, end)
