"""What a module says of itself when it asks for an update.

Headers of `ESP8266httpUpdate` (esp8266/Arduino), `HTTPUpdate` (arduino-esp32, arduino-pico). All
but the MAC may be missing: old cores send fewer, and sketches may leave the version empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Final, Self

from ..models import ChipFamily, EvidenceSource, Sighting
from .discovery import format_mac

_SAID: Final = (
    "sta-mac",
    "mode",
    "version",
    "sketch-md5",
    "sketch-size",
    "free-space",
    "chip-size",
    "sdk-version",
)
_CLIENTS: Final = tuple(
    (agent, family, tuple(f"x-{name}-{said}" for said in _SAID))
    for agent, family, name in (
        ("esp8266-http-update", ChipFamily.ESP8266, "esp8266"),
        ("esp32-http-update", ChipFamily.ESP32, "esp32"),
        ("pico-http-update", ChipFamily.RP2, "pico"),
    )
)
"""How each client names itself, and its headers."""
_FILESYSTEMS: Final = {"flashfs", "fatfs", "littlefs"}
"""What ESP32 cores since pull request 11856 may say instead of `spiffs`."""
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_PROXY: Final = ("via", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_TEXT_LIMIT: Final = 64
_SIZE_LIMIT: Final = 10


class PullMode(StrEnum):
    """What the module asks for."""

    SKETCH = "sketch"
    FILESYSTEM = "spiffs"
    VERSION = "version"


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """One request, with what its headers state; None means not stated or not usable."""

    family: ChipFamily
    mac: str
    mode: PullMode = PullMode.SKETCH
    version: str | None = None
    sketch_md5: str | None = None
    """MD5 of the running image; equals that of the unpacked `.bin`."""
    sketch_size: int | None = None
    free_space: int | None = None
    """Bytes a new sketch may have; on an ESP32 the size of the other slot."""
    chip_size: int | None = None
    sdk_version: str | None = None
    proxied: bool = False
    """Whether a proxy says that it passed the request on; the client itself never does."""

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> Self | None:
        """Return what a request states, None for a client that is no updater.

        `headers` mind no case, as those of aiohttp.
        """
        agent = headers.get("user-agent", "").lower()
        client = next((item for item in _CLIENTS if agent.startswith(item[0])), None)
        if client is None:
            return None
        _, family, names = client
        mac, mode, version, md5, sketch_size, free_space, chip_size, sdk = map(headers.get, names)
        if (known_mac := format_mac(mac)) is None or (asked := _mode(mode)) is None:
            return None
        md5 = md5.strip().lower() if md5 else ""
        return cls(
            family=family,
            mac=known_mac,
            mode=asked,
            version=_text(version),
            sketch_md5=md5 if _MD5.fullmatch(md5) else None,
            sketch_size=_size(sketch_size),
            free_space=_size(free_space),
            chip_size=_size(chip_size),
            sdk_version=_text(sdk),
            proxied=any(name in headers for name in _PROXY),
        )

    @property
    def restarts_after_files(self) -> bool:
        """Whether its core restarts after files too: that of the ESP8266 with SDK 1, up to 2.3."""
        return self.family is ChipFamily.ESP8266 and (self.sdk_version or "").startswith("1.")

    def asks_as(self, earlier: Self) -> bool:
        """Whether it asks for the same as an earlier request, and has the same to begin with."""
        return (self.mode, self.version, self.sketch_md5) == (
            earlier.mode,
            earlier.version,
            earlier.sketch_md5,
        )

    def sighting(
        self,
        at: float,
        *,
        own: bool = True,
        firmware: str | None = None,
        version: str | None = None,
    ) -> Sighting:
        """Return the request as a statement about what runs, as strong as the secret it came with.

        `own` is whether that was the module's own, and not the one that all modules know.
        `firmware` and `version` are those of the image with this very sum, where one is known.
        """
        exact = firmware is not None
        source = EvidenceSource.PULL_MD5 if own else EvidenceSource.SHARED_PULL_MD5
        return Sighting(
            source=source if exact else EvidenceSource.PULL_VERSION,
            at=at,
            firmware=firmware,
            version=version if exact else self.version,
            sketch_md5=self.sketch_md5,
            mac=self.mac,
        )


def _mode(text: str | None) -> PullMode | None:
    if text is None:
        return PullMode.SKETCH
    text = text.strip().lower()
    try:
        return PullMode.FILESYSTEM if text in _FILESYSTEMS else PullMode(text)
    except ValueError:
        return None


def _text(text: str | None) -> str | None:
    if text is None:
        return None
    text = text.strip()
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable())
    return text[:_TEXT_LIMIT] or None


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    text = text.strip()
    if len(text) > _SIZE_LIMIT or not text.isascii() or not text.isdigit():
        return None
    return int(text)
