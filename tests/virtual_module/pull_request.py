"""What the update clients of the cores send, letter by letter.

After ESP8266httpUpdate.cpp and ESP8266HTTPClient.cpp of the ESP8266 core (2.3.0 to 3.1.2 and its
git of March 2026), HTTPUpdate.cpp and HTTPClient.cpp of the ESP32 core (1.0 to 2.0.x) and of
arduino-pico 6.0.0.
"""

import base64
import hashlib

from .board import Board, whole_sectors
from .chips import Family
from .config import Generation
from .inspect_image import sketch_size
from .pull_config import PullConfig, PullMode

type Headers = list[tuple[str, str]]

_AGENTS = {
    Family.ESP8266: "ESP8266-http-Update",
    Family.ESP32: "ESP32-http-Update",
    Family.PICO: "Pico-HTTP-Update",
}
_ESP8266_SDKS = (
    ((2, 5), "2.2.2-dev(38a443e)"),
    ((2, 4), "2.2.1(cfd48f3)"),
    ((0,), "1.5.3(aec24ac9)"),
)


def free_space(board: Board) -> int:
    """Return what the client believes a new sketch may have."""
    if board.config.family is not Family.ESP8266:
        return board.slot_size
    used = whole_sectors(sketch_size(board.image, board.config.chip))
    return board.slot_size - used


def request_text(board: Board, pull: PullConfig, mode: PullMode) -> bytes:
    """Return the whole request."""
    headers = _first_headers(board, pull) + _FAMILIES[board.config.family](board, pull, mode)
    lines = [f"GET {pull.uri} HTTP/1.0"]
    lines += [f"{name}: {value}" for name, value in headers if not pull.hides(name)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _first_headers(board: Board, pull: PullConfig) -> Headers:
    """Return what the HTTP client under the update client puts first."""
    family = board.config.family
    headers = [("Host", pull.host), ("User-Agent", _AGENTS[family])]
    closes = [("Connection", "close")]
    if not pull.login:
        return headers + closes
    login = base64.b64encode(pull.login.encode()).decode()
    authorization = [("Authorization", f"Basic {login}")]
    late = family is Family.ESP32 or (
        family is Family.ESP8266 and board.config.core_version < (2, 7)
    )
    return headers + (closes + authorization if late else authorization + closes)


def _esp8266(board: Board, pull: PullConfig, mode: PullMode) -> Headers:
    core, image = board.config.core_version, board.image
    size = sketch_size(image, board.config.chip)
    headers = []
    if core >= (2, 6):
        headers.append(("Chip-ID", str(int(_digits(board)[6:], 16))))
    headers += [
        ("STA-MAC", board.config.mac.upper()),
        ("AP-MAC", _neighbour(board, first=0x02)),
        ("free-space", str(free_space(board))),
        ("sketch-size", str(size)),
    ]
    if core >= (2, 4):
        headers.append(("sketch-md5", hashlib.md5(image[:size]).hexdigest()))
    headers += [
        ("chip-size", str(pull.chip_size)),
        ("sdk-version", next(sdk for since, sdk in _ESP8266_SDKS if core >= since)),
        ("mode", mode.value),
        *_version(board, pull, "version"),
    ]
    length = [("Content-Length", "0")] if core >= (2, 6) else []
    return [*((f"x-ESP8266-{name}", text) for name, text in headers), *length]


def _esp32(board: Board, pull: PullConfig, mode: PullMode) -> Headers:
    image = board.image
    size = sketch_size(image, board.config.chip)
    legacy = board.config.generation is Generation.LEGACY
    headers = [
        ("STA-MAC", board.config.mac.upper()),
        ("AP-MAC", _neighbour(board, last=1)),
        ("free-space", str(free_space(board))),
        ("sketch-size", str(size)),
        ("sketch-md5", hashlib.md5(image[:size]).hexdigest()),
        ("sketch-sha256", _partition_digest(image[:size]).upper()),
        ("chip-size", str(pull.chip_size)),
        ("sdk-version", "v4.4.7-dirty" if legacy else "v5.5.1-710-g8410210c9a"),
        ("mode", mode.value),
        *_version(board, pull, "version"),
    ]
    return [("Cache-Control", "no-cache"), *((f"x-ESP32-{name}", text) for name, text in headers)]


def _pico(board: Board, pull: PullConfig, mode: PullMode) -> Headers:
    headers = [
        ("Chip-ID", f"E660{_digits(board)}".upper()),
        ("STA-MAC", board.config.mac.lower()),
        # The access point was never started.
        ("AP-MAC", ":".join(["00"] * 6)),
        ("Mode", mode.value),
        *_version(board, pull, "Version"),
    ]
    return [*((f"x-Pico-{name}", text) for name, text in headers), ("Content-Length", "0")]


_FAMILIES = {Family.ESP8266: _esp8266, Family.ESP32: _esp32, Family.PICO: _pico}


def _version(board: Board, pull: PullConfig, name: str) -> Headers:
    if not pull.tells_version or not board.version:
        return []
    return [(name, board.version)]


def _digits(board: Board) -> str:
    return board.config.mac.replace(":", "").lower()


def _neighbour(board: Board, *, first: int = 0, last: int = 0) -> str:
    """Return the access point's address, which is made from the station's."""
    octets = bytearray.fromhex(_digits(board))
    octets[0] |= first
    octets[-1] = (octets[-1] + last) & 0xFF
    return octets.hex(":").upper()


def _partition_digest(image: bytes) -> str:
    """Return what ESP-IDF says of a partition: the appended digest, where there is one."""
    if len(image) > 32 and image[23] == 1:
        return image[-32:].hex()
    return hashlib.sha256(image).hexdigest()
