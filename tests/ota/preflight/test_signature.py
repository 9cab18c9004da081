"""A release counts as signed only with the key the person trusts, over these very bytes."""

import base64
from collections.abc import Callable
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from hypothesis import given, strategies as st
import pytest

from custom_components.esp_ota.ota import (
    Cause,
    SignatureError,
    read_image,
    read_public_key,
    verify_signature,
)
from tests.kit.sentences import assert_sentence_is_whole
from tests.virtual_module import build_image, gzip_image

# Made with `openssl genrsa 2048` and `openssl dgst -sha256 -sign`, as `tools/signing.py` does.
SIGNED_TEXT = b"garden-valve 1.2.0\n"
OPENSSL_KEY = """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAmX54T3sDcQyjT/B0XFSz
/G+zznOUI0eCLiM+djheNc5lWuUm+MaJ4fjKWAw48jP/gBkmlEpm0ZrGc7fn/XIZ
3q65rpWYK+CfREYKTRUuA5LZuwOupHlb5ApAIR2TOTY7m+m+A79RsAS0hNxTWnvp
MIn1IqX+c2+lmplxkIpP/hSXBFUUvSWq8XPg6fQjOBUWIbiknO5W5a3nvJJFWwND
17TL+ICZ/gPD9C28c5axOwZj46QeD3K8GY8PywCfIDdOPgHU6SQlzWR1GWUk2EOO
ARJ0jMTK8bg1SJTwcIBapZtQZo3gxGAuSW9/jGwej2xE8zdvlGw2dH7x0kztg5Wq
2wIDAQAB
-----END PUBLIC KEY-----
"""
OPENSSL_SIGNATURE = base64.b64decode(
    "fjhS/xioa+Q7/EVqfEydscixAnRPGn5Qq0pjaZoFOtrZq6B8g3tLMm+69mba15v8Hbe+qke/OHcg2Bm1ytIm9o5p"
    "SqAqsy9TYHNOXv7gm/UL1ydryOV5Cn5y4NGOvwuvhIaRn8Y9mAfDB0FYOMsvUzyOfB/XE49l1SySHoCAPgD4xOiY"
    "5A77lnViXKyiqBJm/7hNqemKQn79CmaNMFAJdKaoYEE6jsqhCsE5uyK3x5GxQhBqKFqrJHW+KyOC5jZ5U5/89cHc"
    "Gh6QCbs/0kvk1xvqQA3TU+1Q0nyXfUm8pl+nIhBBxfPFDh4Q9ZlNKUKroH2GB1vnrsKkOOvo96dElg=="
)

# Made with minisign 0.11 over the same text: `-G`, `-S -l` and `-S`.
MINISIGN_KEY = """\
untrusted comment: minisign public key FBBB5EF09FD823DA
RWTaI9if8F67+0WHWWJ0829zouB1XnPO8rvTcKA7/juGY9W8WjMoJpiT
"""
MINISIGN_PLAIN = """\
untrusted comment: signature from minisign secret key
RWTaI9if8F67+/toBwOBaKBUrpz3tKKLv2WunEpPTp9/GLv8fizRZL6DyQhLLR39dT8KFsKcyblvY+tdZ8/8R+RS3lmFX15PqQ8=
trusted comment: legacy garden-valve
0MHpPloFdU0HmZ1wGebwl1hryi1/qwsEEKEmNUkKhV73ucB9JLpkElkULj/L0350QI5KwpmQ+SmRsXC3z2AUDA==
"""
MINISIGN_HASHED = """\
untrusted comment: signature from minisign secret key
RUTaI9if8F67+0uJGep7Y7NDYbGhUdOTpGRcnxyymLd/ihaNVE/3UgRXdE36F6TaUdpKLQ8x4tyhSHpbbMV6lB6lVPou0CvWUAM=
trusted comment: garden-valve 1.2.0
i4FkFlYHmh2IljdBIrcpcA4VILPcV+SDYlu2uOTr/dQTFomCatcyQbrrwuQiCbTkB2jQT1MUN8M1ONd631JFDQ==
"""

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
HASHES = (SHA256(), SHA384(), SHA512())


def public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    """Return the public half in PEM."""
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def with_trailer(payload: bytes, signature: bytes) -> bytes:
    return payload + signature + struct.pack("<I", len(signature))


def rsa_signed(payload: bytes) -> bytes:
    return with_trailer(payload, RSA.sign(payload, padding.PKCS1v15(), SHA256()))


def ec_signed(payload: bytes) -> bytes:
    first, second = utils.decode_dss_signature(EC.sign(payload, ec.ECDSA(SHA256())))
    return with_trailer(payload, first.to_bytes(32) + second.to_bytes(32))


def esp32_rsa_signed(payload: bytes, kind: HashAlgorithm) -> bytes:
    scheme = padding.PSS(padding.MGF1(kind), padding.PSS.MAX_LENGTH)
    return payload + RSA.sign(payload, scheme, kind).ljust(512, b"\0")


def esp32_ec_signed(payload: bytes, kind: HashAlgorithm) -> bytes:
    return payload + EC.sign(payload, ec.ECDSA(kind)).ljust(512, b"\0")


def refused(data: bytes, key: str, detached: str | None = None) -> SignatureError:
    """Return why an image does not count as signed."""
    with pytest.raises(SignatureError) as caught:
        verify_signature(data, key, detached)
    return caught.value


# The trailer of the ESP8266 and Pico cores


def test_what_openssl_signed_is_signed() -> None:
    verify_signature(with_trailer(SIGNED_TEXT, OPENSSL_SIGNATURE), OPENSSL_KEY)


@pytest.mark.parametrize("signed", [rsa_signed, ec_signed])
@pytest.mark.parametrize(
    "payload",
    [build_image("esp8266"), build_image("rp2040"), gzip_image(build_image("esp8266"))],
    ids=["esp8266", "rp2040", "gzip"],
)
def test_a_signed_image_is_signed(payload: bytes, signed: Callable[[bytes], bytes]) -> None:
    data = signed(payload)
    key = public(RSA if signed is rsa_signed else EC)
    assert read_image(data).signed
    verify_signature(data, key)
    for at in (0, len(payload) // 2, len(payload) - 1, len(payload), len(data) - 5):
        damaged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert refused(damaged, key).cause is Cause.SIGNATURE_INVALID, at


@pytest.mark.parametrize("key", [RSA, EC])
def test_another_key_is_not_trusted(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    data = (ec_signed if key is RSA else rsa_signed)(build_image("esp8266"))
    assert refused(data, public(key)).cause is Cause.SIGNATURE_INVALID
    data = (rsa_signed if key is RSA else ec_signed)(build_image("esp8266"))
    stranger = (
        rsa.generate_private_key(65537, 2048)
        if key is RSA
        else ec.generate_private_key(ec.SECP256R1())
    )
    assert refused(data, public(stranger)).cause is Cause.SIGNATURE_INVALID


@pytest.mark.parametrize("chip", ["esp8266", "esp32", "rp2040"])
@pytest.mark.parametrize("key", [RSA, EC])
def test_an_unsigned_image_is_not_signed(
    chip: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
) -> None:
    assert refused(build_image(chip), public(key)).cause is Cause.SIGNATURE_MISSING
    assert refused(b"", public(key)).cause is Cause.SIGNATURE_MISSING


# The block of the ESP32 core


@pytest.mark.parametrize("kind", HASHES, ids=lambda kind: kind.name)
@pytest.mark.parametrize("signed", [esp32_rsa_signed, esp32_ec_signed])
def test_an_esp32_image_is_signed_with_any_hash_its_core_offers(
    signed: Callable[[bytes, HashAlgorithm], bytes], kind: HashAlgorithm
) -> None:
    payload = build_image("esp32c3")
    data = signed(payload, kind)
    key = public(RSA if signed is esp32_rsa_signed else EC)
    assert read_image(data).signed
    verify_signature(data, key)
    damaged = data[: len(payload)] + b"\0\1" + data[len(payload) + 2 :]
    assert refused(damaged, key).cause is Cause.SIGNATURE_INVALID
    stranger = public(ec.generate_private_key(ec.SECP256R1()))
    assert refused(data, stranger).cause is Cause.SIGNATURE_INVALID


def test_an_esp32_image_that_was_changed_and_sealed_again_is_not_signed() -> None:
    data = esp32_rsa_signed(build_image("esp32", version="1.0.0"), SHA256())
    other = build_image("esp32", version="1.0.1") + data[-512:]
    assert read_image(other).signed
    assert refused(other, public(RSA)).cause is Cause.SIGNATURE_INVALID


# Detached signatures


@pytest.mark.parametrize("key", [MINISIGN_KEY, MINISIGN_KEY.splitlines()[1], f"\n {MINISIGN_KEY} "])
@pytest.mark.parametrize("detached", [MINISIGN_PLAIN, MINISIGN_HASHED])
def test_what_minisign_signed_is_signed(key: str, detached: str) -> None:
    verify_signature(SIGNED_TEXT, key, detached)
    verify_signature(SIGNED_TEXT, key, detached.replace("\n", "\r\n"))


@pytest.mark.parametrize("detached", [MINISIGN_PLAIN, MINISIGN_HASHED])
def test_a_detached_signature_is_for_one_file_and_one_comment(detached: str) -> None:
    assert refused(SIGNED_TEXT + b" ", MINISIGN_KEY, detached).cause is Cause.SIGNATURE_INVALID
    other = detached.replace("trusted comment: g", "trusted comment: h").replace(
        "comment: legacy g", "comment: legacy h"
    )
    assert other != detached
    assert refused(SIGNED_TEXT, MINISIGN_KEY, other).cause is Cause.SIGNATURE_INVALID


def test_nobody_vouches_for_the_untrusted_comment() -> None:
    other = MINISIGN_HASHED.replace("untrusted comment: signature", "untrusted comment: anything")
    verify_signature(SIGNED_TEXT, MINISIGN_KEY, other)


def test_a_detached_signature_of_another_key_is_not_trusted() -> None:
    raw = bytearray(base64.b64decode(MINISIGN_KEY.splitlines()[1]))
    raw[2] ^= 1
    other = base64.b64encode(raw).decode()
    assert refused(SIGNED_TEXT, other, MINISIGN_HASHED).cause is Cause.SIGNATURE_INVALID
    raw[2] ^= 1
    raw[20] ^= 1
    try:
        read_public_key(base64.b64encode(raw).decode())
    except SignatureError as error:
        assert error.cause is Cause.KEY_INVALID  # noqa: PT017 - not every point is on the curve
    else:
        error = refused(SIGNED_TEXT, base64.b64encode(raw).decode(), MINISIGN_HASHED)
        assert error.cause is Cause.SIGNATURE_INVALID


def test_a_missing_minisig_file_is_missing() -> None:
    assert refused(SIGNED_TEXT, MINISIGN_KEY).cause is Cause.SIGNATURE_MISSING


@pytest.mark.parametrize(
    "detached",
    [
        "",
        "hello",
        MINISIGN_HASHED.splitlines()[1],
        "\n".join(MINISIGN_HASHED.splitlines()[:2]),
        MINISIGN_HASHED.replace("RUTa", "RXTa"),
        MINISIGN_HASHED.replace("RUTa", "RUT!"),
        MINISIGN_HASHED.replace("RUTaI9if", "RUTa"),
        MINISIGN_HASHED.replace("untrusted comment:", "comment:"),
        MINISIGN_HASHED.replace("\ntrusted comment:", "\ncomment:"),
        MINISIGN_HASHED.replace("i4FkFlYH", "i4FkFlY"),
        MINISIGN_HASHED.replace("i4FkFlYH", "i4Fk"),
        MINISIGN_HASHED.replace("1.2.0", "\ud800"),
    ],
)
def test_a_file_that_is_no_signature_signs_nothing(detached: str) -> None:
    assert refused(SIGNED_TEXT, MINISIGN_KEY, detached).cause is Cause.SIGNATURE_INVALID


# Keys


@pytest.mark.parametrize(
    "key",
    [
        "",
        "secret",
        "\ud800",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN \ud800",
        pytest.param(public(ed25519.Ed25519PrivateKey.generate()), id="ed25519"),
        MINISIGN_KEY.splitlines()[0],
        MINISIGN_KEY + MINISIGN_KEY,
        MINISIGN_KEY.replace("RWTa", "RUTa"),
        MINISIGN_KEY.splitlines()[1][:-4],
    ],
)
def test_what_is_no_public_key_is_said_before_any_image_comes(key: str) -> None:
    with pytest.raises(SignatureError) as caught:
        read_public_key(key)
    assert caught.value.cause is Cause.KEY_INVALID
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


@pytest.mark.parametrize("key", [RSA, EC])
def test_a_private_key_is_refused_as_what_it_is(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    with pytest.raises(SignatureError) as caught:
        read_public_key(text)
    assert caught.value.facts["detail"] == "key_private"


@given(st.binary(max_size=600), st.sampled_from([public(RSA), public(EC), MINISIGN_KEY]), st.text())
def test_no_bytes_are_signed_by_chance(data: bytes, key: str, detached: str) -> None:
    refused(data, key, detached)
    refused(data + struct.pack("<I", 64), key, detached)
