"""Which texts are public keys."""

import base64

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
import pytest

from custom_components.esp_ota.ota import is_public_key

MINISIGN = base64.b64encode(b"Ed" + bytes(range(40))).decode()


def pem(key: ed25519.Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


RSA = pem(rsa.generate_private_key(65537, 2048).public_key())
EC = pem(ec.generate_private_key(ec.SECP256R1()).public_key())


@pytest.mark.parametrize(
    "text",
    [
        RSA,
        EC,
        RSA.replace("\n", "\r\n"),
        pem(ed25519.Ed25519PrivateKey.generate().public_key()),
        MINISIGN,
        f"untrusted comment: minisign public key 6F0B\n{MINISIGN}\n",
    ],
)
def test_a_key_is_known_however_it_is_written(text: str) -> None:
    assert is_public_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "my secret",
        RSA[:100],
        RSA.replace("PUBLIC", "PRIVATE"),
        RSA.replace("M", "*"),
        MINISIGN[:-4],
        base64.b64encode(b"ED" + bytes(40)).decode(),
        "ü" * 56,
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ],
)
def test_other_texts_are_no_keys(text: str) -> None:
    assert not is_public_key(text)
