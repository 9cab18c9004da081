"""What fills an image: bytes about as compressible as compiled code."""

import random

MARKER_PREFIX = "ESP_OTA_FW:"


def marker(name: str, version: str) -> bytes:
    """Return the text a sketch carries to say what it is."""
    return f"{MARKER_PREFIX}{name}:{version};".encode()


def code_like(size: int, source: random.Random, unique: int = 40) -> bytearray:
    """Return `size` bytes that gzip brings down to about two thirds.

    Compiled code is a stream of unique operands between recurring idioms; so many bytes of the one
    and the rest of 64 of the other give the ratio that images show: 0.57 to 0.68 those of four
    firmwares for ESP32s, 0.67 to 0.74 those of nine for ESP8266.
    """
    idioms = [source.randbytes(64 - unique) for _ in range(64)]
    pieces = bytearray()
    while len(pieces) < size:
        pieces += source.randbytes(unique)
        pieces += source.choice(idioms)
    del pieces[size:]
    return pieces


def place(data: bytearray, text: bytes, source: random.Random) -> None:
    """Overwrite a random place of `data` with a zero-terminated text."""
    text += b"\0"
    room = len(data) - len(text)
    if room < 0:
        raise ValueError(f"no room for {text!r} in {len(data)} bytes")
    start = source.randint(0, room) & ~3
    data[start : start + len(text)] = text
