"""The Updater's errors: numbers, wording by core version, printed form.

From cores/esp8266/Updater.cpp of several versions, libraries/Update/src/Updater.cpp, and
arduino-pico's libraries/Updater/src/Updater.cpp.
"""

from dataclasses import dataclass
from typing import override

from .chips import Family
from .config import ModuleConfig

NO_ERROR, WRITE, ERASE, READ, SPACE, SIZE, STREAM, MD5 = range(8)
MAGIC, BOOT_STRAP, SIGNATURE, NO_DATA, RUNNING, UNKNOWN_COMMAND = 10, 11, 12, 13, 15, 16
ESP32_MAGIC, ESP32_ACTIVATE, ESP32_NO_PARTITION = 8, 9, 10
ESP32_ABORTED, ESP32_SIGNATURE = 12, 14
PICO_NO_FILESYSTEM = -1
"""Not an Updater error: the library says it instead of beginning."""

_ESP8266 = {
    NO_ERROR: "No Error",
    WRITE: "Flash Write Failed",
    ERASE: "Flash Erase Failed",
    READ: "Flash Read Failed",
    SPACE: "Not Enough Space",
    SIZE: "Bad Size Given",
    STREAM: "Stream Read Timeout",
    MAGIC: "Magic byte is not 0xE9",
    BOOT_STRAP: "Invalid bootstrapping state, reset ESP8266 before updating",
    SIGNATURE: "Signature verification failed",
    NO_DATA: "No data supplied",
    RUNNING: "Update already running",
}
_ESP32 = {
    NO_ERROR: "No Error",
    WRITE: "Flash Write Failed",
    SPACE: "Not Enough Space",
    SIZE: "Bad Size Given",
    STREAM: "Stream Read Timeout",
    MD5: "MD5 Check Failed",
    ESP32_MAGIC: "Wrong Magic Byte",
    ESP32_ACTIVATE: "Could Not Activate The Firmware",
    ESP32_NO_PARTITION: "Partition Could Not be Found",
    ESP32_ABORTED: "Aborted",
    ESP32_SIGNATURE: "Signature Verification Failed",
}


@dataclass(frozen=True, slots=True)
class UpdateError:
    """Why an update failed, in the module's own words."""

    code: int
    prints: tuple[str, ...]
    """What the core prints one after the other, each of which may be a segment of its own."""

    @property
    def printed(self) -> str:
        """With number and line end, as it goes over the wire."""
        return "".join(self.prints)

    @override
    def __str__(self) -> str:
        return self.printed.strip()


def update_error(
    config: ModuleConfig, code: int, expected: str = "", found: str = ""
) -> UpdateError:
    """Return an error as this module's core prints it."""
    if config.family is Family.ESP32:
        return UpdateError(code, (_ESP32[code], "\r\n"))
    if code == PICO_NO_FILESYSTEM:
        return UpdateError(code, ("No Filesystem",))
    pico = config.family is Family.PICO
    core = (3, 1) if pico else config.core_version
    if code == MD5 and pico:
        text = f"MD5 Failed: expected:{expected} calculated:{found}"
    elif code == MD5:
        text = _md5_text(core, expected, found)
    elif code == MAGIC and core < (3, 1):
        text = "Magic byte is wrong, not 0xE9"
    else:
        text = _ESP8266[code]
    if core >= (3, 1) and not pico:
        return UpdateError(code, (f"ERROR[{code}]: {text}\n",))
    return UpdateError(code, (f"ERROR[{code}]: ", text, "\r\n"))


def _md5_text(core: tuple[int, ...], expected: str, found: str) -> str:
    if core >= (3, 1):
        return f"MD5 verification failed: expected: {expected}, calculated: {found}"
    if core >= (2, 4):
        return f"MD5 Failed: expected:{expected}, calculated:{found}"
    return "MD5 Check Failed"
