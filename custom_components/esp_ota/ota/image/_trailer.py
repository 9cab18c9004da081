"""The signature that `tools/signing.py` of the ESP8266 and Pico cores puts behind a payload.

payload, signature, length of the signature as a little-endian word.
"""

from dataclasses import dataclass
from typing import Final

from ._sums import Data

LENGTHS: Final = frozenset({64, 96, 128, 132, 256, 384, 512})
"""EC keys of 256, 384 and 521 bit as two raw numbers, RSA keys of 1024 to 4096 bit."""


@dataclass(frozen=True, slots=True)
class AppendedSignature:
    """A signature behind a payload, for the module to check."""

    at: int
    """Where the payload ends."""
    signature: bytes
    padded: bool
    """Whether it is of the ESP32 core, which fills up to one size with zeros."""


def trailer_at(data: Data) -> int | None:
    """Return where a signature trailer begins if the last word is the length of one."""
    length = int.from_bytes(data[-4:], "little")
    return len(data) - 4 - length if length in LENGTHS and len(data) > length + 4 else None


def likely_trailer_at(data: Data) -> int | None:
    """Return the same for payloads of unknown length: the signature must also look like one."""
    at = trailer_at(data)
    return at if at is not None and looks_random(data[at:-4]) else None


def looks_random(signature: Data) -> bool:
    """Whether bytes look like a signature: of random ones few values come twice, of code many."""
    expected = 256 * (1 - (255 / 256) ** len(signature))
    return len(set(signature)) >= 0.8 * expected
