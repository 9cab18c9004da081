"""Whether a text is a public key that signatures of firmware are checked with."""

import base64
import binascii
import re
from typing import Final

_PEM: Final = re.compile(
    r"-----BEGIN (?:RSA )?PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END (?:RSA )?PUBLIC KEY-----"
)
_MINISIGN: Final = b"Ed"
_MINISIGN_LENGTH: Final = 2 + 8 + 32
"""Algorithm, key id, Ed25519 key."""


def is_public_key(text: str) -> bool:
    """Whether this is a PEM public key, or one of minisign with or without its comment line."""
    text = text.strip()
    if found := _PEM.fullmatch(text):
        return _decoded(found[1]).startswith(b"\x30")
    key = _decoded(text.splitlines()[-1]) if text else b""
    return len(key) == _MINISIGN_LENGTH and key.startswith(_MINISIGN)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error, ValueError:
        return b""
