"""Files that people take for firmware, told by how they begin, or by what they are made of."""

import re
from typing import Final
import zlib

from ..causes import Cause
from ..exceptions import ImageError
from ._sums import Data

_MAGIC: Final = (
    (b"\x7fELF", Cause.ELF_FILE),
    (b"UF2\n", Cause.UF2_FILE),
    (b"PK\x03\x04", Cause.ARCHIVE_FILE),
    (b"PK\x05\x06", Cause.ARCHIVE_FILE),
    (b"Rar!\x1a\x07", Cause.ARCHIVE_FILE),
    (b"7z\xbc\xaf\x27\x1c", Cause.ARCHIVE_FILE),
    (b"\xfd7zXZ\0", Cause.ARCHIVE_FILE),
    (b"BZh", Cause.ARCHIVE_FILE),
    (b"\x28\xb5\x2f\xfd", Cause.ARCHIVE_FILE),
    (b"\x1f\x8b", Cause.ARCHIVE_FILE),
    (b"!<arch>\n", Cause.ARCHIVE_FILE),
    (b"070701", Cause.ARCHIVE_FILE),
    (b"070702", Cause.ARCHIVE_FILE),
    (b"\xcf\xb6\x88\x07", Cause.ENCRYPTED_IMAGE),
    (b"\xea\x04", Cause.SDK_IMAGE),
    (b"\x1e\xf1\xee\x0b", Cause.ZIGBEE_FILE),
    (b"NGIS", Cause.ZIGBEE_FILE),
)
"""gzip within gzip nobody unpacks; `07070…` begins a cpio, which SWUpdate's `.swu` files are,
`cf b6 …` what `esp_encrypted_img` makes, `ea 04` images of Espressif's SDK for the ESP8266, and
`NGIS` the files that IKEA wraps around Zigbee's."""
_TAR_AT: Final = 257
_HEX: Final = re.compile(rb":[0-9A-Fa-f]{10}|S0[0-9A-Fa-f]{8}")
_PAGE: Final = re.compile(rb"<[!?/A-Za-z][\t\n\f\r\x20-\x7e\x80-\xff]*\Z")
"""A page is text. Images begin with code, or with a number that counts up (the revision of a
LittleFS, an object of a SPIFFS): that such a byte is a `<` tells nothing."""
_JSON: Final = re.compile(rb'\{\s*["}]|\[\s*[\[\]{"]')
_SAMPLE: Final = 64 * 1024
_SMALLEST: Final = 4096
"""Shorter files may be dense by chance."""


def refuse_foreign(plain: Data) -> None:
    """Raise ImageError with the kind of file it is, so that the person hears which."""
    if not plain:
        raise ImageError(Cause.EMPTY_FILE)
    for magic, cause in _MAGIC:
        if plain.startswith(magic):
            raise ImageError(cause)
    if plain[_TAR_AT : _TAR_AT + 5] == b"ustar":
        raise ImageError(Cause.ARCHIVE_FILE)
    text = bytes(plain[:64]).removeprefix(b"\xef\xbb\xbf").lstrip()
    if _PAGE.match(text):
        raise ImageError(Cause.HTML_PAGE)
    if _JSON.match(text):
        raise ImageError(Cause.JSON_FILE)
    if _HEX.match(text):
        raise ImageError(Cause.HEX_FILE)


def is_encrypted(plain: Data) -> bool:
    """Whether unknown bytes are as dense as only encryption and compression make them."""
    sample = plain[:_SAMPLE]
    return len(sample) >= _SMALLEST and len(zlib.compress(sample, 1)) > len(sample)
