"""The body of a form with one file in it, byte for byte as a browser sends it.

The modules' parsers were written against browsers: they read lines, not grammar
(`Parsing-impl.h` of the ESP8266 core takes the part's name from the first `=` of its line).
"""

import secrets
from typing import Final

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def boundary_for(data: bytes) -> str:
    """Return a separator that does not occur in the data."""
    while True:
        boundary = "----WebKitFormBoundary" + "".join(secrets.choice(_ALPHABET) for _ in range(16))
        if boundary.encode() not in data:
            return boundary


def around_file(
    boundary: str, field: str, filename: str, texts: dict[str, str]
) -> tuple[bytes, bytes]:
    """Return what stands before and behind the bytes of the file; `texts` are parts before it."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in texts.items()
    ]
    parts.append(
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()
