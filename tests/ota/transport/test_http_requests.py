"""What an upload sends, byte for byte: the form, its headers and where they go."""

import hashlib
import re

from aiohttp.test_utils import TestServer
import aiohttp.web
import pytest

from custom_components.esp_ota.ota import Delivery, UploadDialect
from custom_components.esp_ota.ota.transport._http import request_head
from custom_components.esp_ota.ota.transport._multipart import around_file, boundary_for
from custom_components.esp_ota.ota.transport._web import _authority
from tests.ota.transport.web_scripts import DATA, FORM, page, send, web


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
