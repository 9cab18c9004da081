"""From what a module announces about itself to facts.

TXT records and default host names: LEAmDNS (`enableArduino`), `ESPmDNS.cpp` of arduino-esp32,
SimpleMDNS of arduino-pico. mDNS says neither chip, version nor MAC by itself: the records of
`docs/preflight.md` are what our documentation asks sketches to add. Any of them may be missing,
and none is trusted to be well-formed.
"""

from collections.abc import Mapping
from functools import lru_cache
import re
from typing import Final

from ..models import Chip, ChipFamily, FlashMode, ModuleFacts

SERVICE_TYPE: Final = "_arduino._tcp.local."
DEFAULT_PORTS: Final = {
    ChipFamily.ESP8266: 8266,
    ChipFamily.ESP32: 3232,
    ChipFamily.RP2: 2040,
}
WIFI_OTA_PORT: Final = 65280
"""JAndrassy/ArduinoOTA announces the same type but listens for HTTP here."""

_ESP32_HOST: Final = re.compile(r"^esp32\w*-([0-9a-f]{12})$")
_ESP8266_HOST: Final = re.compile(r"^esp(?:8266)?[-_][0-9a-f]{6}$")
_PICO_HOST: Final = re.compile(r"^pico(?:w|2w?)?-[0-9a-f]{16}$")
_MAC: Final = re.compile(r"^(?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2}$")
_MAC_IN_GROUPS: Final = re.compile(r"[0-9a-f]{1,2}([:-])[0-9a-f]{1,2}(?:\1[0-9a-f]{1,2}){4}")
"""Maybe without leading zeros, as `String(byte, HEX)` writes them."""
_MAC_IN_DOTS: Final = re.compile(r"(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}")
_FOR_MANY: Final = 0x01
_ESP32_VARIANT: Final = re.compile(r"(?:^|[^a-z0-9]|esp32[-_]?)([schp]\d{1,2})(?:[^0-9]|$)")
_PLATFORMIO: Final = "PLATFORMIO_"
_ESP8266_BOARD: Final = re.compile(
    r"agruminolemon|cw01|d1|d1_mini\w*|d1_wroom_02|eduinowifi|esp210|esp8285|espduino|espectro"
    r"|espino|espinotee|espmxdevkit|espresso_lite_v\d|gen4iod|huzzah|inventone|modwifi"
    r"|nodemcu|nodemcuv2|oak|phoenix_v\d|sonoff|thing|thingdev|wifi_kit_8|wifi_slot|wifiduino"
    r"|wifinfo|wiolink"
)
"""Boards of `boards.txt` of esp8266/Arduino 3.1 whose names no other core has."""
_TEXT_LIMIT: Final = 64
_CORE: Final = re.compile(r"([0-9]{1,3})[._]([0-9]{1,3})[._]([0-9]{1,3})([-+.]\S{0,32})?")
"""Builds from a repository say a hash instead, which tells nothing."""
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_SIZE: Final = re.compile(r"[0-9]{1,9}")
_MOST_FLASH: Final = 64 << 20
"""Bytes, more than any module has: `ESP.getFreeSketchSpace()` wraps below zero."""
_FLASH_MODES: Final = dict(enumerate(FlashMode))
"""By the numbers of the cores' `FlashMode_t`."""


def facts_from_announcement(
    hostname: str, host: str, port: int, txt: Mapping[str, str | None]
) -> ModuleFacts:
    """Return what one `_arduino._tcp` announcement says about a module.

    Keys are the same in capitals, and the first of them counts (RFC 6763, 6.4).
    """
    txt = {key.lower(): value for key, value in reversed(list(txt.items()))}
    name = _text(hostname.removesuffix(".").removesuffix(".local")) or host
    board = _text(txt.get("board"))
    chip = chip_from_board(board)
    free = _size(txt.get("free"))
    return ModuleFacts(
        name=name,
        host=host,
        port=port,
        family=chip.family if chip else _family(name, board),
        chip=chip,
        mac=format_mac(txt.get("mac")) or mac_from_hostname(name),
        board=board,
        auth_required=_yes_no(txt.get("auth_upload")),
        firmware=_text(txt.get("fw_name")),
        version=_text(txt.get("fw_version")),
        sketch_md5=_md5(txt.get("md5")),
        sketch_size=_size(txt.get("sketch_size")) or None,
        slot_size=free,
        slot_stated=free is not None,
        flash_size=_size(txt.get("flash_size")) or None,
        flash_mode=_flash_mode(txt.get("flash_mode")),
        core_version=_core(txt.get("core")),
    )


def chip_from_text(text: str) -> Chip | None:
    """Return the chip that is written `ESP32-S3`, `esp32s3` or alike; None for others."""
    try:
        return Chip(re.sub(r"[\s_-]", "", text).lower())
    except ValueError:
        return None


@lru_cache(maxsize=64)
def chip_from_board(board: str | None) -> Chip | None:
    """Return the chip a board name states for certain, None where it only hints.

    arduino-esp32 puts the variant folder there: `esp32s3` names a chip, `nodemcu_32s` is an
    ESP32, but many vendors' names (`d1_mini32`, `lolin_s3`) need the variant letter. `pico32`
    is an ESP32 as well. PlatformIO's builds say `PLATFORMIO_` and its board, with ESP8266 cores
    up to 3.0 (`platformio-build.py`).
    """
    if board is None:
        return None
    platformio = board.startswith(_PLATFORMIO)
    board = board.removeprefix(_PLATFORMIO).lower()
    if "32" not in board and (platformio or "esp8266" in board or _ESP8266_BOARD.fullmatch(board)):
        return Chip.ESP8266
    if board.startswith("rpipico2"):
        return Chip.RP2350
    if board.startswith("rpipico"):
        return Chip.RP2040
    if board == "esp32":
        return Chip.ESP32
    if found := _ESP32_VARIANT.search(board):
        try:
            return Chip(f"esp32{found[1]}")
        except ValueError:
            return None
    return None


def mac_from_hostname(name: str) -> str | None:
    """Return the MAC that an ESP32's default host name holds (`esp32-` and 12 hex digits)."""
    if found := _ESP32_HOST.match(name.lower()):
        return format_mac(found[1])
    return None


def format_mac(text: str | None) -> str | None:
    """Return a MAC as `aa:bb:cc:dd:ee:ff`, None for anything else.

    No interface has zero, or one that is meant for many: IEEE 802, the first byte's lowest bit.
    """
    text = (text or "").strip().lower()
    if _MAC_IN_GROUPS.fullmatch(text):
        text = "".join(part.zfill(2) for part in re.split("[:-]", text))
    elif _MAC_IN_DOTS.fullmatch(text):
        text = text.replace(".", "")
    if not _MAC.match(text):
        return None
    digits = re.sub("[^0-9a-f]", "", text)
    if not int(digits, 16) or int(digits[:2], 16) & _FOR_MANY:
        return None
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def family_from_port(port: int) -> ChipFamily | None:
    """Return the family whose ArduinoOTA listens on this port by default: a hint, no fact."""
    return next((family for family, known in DEFAULT_PORTS.items() if known == port), None)


def _family(name: str, board: str | None) -> ChipFamily | None:
    """Tell the family by the default host name or the board's text."""
    name = name.lower()
    if _ESP32_HOST.match(name) or (board and "esp32" in board.lower()):
        return ChipFamily.ESP32
    if _ESP8266_HOST.match(name):
        return ChipFamily.ESP8266
    if _PICO_HOST.match(name):
        return ChipFamily.RP2
    return None


def _md5(text: str | None) -> str | None:
    text = (text or "").strip().lower()
    return text if _MD5.fullmatch(text) else None


def _size(text: str | None) -> int | None:
    text = (text or "").strip()
    if not _SIZE.fullmatch(text) or (size := int(text)) > _MOST_FLASH:
        return None
    return size


def _core(text: str | None) -> str | None:
    """Return a core's release as `3.1.2`; older cores write `3_1_2`."""
    if (found := _CORE.fullmatch((text or "").strip())) is None:
        return None
    return ".".join(found.group(1, 2, 3)) + (_text(found[4]) or "")


def _flash_mode(text: str | None) -> FlashMode | None:
    """Return a flash mode by its name, or by the number that `ESP.getFlashChipMode()` prints."""
    text = (text or "").strip().lower()
    if text.isascii() and text.isdecimal() and len(text) == 1:
        return _FLASH_MODES.get(int(text))
    return FlashMode(text) if text in set(FlashMode) else None


def _yes_no(text: str | None) -> bool | None:
    return {"yes": True, "no": False}.get(text) if text else None


def _text(text: str | None) -> str | None:
    """Bound what a stranger on the network can put into names and logs."""
    if text is None:
        return None
    cleaned = "".join(char for char in text.strip() if char.isprintable())
    return cleaned[:_TEXT_LIMIT] or None
