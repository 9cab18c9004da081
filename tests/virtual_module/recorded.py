"""Requests for an update as each core's client sends them, written down by hand from its source.

They are what our endpoint is tested with byte by byte, and what the virtual modules are compared
with: neither can change without the other noticing. `sample_image()` is the sketch they tell of.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
import hashlib
from pathlib import Path
import re
from types import MappingProxyType
from typing import Self

from .chips import Chip
from .content import marker

SAMPLE_VERSION = "1.4.0"
SAMPLE_MAC = "5c:cf:7f:a1:b2:c3"
SAMPLE_LOGIN = "valve:open sesame"
"""User and password of the requests that log in."""
_FOLDER = Path(__file__).parent / "pull_requests"
_TITLE = re.compile(r"# (?P<chip>\w+) (?P<core>[\d.]+): (?P<source>.+)")


def sample_image(chip: Chip) -> bytes:
    """Return the sketch of the requests: 4096 bytes that say what they are, and little else."""
    image = b"\xe9".ljust(64, b"\0") + marker("garden-valve", SAMPLE_VERSION) + b"\0"
    image = image.ljust(4096, b"\xff")
    if chip is not Chip.ESP32:
        return image
    # An ESP32 reports the digest that the build appended.
    image = image[:23] + b"\x01" + image[24:-32]
    return image + hashlib.sha256(image).digest()


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRequest:
    """One request, and where its letters were read."""

    chip: Chip
    core: str
    source: str
    lines: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read one file of the folder."""
        title, *lines = path.read_text().splitlines()
        found = _TITLE.fullmatch(title)
        assert found is not None, f"{path} has no title"
        return cls(
            chip=Chip(found["chip"]),
            core=found["core"],
            source=found["source"],
            lines=tuple(lines),
        )

    @property
    def raw(self) -> bytes:
        """The bytes on the wire."""
        return "\r\n".join([*self.lines, "", ""]).encode()

    def header(self, name: str) -> str | None:
        """Return a header's value, if the request has it."""
        start = f"{name}: ".lower()
        return next((line[len(start) :] for line in self.lines if _starts(line, start)), None)

    def to(self, uri: str, host: str) -> Self:
        """Return the same request for another address; nothing else changes."""
        first = re.sub(r" \S+ ", f" {uri} ", self.lines[0])
        rest = [re.sub("^Host: .*", f"Host: {host}", line) for line in self.lines[1:]]
        return replace(self, lines=(first, *rest))

    def without(self, name: str) -> Self:
        """Return the same request with one header missing."""
        lines = tuple(line for line in self.lines if not _starts(line, f"{name}: ".lower()))
        assert len(lines) < len(self.lines), f"no {name} in this request"
        return replace(self, lines=lines)


def _starts(line: str, start: str) -> bool:
    return line.lower().startswith(start)


PULL_REQUESTS: Mapping[str, RecordedRequest] = MappingProxyType(
    {path.stem: RecordedRequest.read(path) for path in sorted(_FOLDER.glob("*.txt"))}
)
"""By name: what sends it, and what is special about it."""
