"""What a module says of itself when it asks for an update.

Headers of `ESP8266httpUpdate` (esp8266/Arduino), `HTTPUpdate` (arduino-esp32, arduino-pico). All
but the MAC may be missing: old cores send fewer, and sketches may leave the version empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Final, Self

from .discovery import format_mac
from .models import ChipFamily, EvidenceSource, Sighting

_CLIENTS: Final = (
    ("esp8266-http-update", "x-esp8266-", ChipFamily.ESP8266),
    ("esp32-http-update", "x-esp32-", ChipFamily.ESP32),
    ("pico-http-update", "x-pico-", ChipFamily.RP2),
)
_FILESYSTEMS: Final = {"flashfs", "fatfs", "littlefs"}
"""What ESP32 cores since pull request 11856 may say instead of `spiffs`."""
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_PROXY: Final = {"via", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"}
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
        """Return what the headers of a request state, None for a client that is no updater."""
        lower = {name.lower(): value for name, value in headers.items()}
        agent = lower.get("user-agent", "").lower()
        client = next((item for item in _CLIENTS if agent.startswith(item[0])), None)
        if client is None:
            return None
        _, prefix, family = client
        said = {
            name.removeprefix(prefix): value.strip()
            for name, value in lower.items()
            if name.startswith(prefix)
        }
        if (mac := format_mac(said.get("sta-mac"))) is None:
            return None
        mode_text = said.get("mode", PullMode.SKETCH).lower()
        try:
            mode = PullMode.FILESYSTEM if mode_text in _FILESYSTEMS else PullMode(mode_text)
        except ValueError:
            return None
        md5 = said.get("sketch-md5", "").lower()
        return cls(
            family=family,
            mac=mac,
            mode=mode,
            version=_text(said.get("version")),
            sketch_md5=md5 if _MD5.fullmatch(md5) else None,
            sketch_size=_size(said.get("sketch-size")),
            free_space=_size(said.get("free-space")),
            chip_size=_size(said.get("chip-size")),
            sdk_version=_text(said.get("sdk-version")),
            proxied=not _PROXY.isdisjoint(lower),
        )

    def sighting(self, at: float) -> Sighting:
        """Return the request as a statement about what runs; who knows the sum knows more."""
        return Sighting(
            source=EvidenceSource.PULL_VERSION,
            at=at,
            version=self.version,
            sketch_md5=self.sketch_md5,
            mac=self.mac,
        )


def _text(text: str | None) -> str | None:
    if text is None:
        return None
    return "".join(char for char in text if char.isprintable())[:_TEXT_LIMIT] or None


def _size(text: str | None) -> int | None:
    if text is None or len(text) > _SIZE_LIMIT or not text.isascii() or not text.isdigit():
        return None
    return int(text)
