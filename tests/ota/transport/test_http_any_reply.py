"""Whatever bytes a web server sends, in linear time: a delivery or a cause with a name."""

import asyncio
import gzip
import zlib

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.esp_ota.ota import Cause, Delivery, ImageKind, OtaError, UploadDialect
from custom_components.esp_ota.ota.transport._dialects import DIALECTS
from custom_components.esp_ota.ota.transport._http import after_interim, plain, read_reply
from custom_components.esp_ota.ota.transport._verdict import admit
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.transport.web_answers import (
    FRENCH,
    PLACE,
    POLISH,
    SUCCESS,
    ending_of,
    meaning,
    reply,
)
from tests.ota.transport.web_scripts import page

HEADS = st.builds(
    lambda status, headers: (
        b"HTTP/1.1 " + status + b"\r\n" + b"".join(h + b"\r\n" for h in headers) + b"\r\n"
    ),
    st.sampled_from([b"200 OK", b"400 Bad", b"401 No", b"404", b"500 Oops", b"100 Go", b"999 ?"]),
    st.lists(
        st.sampled_from(
            [
                b"Content-Length: 5",
                b"content-length: x",
                b"Transfer-Encoding: chunked",
                b"Content-Encoding: gzip",
                b"Location: /login",
                b"Set-Cookie: a=b",
                b": ",
                b"\xff\xfe: \x00",
            ]
        )
        | st.binary(max_size=20),
        max_size=4,
    ),
)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=100).map(str.encode),
    st.sampled_from(
        [
            b"OK",
            b"FAIL",
            SUCCESS,
            FRENCH,
            POLISH,
            b"Update error: ERROR[10]: Magic byte is not 0xE9",
            b"5\r\nOK\r\n\r\n0\r\n\r\n",
            gzip.compress(b"OK"),
            b"<" * 300,
            b"<script" * 50,
        ]
    ),
)
REPLIES = st.binary(max_size=300) | st.builds(lambda head, body: head + body, HEADS, BODIES)


@given(REPLIES, st.booleans())
def test_any_bytes_are_a_reply_or_the_beginning_of_one(raw: bytes, ended: bool) -> None:
    found = read_reply(after_interim(raw), ended=ended)
    if ended:
        assert found is not None
    if found is not None:
        assert len(found.text) <= 160
        assert found.text.isprintable()


@given(REPLIES, st.sampled_from(UploadDialect))
def test_any_reply_to_an_image_is_a_delivery_or_a_cause(raw: bytes, dialect: UploadDialect) -> None:
    found = read_reply(raw, ended=True)
    assert found is not None
    assert meaning(dialect, found) in {*Delivery, *Cause}


@given(REPLIES, st.sampled_from(UploadDialect))
def test_any_reply_to_a_look_lets_in_or_has_a_cause(raw: bytes, dialect: UploadDialect) -> None:
    found = read_reply(raw, ended=True)
    for path, shows in DIALECTS[dialect].steps:
        try:
            admit(found, path, DIALECTS[dialect], password_known=False, shows=shows)
        except OtaError as error:
            assert_sentence_is_whole(error.cause, PLACE | error.facts)


@pytest.mark.slow
@given(REPLIES, st.sampled_from(UploadDialect), st.booleans(), st.booleans())
@settings(max_examples=150)
def test_any_reply_over_the_wire_ends_in_time(
    raw: bytes, dialect: UploadDialect, early: bool, stays: bool
) -> None:
    ending = asyncio.run(ending_of(raw, dialect, early=early, stays=stays))
    assert isinstance(ending, Delivery | OtaError)


@pytest.mark.parametrize("dialect", UploadDialect)
async def test_the_scripts_reach_the_image_when_all_is_well(dialect: UploadDialect) -> None:
    yes = b"" if dialect is UploadDialect.PRETTY_OTA else b"OK Update Success Successful"
    assert await ending_of(page(yes), dialect) is Delivery.ACCEPTED


@pytest.mark.slow
def test_a_packed_page_is_unpacked_to_a_limit_only() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(reply(body=bomb, **{"content-encoding": "gzip"}).page) <= 256 * 1024
    assert reply(body=b"no gzip", **{"content-encoding": "gzip"}).page == b"no gzip"
    cut = gzip.compress(zlib.compress(bytes(1000)) * 20)[:60]
    assert reply(body=cut, **{"content-encoding": "gzip"}).page


@pytest.mark.parametrize("worst", [b"<", b"<script", b"<a ", b"<script></script>", b"<style>"])
def test_text_is_taken_from_the_worst_of_pages_in_linear_time(worst: bytes) -> None:
    """Fails by the time limit of the suite: quadratic, this would take minutes."""
    huge = worst * (256 * 1024 // len(worst))
    assert len(plain(huge)) <= 160
    for dialect, manners in DIALECTS.items():
        assert meaning(dialect, reply(body=huge)) is not None
        assert manners.at("/x") is not None


def test_every_dialect_takes_sketches_and_says_what_it_is_called() -> None:
    assert set(DIALECTS) == set(UploadDialect)
    for manners in DIALECTS.values():
        assert ImageKind.SKETCH in manners.forms
        assert manners.title
