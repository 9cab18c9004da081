"""What a module's own words mean.

ESP8266 and Pico number their texts (`ERROR[4]: Not Enough Space`, `Updater.cpp`), the ESP32
does not (`Wrong Magic Byte`, `Updater.cpp` of arduino-esp32).
"""

import re
from typing import Final

from ..causes import Cause
from ..exceptions import ModuleRejectedImage

_NUMBERED: Final = re.compile(r"ERROR\[(\d+)\]")
_BY_NUMBER: Final = {
    1: Cause.FLASH_FAILED,
    2: Cause.FLASH_FAILED,
    3: Cause.FLASH_FAILED,
    4: Cause.NO_SPACE,
    5: Cause.BAD_SIZE,
    6: Cause.ABORTED_BY_MODULE,
    7: Cause.MD5_MISMATCH,
    8: Cause.FLASH_CONFIG,
    9: Cause.FLASH_CONFIG,
    10: Cause.WRONG_MAGIC,
    11: Cause.BOOT_STRAP,
    12: Cause.SIGNATURE,
    13: Cause.ABORTED_BY_MODULE,
    14: Cause.OUT_OF_MEMORY,
    15: Cause.BUSY,
}
_BY_TEXT: Final = (
    ("no filesystem", Cause.NO_FILESYSTEM),
    ("not enough space", Cause.NO_SPACE),
    ("bad size", Cause.BAD_SIZE),
    ("md5", Cause.MD5_MISMATCH),
    ("magic byte", Cause.WRONG_MAGIC),
    ("could not activate", Cause.COULD_NOT_ACTIVATE),
    ("partition could not be found", Cause.NO_SPACE),
    ("signature", Cause.SIGNATURE),
    ("flash", Cause.FLASH_FAILED),
    ("stream read timeout", Cause.ABORTED_BY_MODULE),
    ("aborted", Cause.ABORTED_BY_MODULE),
)
_TEXT_LIMIT: Final = 160


def rejection(reply: bytes) -> ModuleRejectedImage:
    """Return the error for what a module said, with its own text kept for the person."""
    text = readable(reply)
    return ModuleRejectedImage(_cause(text), text=text)


def readable(reply: bytes) -> str:
    """Return bytes from the network as one short printable line."""
    text = reply.decode("utf-8", "replace").removeprefix("ERR: ")
    cleaned = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(cleaned.split())[:_TEXT_LIMIT]


def _cause(text: str) -> Cause:
    if numbered := _NUMBERED.search(text):
        return _BY_NUMBER.get(int(numbered[1]), Cause.REJECTED)
    lower = text.lower()
    return next((cause for words, cause in _BY_TEXT if words in lower), Cause.REJECTED)
