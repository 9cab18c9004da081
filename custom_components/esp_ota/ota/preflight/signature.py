"""Check that an image is signed by whom the person trusts.

Three ways, told apart by the key and the image: the trailer of `tools/signing.py` (ESP8266 and
Pico cores), the block of `tools/bin_signing.py` (arduino-esp32), and a detached signature as
minisign makes it, which no module looks at but every image can have.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
import hashlib
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ..causes import Cause
from ..details import Detail
from ..exceptions import SignatureError
from ..image import AppendedSignature, appended_signature

_PEM: Final = "-----BEGIN "
_COMMENT: Final = "untrusted comment:"
_TRUSTED: Final = "trusted comment: "
_PLAIN: Final = b"Ed"
_HASHED: Final = b"ED"
_KEY_SIZE: Final = 42
_SIGNATURE_SIZE: Final = 74
_HASHES: Final[tuple[HashAlgorithm, ...]] = (SHA256(), SHA384(), SHA512())


class PublicKey(Protocol):
    """Checks signatures of one kind."""

    def verify(self, data: bytes, detached: str | None) -> None:
        """Return if the image is signed with this key; raise SignatureError if it is not."""


def read_public_key(text: str) -> PublicKey:
    """Return the key that a person typed, in PEM or as minisign writes it.

    Raises SignatureError(KEY_INVALID) when it is neither.
    """
    text = text.strip()
    return _read_pem(text) if text.startswith(_PEM) else _read_minisign(text)


def verify_signature(data: bytes, key: str, detached: str | None = None) -> None:
    """Check that an image is signed with a key; `detached` is the text of a `.minisig` file.

    Raises SignatureError with what is wrong.
    """
    read_public_key(key).verify(data, detached)


def _missing() -> SignatureError:
    return SignatureError(Cause.SIGNATURE_MISSING)


def _invalid() -> SignatureError:
    return SignatureError(Cause.SIGNATURE_INVALID)


def _key_invalid(detail: Detail) -> SignatureError:
    return SignatureError(Cause.KEY_INVALID, detail=detail)


# Signatures that the module checks itself


def _read_pem(text: str) -> PublicKey:
    if "PRIVATE KEY" in text:
        raise _key_invalid(Detail.KEY_PRIVATE)
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as err:
        raise _key_invalid(Detail.KEY_NOT_PEM) from err
    if isinstance(key, RSAPublicKey):
        return _RsaKey(key)
    if isinstance(key, EllipticCurvePublicKey):
        return _EcKey(key)
    raise _key_invalid(Detail.KEY_KIND)


@dataclass(frozen=True, slots=True)
class _RsaKey:
    """PKCS #1 v1.5 with SHA-256 on ESP8266 and Pico, PSS on the ESP32."""

    key: RSAPublicKey

    def verify(self, data: bytes, _detached: str | None) -> None:
        found = _appended(data)
        size = (self.key.key_size + 7) // 8
        payload, signature = data[: found.at], found.signature
        if found.padded:
            _check(
                partial(self.key.verify, signature[:size], payload, PSS(MGF1(kind), PSS.AUTO), kind)
                for kind in _HASHES
            )
        else:
            _check([partial(self.key.verify, signature, payload, PKCS1v15(), SHA256())])


@dataclass(frozen=True, slots=True)
class _EcKey:
    """Two raw numbers over SHA-256 on ESP8266 and Pico, DER on the ESP32."""

    key: EllipticCurvePublicKey

    def verify(self, data: bytes, _detached: str | None) -> None:
        found = _appended(data)
        payload, signature = data[: found.at], found.signature
        if found.padded:  # DER says itself how long it is
            signature = signature[: 2 + signature[1]]
            kinds = _HASHES
        else:
            half = len(signature) // 2
            numbers = (int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
            signature = encode_dss_signature(*numbers)
            kinds = _HASHES[:1]
        _check(partial(self.key.verify, signature, payload, ECDSA(kind)) for kind in kinds)


def _appended(data: bytes) -> AppendedSignature:
    if (found := appended_signature(data)) is None:
        raise _missing()
    return found


def _check(tries: Iterable[Callable[[], None]]) -> None:
    """Return when one way to check succeeds."""
    for verify in tries:
        try:
            verify()
        except InvalidSignature, ValueError:  # the latter: it cannot even be of this key
            continue
        return
    raise _invalid()


# Detached signatures


def _read_minisign(text: str) -> PublicKey:
    """Read `minisign.pub`, or only the line in it that matters."""
    lines = [line for line in text.splitlines() if not line.startswith(_COMMENT)]
    raw = _decode(lines[0]) if len(lines) == 1 else None
    if raw is None or len(raw) != _KEY_SIZE or raw[:2] != _PLAIN:
        raise _key_invalid(Detail.KEY_UNKNOWN)
    return _MinisignKey(raw[2:10], Ed25519PublicKey.from_public_bytes(raw[10:]))


def _decode(line: str) -> bytes | None:
    try:
        return base64.b64decode(line.strip(), validate=True)
    except binascii.Error, ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _MinisignKey:
    """Ed25519 over the image or over its BLAKE2b, and over the comment that is trusted."""

    number: bytes
    key: Ed25519PublicKey

    def verify(self, data: bytes, detached: str | None) -> None:
        if detached is None:
            raise _missing()
        raw, comment, of_comment = _read_minisig(detached)
        algorithm, number, signature = raw[:2], raw[2:10], raw[10:]
        if number != self.number:
            raise _invalid()
        message = hashlib.blake2b(data).digest() if algorithm == _HASHED else data
        _check([partial(self.key.verify, signature, message)])
        _check([partial(self.key.verify, of_comment, signature + comment)])


def _read_minisig(text: str) -> tuple[bytes, bytes, bytes]:
    """Return signature, trusted comment, and the signature that covers both."""
    match text.strip().splitlines():
        case [about, line, comment, last] if about.startswith(_COMMENT):
            signature, of_comment = _decode(line), _decode(last)
        case _:
            raise _invalid()
    if (
        signature is None
        or len(signature) != _SIGNATURE_SIZE
        or signature[:2] not in {_PLAIN, _HASHED}
        or of_comment is None
        or not comment.startswith(_TRUSTED)
    ):
        raise _invalid()
    return signature, comment.removeprefix(_TRUSTED).encode(errors="replace"), of_comment
