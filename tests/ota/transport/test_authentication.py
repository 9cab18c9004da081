"""The three variants of the password proof, against known answers."""

import hashlib

import pytest

from custom_components.esp_ota.ota import Cause
from custom_components.esp_ota.ota.exceptions import ModuleAuthError
from custom_components.esp_ota.ota.transport._authentication import client_nonce, keys_for, response

ADMIN_MD5 = "21232f297a57a5a743894a0e4a801fc3"
ADMIN_SHA256 = "8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918"
SHORT_NONCE = "0" * 31 + "1"
LONG_NONCE = "0" * 63 + "1"


@pytest.mark.parametrize(
    ("password", "nonce", "cnonce", "place", "key", "answer"),
    [
        pytest.param(
            "admin",
            SHORT_NONCE,
            "f" * 32,
            0,
            ADMIN_MD5,
            "3c25443fa1a1cba1925e7a1a96ceea66",
            id="A",
        ),
        pytest.param(
            "admin",
            LONG_NONCE,
            "f" * 64,
            0,
            ADMIN_SHA256,
            "f36c00e16c3e26ea88746703ee10ed28f149124ccde2626a1248a397e9bd31f8",
            id="B",
        ),
        pytest.param(
            "admin",
            LONG_NONCE,
            "f" * 64,
            1,
            ADMIN_MD5,
            "606e0d201d314020f5fca29b2d3b2cec578e0673f997b39310724dd5ccd508e8",
            id="C",
        ),
        pytest.param(
            "a-real-password",
            "ab" * 32,
            "cd" * 32,
            0,
            hashlib.sha256(b"a-real-password").hexdigest(),
            "4d63ba8b1efa8949a0c5caefe7e8bc77db582e5531bdf2667c663394b4551b93",
            id="B-by-a-third-party",
        ),
    ],
)
def test_the_response_is_the_published_one(
    password: str, nonce: str, cnonce: str, place: int, key: str, answer: str
) -> None:
    assert keys_for(password, nonce)[place] == key
    assert response(key, nonce, cnonce) == answer


def test_the_independent_vector_begins_and_ends_as_printed() -> None:
    key = keys_for("a-real-password", "ab" * 32)[0]
    assert (key[:8], key[-6:]) == ("980061b5", "202f9e")


def test_an_old_module_has_one_key_and_a_new_one_two() -> None:
    assert keys_for("admin", SHORT_NONCE) == [ADMIN_MD5]
    assert keys_for("admin", LONG_NONCE) == [ADMIN_SHA256, ADMIN_MD5]


@pytest.mark.parametrize(
    ("password", "nonce", "last"),
    [
        (ADMIN_MD5, SHORT_NONCE, ADMIN_MD5),
        (ADMIN_MD5, LONG_NONCE, ADMIN_MD5),
        (ADMIN_SHA256, LONG_NONCE, ADMIN_SHA256),
    ],
)
def test_a_password_that_is_a_hash_is_tried_as_it_is_last(
    password: str, nonce: str, last: str
) -> None:
    keys = keys_for(password, nonce)
    assert keys[-1] == last
    assert keys[0] != last


@pytest.mark.parametrize(
    ("password", "nonce"),
    [(ADMIN_SHA256, SHORT_NONCE), (ADMIN_MD5[:-1], LONG_NONCE), ("g" * 32, SHORT_NONCE)],
    ids=["a long hash for a short nonce", "one digit short", "no hex"],
)
def test_other_passwords_are_never_sent_as_keys(password: str, nonce: str) -> None:
    assert password not in keys_for(password, nonce)


@pytest.mark.parametrize(
    ("password", "nonce"),
    [
        (ADMIN_MD5.upper(), SHORT_NONCE),
        (ADMIN_MD5.upper(), LONG_NONCE),
        (ADMIN_SHA256.upper(), LONG_NONCE),
        (ADMIN_MD5.title(), SHORT_NONCE),
    ],
)
def test_a_hash_in_capitals_is_tried_as_it_is_and_as_tools_spell_it(
    password: str, nonce: str
) -> None:
    keys = keys_for(password, nonce)
    assert keys[-2:] == [password, password.lower()]
    assert len(keys) == len(set(keys))


def test_a_password_is_hashed_as_utf_8_without_a_byte_order_mark() -> None:
    expected = hashlib.md5("grün".encode(), usedforsecurity=False).hexdigest()
    assert keys_for("grün", SHORT_NONCE) == [expected]


@pytest.mark.parametrize("length", [0, 1, 31, 33, 63, 65, 128])
def test_a_nonce_of_another_length_is_an_unknown_variant(length: int) -> None:
    with pytest.raises(ModuleAuthError) as caught:
        keys_for("admin", "a" * length)
    assert caught.value.cause is Cause.AUTH_UNKNOWN
    assert caught.value.facts == {"length": str(length)}


@pytest.mark.parametrize("nonce", [SHORT_NONCE, LONG_NONCE])
def test_the_client_nonce_has_the_length_of_the_modules_and_is_never_the_same(nonce: str) -> None:
    first, second = client_nonce(nonce), client_nonce(nonce)
    assert len(first) == len(nonce)
    assert set(first) <= set("0123456789abcdef")
    assert first != second
