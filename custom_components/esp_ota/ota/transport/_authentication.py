"""The three ways ArduinoOTA proves a password, told apart by the length of the nonce.

A: ESP8266, Pico, ESP32 up to 3.3.0 (`ArduinoOTA.cpp`: `md5(K:nonce:cnonce)`, 32 hex).
B: ESP32 from 3.3.1 (`tools/espota.py`: PBKDF2-HMAC-SHA256 over `sha256(password)`, 64 hex).
C: the same with a sketch that still stores an MD5 (`setPasswordHash` with 32 hex).
"""

import hashlib
import re
import secrets
from typing import Final

from ..causes import Cause
from ..exceptions import ModuleAuthError

_PBKDF2_ROUNDS: Final = 10_000
_SHORT_NONCE: Final = 32
_LONG_NONCE: Final = 64
_MD5_HEX: Final = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_SHA256_HEX: Final = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


def keys_for(password: str, nonce: str) -> list[str]:
    """Return the keys a module with this nonce may have stored, most likely first.

    A password that looks like a hash may be the very text given to `setPasswordHash`, which the
    cores keep as it was spelt, or the same hash as a tool spells it.
    Raises ModuleAuthError when no known variant has a nonce of this length.
    """
    raw = password.encode()
    md5 = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    if len(nonce) == _SHORT_NONCE:
        keys = [md5]
    elif len(nonce) == _LONG_NONCE:
        keys = [hashlib.sha256(raw).hexdigest(), md5]
        if _SHA256_HEX.fullmatch(password):
            keys += [password, password.lower()]
    else:
        raise ModuleAuthError(Cause.AUTH_UNKNOWN, length=len(nonce))
    if _MD5_HEX.fullmatch(password):
        keys += [password, password.lower()]
    return list(dict.fromkeys(keys))


def client_nonce(nonce: str) -> str:
    """Return random hex of the length the module expects back."""
    return secrets.token_hex(len(nonce) // 2)


def response(key: str, nonce: str, cnonce: str) -> str:
    """Return what proves the key for this nonce pair, as lower-case hex text.

    Variant B and C spend some milliseconds here: call it off the event loop.
    """
    if len(nonce) == _SHORT_NONCE:
        text = f"{key}:{nonce}:{cnonce}"
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    salt = f"{nonce}:{cnonce}".encode()
    derived = hashlib.pbkdf2_hmac("sha256", key.encode(), salt, _PBKDF2_ROUNDS).hex()
    return hashlib.sha256(f"{derived}:{nonce}:{cnonce}".encode()).hexdigest()
