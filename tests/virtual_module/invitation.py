"""How the ArduinoOTA library reads datagrams and checks answers."""

from dataclasses import dataclass
import hashlib
import random
import time

from .chips import Family
from .config import Generation, ModuleConfig

CMD_AUTH = 200
_INT32_SIGN = 1 << 31


class Reader:
    """Takes a datagram apart byte by byte, as tolerantly as the library does."""

    def __init__(self, data: bytes, family: Family) -> None:
        """Start at the first byte."""
        self._data = data
        self._at = 0
        # One digit more fits into the buffer of the ESP32's library before it gives up.
        self._digits = 15 if family is Family.ESP32 else 16

    def integer(self) -> int:
        """Read a number; anything else reads as 0 and is left in place."""
        while self._data[self._at : self._at + 1] == b" ":
            self._at += 1
        start = self._at
        while self._at - start < self._digits:
            if not self._data[self._at : self._at + 1].isdigit():
                value = int(self._data[start : self._at] or b"0") & 0xFFFFFFFF
                return value - 2 * _INT32_SIGN if value & _INT32_SIGN else value
            self._at += 1
        return 0

    def skip(self) -> None:
        """Pass over one byte, whatever it is."""
        self._at += 1

    def until(self, end: bytes) -> str:
        """Read text up to a byte, a NUL or the end."""
        start = self._at
        while self._at < len(self._data):
            byte = self._data[self._at : self._at + 1]
            self._at += 1
            if byte in (end, b"\0"):
                return self._data[start : self._at - 1].decode("latin-1")
        return self._data[start:].decode("latin-1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    """What the module was asked to fetch."""

    command: int
    host: str
    """Where to connect to."""
    port: int
    size: int
    md5: str
    reply_to: tuple[str, int]


def read_invitation(data: bytes, config: ModuleConfig, source: tuple[str, int]) -> Invitation | str:
    """Return the invitation, or why the library drops the datagram in silence."""
    reader = Reader(data, config.family)
    command = reader.integer()
    if command not in (0, config.fs_command):
        return f"command {command}"
    port = reader.integer() & 0xFFFF
    size = reader.integer()
    reader.skip()
    md5 = reader.until(b"\n").strip()
    if len(md5) != 32:
        return f"MD5 of {len(md5)} characters"
    return Invitation(
        command=command, host=source[0], port=port, size=size, md5=md5, reply_to=source
    )


class Lock:
    """The password of a sketch and the challenges made from it."""

    def __init__(self, config: ModuleConfig) -> None:
        """Derive the key that the sketch stores."""
        self._strong = config.family is Family.ESP32 and config.generation is Generation.PBKDF2
        digest = hashlib.sha256 if self._strong else hashlib.md5
        self._key = config.password_hash or digest((config.password or "").encode()).hexdigest()
        self._exact = config.family is Family.ESP32 or config.family is Family.PICO
        self._source = random.SystemRandom()

    @property
    def strong(self) -> bool:
        """Whether the challenge is PBKDF2."""
        return self._strong

    @property
    def digits(self) -> int:
        """How long nonce, client nonce and response are."""
        return 64 if self._strong else 32

    def nonce(self) -> str:
        """Make a challenge; the old generation hashes its microsecond counter."""
        if self._strong:
            return f"{self._source.getrandbits(256):064x}"
        microseconds = time.monotonic_ns() // 1000 & 0xFFFFFFFF
        return hashlib.md5(str(microseconds).encode()).hexdigest()

    def opens(self, nonce: str, cnonce: str, response: str) -> bool:
        """Tell whether the response was made with the password."""
        if self._strong:
            salt = f"{nonce}:{cnonce}"
            key = hashlib.pbkdf2_hmac("sha256", self._key.encode(), salt.encode(), 10_000)
            expected = hashlib.sha256(f"{key.hex()}:{salt}".encode()).hexdigest()
        else:
            expected = hashlib.md5(f"{self._key}:{nonce}:{cnonce}".encode()).hexdigest()
        return response == expected


def read_response(data: bytes, config: ModuleConfig, digits: int) -> tuple[str, str] | str | None:
    """Return (client nonce, response); a text if they are malformed; None if it is no answer."""
    reader = Reader(data, config.family)
    if reader.integer() != CMD_AUTH:
        return None
    reader.skip()
    cnonce = reader.until(b" ")
    response = reader.until(b"\n")
    if len(cnonce) != digits or len(response) != digits:
        return f"lengths {len(cnonce)} and {len(response)}"
    return cnonce, response
