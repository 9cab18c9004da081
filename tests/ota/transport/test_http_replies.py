"""Whatever a web server says, and however it says it: a delivery or a cause with a name."""

import asyncio
import json
from typing import Any

import pytest

from custom_components.esp_ota.ota import Cause, Delivery, Fixed, OtaError, UploadDialect
from custom_components.esp_ota.ota.exceptions import (
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
    TransferError,
)
from custom_components.esp_ota.ota.transport._dialects import DIALECTS
from custom_components.esp_ota.ota.transport._http import REPLY_LIMIT, Reply
from custom_components.esp_ota.ota.transport._verdict import delivery
from custom_components.esp_ota.ota.transport._web import Web
from tests.ota.transport.web_answers import (
    FRENCH,
    HASTY,
    IMPATIENT,
    POLISH,
    SUCCESS,
    UPDATE,
    WIFI,
    ending_of,
    failed,
    meaning,
    reply,
)
from tests.ota.transport.web_scripts import page, send, web

# What an answer means


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
        assert failure.cause is Cause.FOREIGN_ORIGIN


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
