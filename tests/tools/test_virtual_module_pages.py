"""What the update pages of the cores say, byte by byte, where a browser would not notice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.virtual_module import Fault, HttpConfig, HttpModule, ModuleConfig, Seen, build_image

SIZE = 32 * 1024
CORS = {"access-control-allow-headers": "*", "access-control-allow-origin": "*"}


class Visitor:
    """One connection, over which requests go as they are written."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take both ends of it."""
        self._reader = reader
        self._writer = writer

    async def ask(
        self, method: str, body: bytes = b"", path: str = "/update", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request; return status, headers by lower-case name, and body."""
        given = {"Host": "module"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        lines = [
            f"{method} {path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in given.items()),
        ]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        async with asyncio.timeout(5):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            said = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            return (
                int(head[0].split()[1]),
                said,
                await self._reader.readexactly(int(said["content-length"])),
            )

    async def upload(self, data: bytes, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a file as a browser does."""
        part = b'--x\r\nContent-Disposition: form-data; name="firmware"; filename="f.bin"\r\n\r\n'
        form = part + data + b"\r\n--x--\r\n"
        return await self.ask(
            "POST", form, Content_Type="multipart/form-data; boundary=x", **headers
        )

    async def is_closed(self) -> bool:
        """Tell whether the module closes the connection within a moment."""
        try:
            async with asyncio.timeout(0.2):
                return await self._reader.read(1) == b""
        except TimeoutError:
            return False

    def close(self) -> None:
        """Leave."""
        self._writer.transport.abort()


@asynccontextmanager
async def page(
    chip: str = "esp8266", http: dict[str, Any] | None = None, **config: Any
) -> AsyncIterator[HttpModule]:
    """Switch on a module with the update server of its core."""
    quick = {"time_scale": 0.005, "limit_scale": 0.3}
    async with HttpModule(
        ModuleConfig(chip=chip, **quick | config), HttpConfig(**http or {})
    ) as module:
        yield module


async def visit(module: HttpModule) -> Visitor:
    """Connect."""
    return Visitor(*await asyncio.open_connection(module.host, module.http_port))


@pytest.mark.slow
async def test_an_esp8266_keeps_a_connection_for_the_next_request_since_core_3() -> None:
    async with page() as module:
        visitor = await visit(module)
        for _ in range(2):
            status, headers, _ = await visitor.ask("GET")
            assert status == 200
            assert headers["connection"] == "keep-alive"
            assert headers["keep-alive"] == "timeout=2000"
        assert not await visitor.is_closed()
        await asyncio.sleep(2.0 * 0.3)
        assert await visitor.is_closed()


async def test_another_visitor_ends_a_kept_connection() -> None:
    async with page(limit_scale=10.0) as module:
        first, second = await visit(module), None
        await first.ask("GET")
        second = await visit(module)
        assert (await second.ask("GET"))[0] == 200
        assert await first.is_closed()
        second.close()


@pytest.mark.parametrize(
    ("chip", "config", "headers"),
    [
        ("esp8266", {}, {"Connection": "close"}),
        ("esp8266", {"core": "2.7.4"}, {}),
        ("esp32", {}, {}),
        ("rp2040", {}, {}),
    ],
)
async def test_others_close_and_so_does_whoever_is_asked_to(
    chip: str, config: dict[str, Any], headers: dict[str, str]
) -> None:
    async with page(chip, **config) as module:
        visitor = await visit(module)
        _, said, _ = await visitor.ask("GET", **headers)
        assert said["connection"] == "close"
        assert "keep-alive" not in said
        assert await visitor.is_closed()


@pytest.mark.parametrize(
    ("chip", "core", "cors"),
    [
        ("esp8266", "3.1.2", CORS),
        ("esp8266", "3.0.2", {}),
        ("esp8266", "2.7.4", {}),
        ("esp32", "3.1.2", {}),
        ("rp2040", "3.1.2", CORS),
    ],
)
async def test_a_401_is_empty_and_has_the_headers_of_a_post(
    chip: str, core: str, cors: dict[str, str]
) -> None:
    async with page(chip, {"password": "secret"}, core=core) as module:
        status, headers, body = await (await visit(module)).upload(b"\xe9" * 100)
        assert (status, body) == (401, b"")
        assert headers["content-type"] == "text/html"
        assert cors.items() <= headers.items()
        assert bool(cors) is ("access-control-allow-origin" in headers)
        status, headers, body = await (await visit(module)).ask("GET")
        assert (status, body) == (401, b"")
        assert "access-control-allow-origin" not in headers
        status, _, _ = await (await visit(module)).ask("OPTIONS")
        assert status == (200 if cors else 404)


@pytest.mark.parametrize(
    ("chip", "config"),
    [("esp8266", {}), ("rp2040", {}), ("esp32", {"generation": "legacy"})],
)
async def test_a_post_without_a_body_is_unauthorized_even_where_there_is_no_login(
    chip: str, config: dict[str, Any]
) -> None:
    async with page(chip, **config) as module:
        status, headers, body = await (await visit(module)).ask("POST")
        assert (status, body) == (401, b"")
        assert "www-authenticate" in headers
        assert module.restarts == 0


async def test_a_post_without_a_body_has_the_wrong_origin_on_a_newer_esp32() -> None:
    async with page("esp32") as module:
        status, _, body = await (await visit(module)).ask("POST")
        assert (status, body) == (200, b"Update error: Wrong origin received!")


@pytest.mark.parametrize(
    ("chip", "error"),
    [
        ("esp8266", b"ERROR[10]: Magic byte is not 0xE9\n"),
        ("rp2040", b"ERROR[4]: Not Enough Space\r\n"),
        ("esp32", b"Wrong Magic Byte\r\n"),
    ],
)
async def test_an_error_keeps_the_line_end_it_was_printed_with(chip: str, error: bytes) -> None:
    config = {"slot_size": 8192} if chip == "rp2040" else {}
    async with page(chip, {"origin_rule": False}, **config) as module:
        status, _, body = await (await visit(module)).upload(b"<html>".ljust(SIZE))
        assert (status, body) == (200, b"Update error: " + error)


async def test_the_form_is_the_cores_own() -> None:
    async with page() as module:
        _, headers, body = await (await visit(module)).ask("GET")
        assert headers["content-length"] == "664"
        assert b"accept='.bin,.bin.gz' name='filesystem'" in body
    async with page("esp32") as module:
        _, _, body = await (await visit(module)).ask("GET")
        assert b"accept='.bin,.bin.gz,.image' name='filesystem'" in body


@pytest.mark.parametrize("chip", ["esp8266", "esp32", "rp2040"])
async def test_a_page_that_is_not_there_is_told_as_html(chip: str) -> None:
    async with page(chip) as module:
        status, headers, body = await (await visit(module)).ask("GET", path="/nowhere")
        assert (status, body) == (404, b"Not found: /nowhere")
        assert headers["content-type"] == "text/html"


async def test_esp32_cores_before_the_rule_take_any_origin() -> None:
    image = build_image("esp32", version="2.0.0", size=SIZE)
    async with page("esp32", generation="legacy") as module:
        _, _, body = await (await visit(module)).upload(image, Origin="http://example.org")
        assert b"Update Success" in body
        await module.wait_for(Seen.BACK)


async def test_an_end_that_an_esp8266_cannot_write_is_an_error_without_words() -> None:
    image = build_image("esp8266", version="2.0.0", size=SIZE + 2000)
    async with page(faults={Fault.FLASH_WRITE_ERROR: 1}, fault_at=0.98) as module:
        status, _, body = await (await visit(module)).upload(image)
        assert (status, body) == (200, b"Update error: ")
        assert module.restarts == 0
        # What eboot will copy is not what was sent: only another upload saves the module.
        assert module.board.staged is not None
        assert module.board.staged.payload == image[:SIZE]
        _, _, body = await (await visit(module)).upload(image)
        assert b"Update Success" in body
        await module.wait_for(Seen.BACK)
        assert module.running_image == image


async def test_a_sector_in_the_middle_has_its_words() -> None:
    image = build_image("esp8266", version="2.0.0", size=SIZE + 100)
    async with page(faults=[Fault.FLASH_WRITE_ERROR]) as module:
        _, _, body = await (await visit(module)).upload(image)
        assert body == b"Update error: ERROR[1]: Flash Write Failed\n"
        assert module.board.staged is None
