"""Whatever a web server says, and however it says it: a delivery or a cause with a name."""

import asyncio
import gzip
import hashlib
import json
import re
from typing import Any
import zlib

from aiohttp.test_utils import TestServer
import aiohttp.web
from hypothesis import given, settings, strategies as st
import pytest

from custom_components.esp_ota.ota import (
    Cause,
    Delivery,
    Fixed,
    ImageKind,
    OtaError,
    UploadDialect,
    UploadLimits,
)
from custom_components.esp_ota.ota.exceptions import (
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
    TransferError,
)
from custom_components.esp_ota.ota.transport._dialects import DIALECTS
from custom_components.esp_ota.ota.transport._http import (
    REPLY_LIMIT,
    Reply,
    after_interim,
    plain,
    read_reply,
    request_head,
)
from custom_components.esp_ota.ota.transport._multipart import around_file, boundary_for
from custom_components.esp_ota.ota.transport._verdict import admit, delivery
from custom_components.esp_ota.ota.transport._web import Web, _authority
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.transport.web_scripts import DATA, FORM, GOOD, page, send, web

UPDATE = UploadDialect.UPDATE_SERVER
WIFI = UploadDialect.WIFI_OTA
HASTY = UploadLimits(connect=5.0, answer=5.0, stall=5.0, result=5.0, rest=0.05, poll=0.005)
"""Waits for what comes, but not for the rest of what was broken off."""
IMPATIENT = UploadLimits(connect=5.0, answer=0.3, stall=5.0, result=0.3, rest=0.05, poll=0.005)
PLACE = {"host": "127.0.0.1", "port": "80"}


async def failed(port: int, dialect: UploadDialect = UPDATE, **changes: Any) -> OtaError:
    with pytest.raises(OtaError) as caught:
        await send(port, dialect, **changes)
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


async def ending_of(
    reply: bytes, dialect: UploadDialect = WIFI, *, early: bool = False, stays: bool = False
) -> Delivery | OtaError:
    """Send an image to a server that says this, to the image or `early`, to all before it."""
    paths = {form.path.partition("?")[0] for form in DIALECTS[dialect].forms.values()}
    pages = dict.fromkeys(GOOD, reply) if early else GOOD | {f"POST {at}": reply for at in paths}
    async with web(pages, stays=stays) as server:
        try:
            return await send(server.port, dialect, limits=IMPATIENT)
        except OtaError as error:
            assert_sentence_is_whole(error.cause, error.facts)
            return error


# The request


async def test_the_form_is_what_a_browser_sends_byte_for_byte() -> None:
    async with web({"/update": FORM}) as server:
        await send(server.port)
        head, _, body = server.requests[-1].partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        assert lines[0] == "POST /update HTTP/1.1"
        boundary = re.fullmatch(
            "Content-Type: multipart/form-data; boundary=(----WebKitFormBoundary[A-Za-z0-9]{16})",
            next(line for line in lines if line.startswith("Content-Type")),
        )
        assert boundary is not None
        mark = boundary[1].encode()
        assert body == (
            b"--" + mark + b"\r\n"
            b'Content-Disposition: form-data; name="firmware"; filename="firmware.bin"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n" + DATA + b"\r\n--" + mark + b"--\r\n"
        )
        assert f"Content-Length: {len(body)}" in lines


async def test_the_form_is_read_by_a_server_that_nobody_here_wrote() -> None:
    found: list[tuple[str, str | None, bytes]] = []

    async def take(request: aiohttp.web.Request) -> aiohttp.web.Response:
        for name, value in (await request.post()).items():
            if isinstance(value, aiohttp.web.FileField):
                found.append((name, value.filename, value.file.read()))
            else:
                found.append((name, None, str(value).encode()))
        return aiohttp.web.Response(text="OK")

    async def show(_: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.json_response({"id": "1", "hardware": "ESP8266"})

    app = aiohttp.web.Application(client_max_size=1 << 22)
    app.router.add_post("/update", take)
    app.router.add_get("/update/identity", show)
    async with TestServer(app) as server:
        assert server.port is not None
        sent = await send(server.port, UploadDialect.ASYNC_ELEGANT_OTA)
    assert sent is Delivery.ACCEPTED
    md5 = hashlib.md5(DATA).hexdigest().encode()
    assert found == [("MD5", None, md5), ("firmware", "firmware", DATA)]


async def test_the_md5_stands_before_the_file_where_it_is_wanted() -> None:
    identity = page(b'{"id": "1", "hardware": "ESP32"}')
    async with web({"/update/identity": identity, "/update": page(b"OK")}) as server:
        assert await send(server.port, UploadDialect.ASYNC_ELEGANT_OTA) is Delivery.ACCEPTED
        body = server.requests[-1].partition(b"\r\n\r\n")[2]
        begin = b'Content-Disposition: form-data; name="MD5"\r\n\r\n'
        assert body.index(begin) < body.index(b'name="firmware"; filename="firmware"\r\n')


def test_wifi_ota_gets_its_headers_letter_by_letter() -> None:
    head = request_head("POST", "/sketch", {"Content-Length": "5", "Authorization": "Basic eA=="})
    assert head == (
        b"POST /sketch HTTP/1.1\r\nContent-Length: 5\r\nAuthorization: Basic eA==\r\n\r\n"
    )


def test_a_boundary_never_occurs_in_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = iter("A" * 16 + "B" * 16)
    monkeypatch.setattr("secrets.choice", lambda _: next(letters))
    data = b"....------WebKitFormBoundaryAAAAAAAAAAAAAAAA...."
    assert boundary_for(data) == "----WebKitFormBoundaryBBBBBBBBBBBBBBBB"


def test_texts_stand_before_the_file() -> None:
    before, behind = around_file("x", "f", "f.bin", {"a": "1"})
    assert before.startswith(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\n')
    assert behind == b"\r\n--x--\r\n"


@pytest.mark.parametrize(
    ("host", "port", "written"),
    [
        ("192.0.2.1", 80, "192.0.2.1"),
        ("192.0.2.1", 8080, "192.0.2.1:8080"),
        ("valve.local", 80, "valve.local"),
        ("fe80::1", 80, "[fe80::1]"),
        ("fe80::1", 81, "[fe80::1]:81"),
        ("gemüse.local", 80, "xn--gemse-mva.local"),
    ],
)
def test_the_host_is_written_as_a_browser_writes_it(host: str, port: int, written: str) -> None:
    assert _authority(host, port) == written


# What an answer means


def reply(status: int = 200, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status=status, headers=headers, body=body)


def meaning(dialect: UploadDialect, of: Reply) -> Delivery | Cause:
    try:
        return delivery(of, "/update", DIALECTS[dialect], password_known=True)
    except OtaError as error:
        assert_sentence_is_whole(error.cause, PLACE | error.facts)
        return error.cause


SUCCESS = b'<META http-equiv="refresh" content="15;URL=/">Update Success! Rebooting...'
FRENCH = (
    b"<script>setTimeout(function(){location.href='.';},24000);</script>"
    b"<b>Envoi <font color='#008000'>R\xc3\xa9ussi</font></b><br>"
)
POLISH = b"<b>x <font color='#f00'>Blad</font></b><br><br>Malo miejsca</div><button>Menu</button>"


@pytest.mark.parametrize(
    ("dialect", "answer", "means"),
    [
        (UPDATE, reply(body=SUCCESS), Delivery.ACCEPTED),
        (UPDATE, reply(body=b"Update error: ERROR[4]: Not Enough Space\n"), Cause.NO_SPACE),
        (UPDATE, reply(body=b"Update error: Wrong Magic Byte\r\n"), Cause.WRONG_MAGIC),
        (UPDATE, reply(body=b"Update error: Wrong origin received!"), Cause.WRONG_ORIGIN),
        (UPDATE, reply(body=b"Update error: "), Cause.END_NOT_WRITTEN),
        (UPDATE, reply(500, SUCCESS), Cause.REJECTED),
        (UPDATE, reply(401), Cause.WRONG_PASSWORD),
        (UPDATE, reply(404), Cause.PAGE_NOT_FOUND),
        (UPDATE, reply(405), Cause.PAGE_NOT_FOUND),
        (UPDATE, reply(403, b"go away"), Cause.REJECTED),
        (UPDATE, reply(503, b"busy"), Cause.BUSY),
        (UPDATE, reply(302, location="/login"), Cause.LOGIN_REQUIRED),
        (UPDATE, reply(302, location="/"), Cause.REJECTED),
        (UPDATE, reply(body=b"<input type=password>"), Cause.LOGIN_REQUIRED),
        (UPDATE, reply(body=b"Done, see you."), Delivery.UNCONFIRMED),
        (UPDATE, reply(body=b"<h1>Update Failed!</h1>"), Cause.REJECTED_BY_PAGE),
        (UPDATE, Reply(status=None, headers={}, body=b"\xff\x00"), Delivery.UNCONFIRMED),
        (UploadDialect.WEB_UPDATE, reply(body=b"OK"), Delivery.ACCEPTED),
        (UploadDialect.WEB_UPDATE, reply(body=SUCCESS), Delivery.ACCEPTED),
        (UploadDialect.WEB_UPDATE, reply(body=b"FAIL"), Cause.REJECTED_BY_PAGE),
        (UploadDialect.ELEGANT_OTA, reply(body=b"OK"), Delivery.ACCEPTED),
        (UploadDialect.ELEGANT_OTA, reply(400, b"Not Enough Space\r\n\n"), Cause.NO_SPACE),
        (UploadDialect.ASYNC_ELEGANT_OTA, reply(500, b"FAIL"), Cause.REJECTED_BY_PAGE),
        (UploadDialect.ASYNC_ELEGANT_OTA, reply(400, b"MD5 parameter invalid"), Cause.REJECTED),
        (UploadDialect.PRETTY_OTA, reply(), Delivery.ACCEPTED),
        (UploadDialect.PRETTY_OTA, reply(body=b"<h1>Valve</h1>"), Delivery.UNCONFIRMED),
        (
            UploadDialect.PRETTY_OTA,
            reply(400, b"ERROR_OUT_OF_MEMORY: No available memory for allocation"),
            Cause.OUT_OF_MEMORY,
        ),
        (
            UploadDialect.PRETTY_OTA,
            reply(400, b"ERROR_NO_SPACE: Not enough free space"),
            Cause.NO_SPACE,
        ),
        (UploadDialect.TASMOTA, reply(body=FRENCH), Delivery.ACCEPTED),
        (UploadDialect.TASMOTA, reply(body=POLISH), Cause.REJECTED),
        (
            UploadDialect.TASMOTA,
            reply(body=POLISH.replace(b"Malo miejsca", b"Upload aborted")),
            Cause.ABORTED_BY_MODULE,
        ),
        (
            UploadDialect.TASMOTA,
            reply(
                body=POLISH.replace(
                    b"Malo miejsca", b"Error: program flash size is larger than real flash size"
                )
            ),
            Cause.FLASH_CONFIG,
        ),
        (WIFI, reply(body=b"OK"), Delivery.ACCEPTED),
        (WIFI, reply(413, b"Payload Too Large"), Cause.NO_SPACE),
        (WIFI, reply(414, b"Payload size wrong"), Cause.BAD_SIZE),
        (WIFI, reply(500, b"Internal Server Error"), Cause.REJECTED),
        (WIFI, reply(400), Cause.REJECTED),
    ],
)
def test_status_and_body_decide_together(
    dialect: UploadDialect, answer: Reply, means: Delivery | Cause
) -> None:
    assert meaning(dialect, answer) is means


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (reply(body=b"<p>Update error: <b>Bad Size Given</b></p>"), "Bad Size Given"),
        (reply(body=b"<style>b{}</style>Update error: \n ERROR[1]:\tX\0"), "ERROR[1]: X"),
        (Reply(status=500, reason=b"Oops", headers={}, body=b""), "HTTP 500 Oops"),
        (Reply(status=599, headers={}, body=b"<br>"), "HTTP 599"),
    ],
)
def test_the_words_of_a_page_are_shown_without_the_page(answer: Reply, text: str) -> None:
    with pytest.raises(ModuleRejectedImage) as caught:
        delivery(answer, "/update", DIALECTS[UPDATE], password_known=False)
    assert caught.value.facts == {"text": text}


def test_a_leftover_of_elegant_ota_may_be_tried_again() -> None:
    with pytest.raises(TransferError) as caught:
        delivery(
            reply(400, b"MD5 Check Failed\r\n\n"),
            "/ota/upload",
            DIALECTS[UploadDialect.ELEGANT_OTA],
            password_known=False,
        )
    assert caught.value.cause is Cause.MD5_MISMATCH


# Before the image


@pytest.mark.parametrize(
    ("check", "error", "cause"),
    [
        (b"", ModuleConnectionError, Cause.HTTP_NO_ANSWER),
        (page(b"", status=b"401 No"), ModuleAuthError, Cause.PASSWORD_MISSING),
        (page(b"", status=b"404 No"), ModuleConnectionError, Cause.PAGE_NOT_FOUND),
        (page(b"", status=b"500 No"), ModuleConnectionError, Cause.HTTP_ERROR),
        (page(b"", b"Location: /x", status=b"302 X"), ModuleConnectionError, Cause.HTTP_ERROR),
        (page(b"", b"Location: /Login", status=b"302 X"), ModuleAuthError, Cause.LOGIN_REQUIRED),
        (page(b"<title>Valve"), ModuleConnectionError, Cause.UNKNOWN_DIALECT),
        (page(b""), ModuleConnectionError, Cause.UNKNOWN_DIALECT),
        (page(b"<input type='password'>"), ModuleAuthError, Cause.LOGIN_REQUIRED),
        (b"\xff\xfe\r\n\r\n", ModuleConnectionError, Cause.HTTP_ERROR),
        (b"HTTP/1.1", ModuleConnectionError, Cause.HTTP_ERROR),
    ],
)
async def test_a_page_that_does_not_let_us_in_costs_no_byte_of_the_image(
    check: bytes, error: type[OtaError], cause: Cause
) -> None:
    begun: list[bool] = []
    async with web({"/update": check}) as server:
        failure = await failed(server.port, before=lambda: begun.append(True), limits=HASTY)
        assert isinstance(failure, error)
        assert failure.cause is cause
        assert not begun
        assert len(server.requests) == 1


async def test_a_tasmota_that_keeps_silent_did_not_like_where_we_came_from() -> None:
    async with web({"/up": b"", "/": page(b"Main menu")}) as server:
        failure = await failed(server.port, UploadDialect.TASMOTA)
        assert isinstance(failure, ModuleRejectedImage)
        assert failure.cause is Cause.WRONG_ORIGIN


async def test_a_tasmota_that_answers_nobody_has_lost_its_power() -> None:
    async with web({"/up": b"", "/": b""}) as server:
        failure = await failed(server.port, UploadDialect.TASMOTA)
        assert isinstance(failure, ModuleConnectionError)
        assert failure.cause is Cause.HTTP_NO_ANSWER


@pytest.mark.slow
async def test_a_server_that_never_answers_is_not_waited_for_for_ever() -> None:
    async with web({"/update": b""}, stays=True) as server:
        failure = await failed(server.port, limits=IMPATIENT)
        assert failure.cause is Cause.HTTP_NO_ANSWER


@pytest.mark.parametrize("said", [b"<title>Valve</title>", b"no"])
async def test_a_start_that_is_not_confirmed_is_no_start(said: bytes) -> None:
    async with web({"/ota/start": page(said)}) as server:
        failure = await failed(server.port, UploadDialect.ELEGANT_OTA)
        assert failure.cause is Cause.UNKNOWN_DIALECT


INFO = "/prettyota/queryPrettyOTAInfo"


@pytest.mark.parametrize(
    ("info", "login", "cause"),
    [
        (page(b"[]"), b"", Cause.UNKNOWN_DIALECT),
        (page(b'"prettyotaVersion"'), b"", Cause.PAGE_NOT_FOUND),
        (page(b'"prettyotaVersion"' + b"[" * 50_000), b"", Cause.PAGE_NOT_FOUND),
        (None, b"", Cause.HTTP_NO_ANSWER),
        (None, page(b"", status=b"401 No"), Cause.WRONG_PASSWORD),
        (None, page(b"", status=b"400 No"), Cause.REJECTED),
        (None, page(b"hello"), Cause.HTTP_ERROR),
        (None, page(b"", b"Set-Cookie: ; HttpOnly"), Cause.HTTP_ERROR),
    ],
)
async def test_a_login_that_fails_has_a_name(
    info: bytes | None, login: bytes, cause: Cause
) -> None:
    told = {"prettyotaVersion": "1", "authenticationEnabled": True, "loginURL": "/in"}
    pages = {INFO: info or page(json.dumps(told).encode()), "/in": login}
    async with web(pages) as server:
        failure = await failed(server.port, UploadDialect.PRETTY_OTA, password="x")
        assert failure.cause is cause


@pytest.mark.parametrize("url", ["/lo gin", "http://other/", 7, None, "/a\r\nb"])
async def test_a_login_page_with_an_odd_address_is_looked_for_at_the_usual_one(url: Any) -> None:
    told = {"prettyotaVersion": "1", "authenticationEnabled": 1, "loginURL": url}
    login = page(b"", b"Set-Cookie: sessionID=12; Path=/; HttpOnly")
    pages = {
        INFO: page(json.dumps(told).encode()),
        "/login": login,
        "/prettyota/start": page(b""),
        "/prettyota/upload": page(b""),
    }
    async with web(pages) as server:
        delivered = await send(server.port, UploadDialect.PRETTY_OTA, password="x")
        assert delivered is Delivery.ACCEPTED
        assert b"\r\nCookie: sessionID=12\r\n" in server.requests[-1]


# How an answer comes


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
        b"HTTP/1.0 200 OK\r\n\r\nOK",
        b"HTTP/1.1 200\nContent-length:2\n\nOK",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nOK\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nO\r\n1\r\nK\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nOK, but cut off",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nOK",
    ],
)
@pytest.mark.parametrize("stays", [True, False])
async def test_a_yes_is_understood_however_it_is_framed(said: bytes, stays: bool) -> None:
    async with web({"/sketch": said}, stays=stays) as server:
        assert await send(server.port, WIFI, limits=HASTY) is Delivery.ACCEPTED


@pytest.mark.parametrize(
    "said",
    [b"", b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"\x00\xff", b"RTSP/1.0 200 OK\r\n\r\nOK"],
)
@pytest.mark.parametrize("stays", [True, False])
async def test_what_is_no_answer_leaves_it_to_the_evidence(said: bytes, stays: bool) -> None:
    async with web({"/sketch": said}, stays=stays) as server:
        assert await send(server.port, WIFI, limits=IMPATIENT) is Delivery.UNCONFIRMED


async def test_an_endless_answer_is_read_to_a_limit_only() -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\nOK" + bytes(4 * REPLY_LIMIT)
    assert await ending_of(endless) is Delivery.ACCEPTED
    assert await ending_of(bytes(4 * REPLY_LIMIT)) is Delivery.UNCONFIRMED


@pytest.mark.slow
async def test_an_answer_that_trickles_in_for_ever_is_cut_off() -> None:
    visits: set[asyncio.Task[Any] | None] = set()

    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.add(asyncio.current_task())
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nOK")
        while not writer.is_closing():
            writer.write(b".")
            await asyncio.sleep(0.005)

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await send(port, WIFI, data=b"\xe9", limits=IMPATIENT) is Delivery.ACCEPTED
    failure = await failed(port, limits=IMPATIENT)
    assert failure.cause is Cause.UNKNOWN_DIALECT
    server.close()
    server.close_clients()
    await asyncio.gather(*filter(None, visits))


async def test_a_no_in_the_middle_of_the_body_ends_the_upload() -> None:
    data = bytes(4_000_000)
    said = page(b"Not Enough Space", status=b"400 Bad Request")
    async with web({"/sketch": said}, reads_body=False, stays=True) as server:
        failure = await failed(server.port, WIFI, data=data)
        assert isinstance(failure, ModuleRejectedImage)
        assert failure.cause is Cause.NO_SPACE


async def test_a_yes_in_the_middle_of_the_body_cannot_be_true() -> None:
    async with web({"/sketch": page(b"OK")}, reads_body=False) as server:
        failure = await failed(server.port, WIFI, data=bytes(4_000_000))
        assert isinstance(failure, TransferError)
        assert failure.cause is Cause.CONNECTION_LOST


async def test_an_ipv6_address_is_taken_as_it_is() -> None:
    visitor = Web(Fixed("fe80::1", 8080), HASTY)
    await visitor.find()
    assert visitor.headers()["Host"] == "[fe80::1]:8080"
    assert visitor.headers()["Referer"] == "http://[fe80::1]:8080/"


# Replies of any kind


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
