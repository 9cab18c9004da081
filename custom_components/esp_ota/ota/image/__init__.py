"""Read the facts of an image from its bytes, and refuse what has no business on a module.

No length in a file is trusted; any bytes give facts or an `ImageError`. Memory and time are
bounded by the size of the largest flash, whatever a file promises.
"""

import hashlib
import re
from typing import Final

from ..exceptions import ImageError
from ..models import Cause, FilesystemType, Image, ImageKind, Marker
from ._content import Content
from ._esp32 import read_esp32
from ._esp8266 import read_esp8266
from ._espressif import MAGIC, EspHeader
from ._filesystem import filesystem_of, may_be_spiffs
from ._foreign import refuse_foreign
from ._gzip import GZIP, unpack
from ._partitions import is_merged
from ._rp2 import read_rp2
from ._sums import Data, md5_of

MAX_FILE_SIZE: Final = 32 * 1024 * 1024
"""No supported module has more flash, so nothing larger can be an image for one."""

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
    packed = data.startswith(GZIP)
    plain, signed = unpack(data, MAX_FILE_SIZE) if packed else (data, False)
    content = _recognise(plain, kind)
    found = ImageKind.SKETCH if content.filesystem is None else ImageKind.FILESYSTEM
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
        filesystem=content.filesystem,
        signed=signed if packed else content.signed,
        marker=_find_marker(plain) if found is ImageKind.SKETCH else None,
    )


def _find_marker(plain: Data) -> Marker | None:
    """Return the first marker, which a sketch states with one `const char[]`."""
    if found := _MARKER.search(plain):
        return Marker(name=found[1].decode("ascii", "replace"), version=found[2].decode())
    return None


def _recognise(plain: Data, kind: ImageKind | None) -> Content:
    """Find out what the unpacked bytes are; raises ImageError for what no module takes."""
    refuse_foreign(plain)
    if is_merged(plain):
        raise ImageError(Cause.MERGED_IMAGE)
    filesystem = filesystem_of(plain)
    if filesystem is None and kind is ImageKind.FILESYSTEM and may_be_spiffs(plain):
        filesystem = FilesystemType.SPIFFS
    if filesystem is not None:
        return Content(filesystem=filesystem, end=len(plain))
    if plain[0] == MAGIC:
        header = EspHeader.read(plain, 0)
        return (read_esp8266 if header.is_esp8266 else read_esp32)(plain, header)
    if (pico := read_rp2(plain)) is not None:
        return pico
    raise ImageError(Cause.NOT_FIRMWARE)
