"""Why an update that was asked for fails: each client's own errors, and when it finds them."""

import asyncio
import hashlib
from typing import Any

import pytest

from tests.tools.chips import ESP32, ESP8266, PICO, PULLERS, SIZE, image_for, why
from tests.virtual_module import ModuleConfig, PullMode, Seen, build_image, pull_body
from tests.virtual_module.board import Board
from tests.virtual_module.plain_server import offer, pulling


@pytest.mark.parametrize(
    ("chip", "status", "code", "text"),
    [
        (ESP8266, "404 Not Found", -102, "File Not Found (404)"),
        (ESP8266 | {"core": "2.3.0"}, "404 Not Found", -102, "File not found (404)"),
        (ESP32, "403 Forbidden", -103, "Forbidden (403)"),
        (PICO, "401 Unauthorized", -108, "Unauthorized (401)"),
        (ESP8266, "401 Unauthorized", -108, "Unauthorized (401)"),
        (ESP8266 | {"core": "2.7.4"}, "401 Unauthorized", -104, "Wrong HTTP Code"),
        (ESP32, "401 Unauthorized", -104, "Wrong HTTP Code"),
        (ESP8266, "206 Partial Content", -104, "Wrong HTTP Code"),
        (ESP32, "500 Internal Server Error", -104, "Wrong HTTP Code"),
        (PICO, "429 Too Many Requests", -104, "Wrong HTTP Code"),
    ],
)
async def test_each_status_has_its_error(
    chip: dict[str, Any], status: str, code: int, text: str
) -> None:
    async with pulling(offer(image_for(chip), status=status), **chip) as (module, _server):
        assert await why(module) == (code, text)
        await module.wait_for("no_update")
        assert not module.events.count_of(Seen.FIRST_BYTE)
        assert module.restarts == 0


@pytest.mark.parametrize("chip", PULLERS)
@pytest.mark.parametrize("status", [301, 302, 303, 307])
async def test_a_redirect_is_refused(chip: dict[str, Any], status: int) -> None:
    async with pulling(image_for(chip), **chip, pull={"poll_interval": 60.0}) as (_, elsewhere):
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
        known = len(elsewhere.requests)
        async with pulling(moved.encode(), **chip) as (module, server):
            failed = await module.wait_for("pull_failed")
            assert failed.details["code"] == -104
            await module.wait_for("no_update")
            assert len(server.requests) >= 2
        assert len(elsewhere.requests) <= known + 1  # its own module's first poll


@pytest.mark.parametrize(
    ("chip", "headers", "code"),
    [
        (ESP8266, ["Content-Length:"], -101),
        (ESP32, ["Content-Length: 0"], -101),
        (PICO, ["Content-Length:", "Transfer-Encoding: chunked"], -101),
        (ESP8266, ["Transfer-Encoding: gzip"], -9),
        (ESP8266, ["Transfer-Encoding: identity"], -9),
        (ESP8266, ["x-MD5: 0123"], -105),
        (ESP32, ["x-MD5: " + 33 * "0"], -105),
        (ESP8266, ["x-MD5: " + 32 * "0", "x-md5: " + 32 * "0"], -105),
    ],
)
async def test_headers_that_no_client_takes(
    chip: dict[str, Any], headers: list[str], code: int
) -> None:
    async with pulling(offer(image_for(chip), *headers), **chip) as (module, _):
        assert (await module.wait_for("pull_failed")).details["code"] == code
        assert not module.events.count_of(Seen.FIRST_BYTE)


@pytest.mark.parametrize("chip", [ESP8266 | {"core": "2.4.2"}, ESP32, PICO])
async def test_others_take_the_last_of_two_digests(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    right = f"x-MD5: {hashlib.md5(image).hexdigest().upper()}"
    async with pulling(offer(image, "X-Md5: 0123", right), **chip) as (module, _):
        assert (await module.wait_for("back")).details["version"] == "2.0.0"


@pytest.mark.parametrize(
    ("chip", "code", "text"),
    [
        (ESP8266, 15, "Update error: ERROR[15]: Update already running"),
        (ESP8266 | {"core": "3.0.2"}, 0, ""),
        (ESP32, 0, ""),
        (PICO, 0, ""),
    ],
)
async def test_a_digest_of_a_wrong_length_blocks_updates_until_a_restart(
    chip: dict[str, Any], code: int, text: str
) -> None:
    image = image_for(chip)
    replies = [offer(image, "x-MD5: 0123"), offer(image)]
    async with pulling(*replies, **chip) as (module, server):
        assert (await module.wait_for("pull_failed")).details["code"] == -105
        assert await why(module, 2) == (code, text)
        server.replies.append(offer(image))
        await module.power_cycle()
        await module.wait_for("back", count=2)
        assert module.running_version == "2.0.0"


@pytest.mark.parametrize("chip", PULLERS)
async def test_without_a_digest_the_image_is_taken_unchecked(chip: dict[str, Any]) -> None:
    async with pulling(offer(image_for(chip), "x-MD5:"), **chip) as (module, _):
        assert (await module.wait_for("back")).details["version"] == "2.0.0"


@pytest.mark.parametrize(
    ("chip", "text"),
    [
        (ESP8266, "ERROR[7]: MD5 verification failed: expected: {0}, calculated: {1}"),
        (ESP32, "MD5 Check Failed"),
        (PICO, "ERROR[7]: MD5 Failed: expected:{0} calculated:{1}"),
    ],
)
async def test_another_digest_than_told_is_found_at_the_end(
    chip: dict[str, Any], text: str
) -> None:
    image, wrong = image_for(chip), "0" * 32
    async with pulling(offer(image, f"x-MD5: {wrong}"), **chip) as (module, _):
        failed = await module.wait_for("pull_failed")
        assert failed.details["code"] == 7
        found = hashlib.md5(image).hexdigest()
        assert failed.details["text"] == "Update error: " + text.format(wrong, found)
        assert module.running_version == "1.0.0"


@pytest.mark.parametrize(
    ("sha256", "code"), [("right", None), ("0" * 64, 15), ("0123", -109), ("g" * 64, -109)]
)
@pytest.mark.parametrize("checks", [True, False])
async def test_only_the_newest_esp32_reads_a_sha256(
    sha256: str, code: int | None, checks: bool
) -> None:
    image = image_for(ESP32)
    told = hashlib.sha256(image).hexdigest() if sha256 == "right" else sha256
    pull = {"checks_sha256": checks}
    async with pulling(offer(image, f"x-SHA256: {told}"), **ESP32, pull=pull) as (module, _):
        if code is None or not checks:
            assert (await module.wait_for("back")).details["version"] == "2.0.0"
        else:
            assert (await module.wait_for("pull_failed")).details["code"] == code


@pytest.mark.parametrize(
    ("chip", "mode", "code"),
    [
        (ESP8266 | {"slot_size": 0x20000}, PullMode.SKETCH, -100),
        (ESP32 | {"slot_size": 0x7000}, PullMode.SKETCH, -100),
        (ESP32 | {"slot_size": 0}, PullMode.SKETCH, -108),
        (PICO | {"slot_size": 0x7000}, PullMode.SKETCH, 4),
        (PICO | {"slot_size": 0, "fs_size": 0}, PullMode.SKETCH, 4),
        (ESP8266 | {"fs_size": 0x7000}, PullMode.FILESYSTEM, -100),
        (ESP32 | {"fs_size": 0x7000}, PullMode.FILESYSTEM, -100),
        (ESP32 | {"fs_size": 0}, PullMode.FILESYSTEM, -108),
        (PICO | {"fs_size": 0x7000}, PullMode.FILESYSTEM, -100),
    ],
)
async def test_what_does_not_fit_is_refused_before_a_byte_is_read(
    chip: dict[str, Any], mode: PullMode, code: int
) -> None:
    image = build_image(chip["chip"], size=48 * 1024)
    async with pulling(offer(image), **chip, pull={"steps": (mode,)}) as (module, server):
        assert (await module.wait_for("pull_failed")).details["code"] == code
        assert not module.events.count_of(Seen.FIRST_BYTE)
        await module.wait_for("no_update")
        # More was on its way than the module had room for: it answers with a reset.
        assert server.endings[0] == "reset"


@pytest.mark.parametrize(("chip", "runs"), [(ESP8266, False), (ESP32, False), (PICO, True)])
async def test_the_first_byte_decides_where_it_is_looked_at(
    chip: dict[str, Any], runs: bool
) -> None:
    page = b"<html>" + bytes(SIZE)
    async with pulling(offer(page), **chip) as (module, _):
        if runs:
            await module.wait_for("bricked")
        else:
            assert (await module.wait_for("pull_failed")).details["code"] == -106
            assert not module.events.count_of(Seen.FIRST_BYTE)


async def test_an_image_for_more_flash_than_there_is_is_refused() -> None:
    image = image_for(ESP8266, flash_size=4 << 20)
    async with pulling(offer(image), pull={"chip_size": 1 << 20}, slot_size=1 << 20) as (module, _):
        failed = await module.wait_for("pull_failed")
        assert failed.details["text"] == "New Binary Does Not Fit Flash Size"


async def test_an_esp32_looks_too_early_for_a_late_body_and_an_esp8266_waits() -> None:
    async def late(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.write(body)
        await writer.drain()

    answer = offer(image_for(ESP32))
    async with pulling(late, **ESP32) as (module, _):
        assert (await module.wait_for("pull_failed")).details["code"] == -106
    answer = offer(image_for(ESP8266))
    async with pulling(late, **ESP8266) as (module, _):
        await module.wait_for("back")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chip", "text"),
    [
        (ESP8266, "ERROR[6]: Stream Read Timeout"),
        (ESP32, "Stream Read Timeout"),
        (PICO, "ERROR[6]: Stream Read Timeout"),
    ],
)
async def test_a_body_that_ends_early_is_noticed_by_silence_only(
    chip: dict[str, Any], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def short(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(offer(image)[:-1000])
        await writer.drain()
        writer.close()

    monkeypatch.setattr(pull_body, "_TRIES", 1)
    monkeypatch.setattr(pull_body, "_ESP32_TRIES", 1)
    image = image_for(chip)
    async with pulling(short, **chip, limit_scale=0.1) as (module, _):
        failed = await module.wait_for("pull_failed")
        assert failed.details["text"] == "Update error: " + text
        assert module.events.last("aborted").details["bytes"] == SIZE - 1000
        assert module.running_version == "1.0.0"


@pytest.mark.parametrize(
    ("chip", "seconds"),
    [(ESP8266 | {"core": "2.7.4"}, 16), (ESP8266, 65), (ESP32, 2430), (PICO, 65)],
)
def test_how_long_each_client_waits_in_vain(chip: dict[str, Any], seconds: int) -> None:
    assert round(pull_body.silence(Board(ModuleConfig(**chip)))) == seconds


@pytest.mark.parametrize(
    ("chip", "code", "text"),
    [
        (ESP8266, -1, "HTTP error: connection failed"),
        (ESP8266 | {"core": "2.6.3"}, -1, "HTTP error: connection refused"),
        (ESP32, -1, "HTTP error: connection refused"),
        (PICO, -1, "HTTP error: connection failed"),
    ],
)
async def test_nobody_there(chip: dict[str, Any], code: int, text: str) -> None:
    async with pulling(**chip, pull={"url": "http://127.0.0.1:9/update"}) as (module, _):
        assert await why(module) == (code, text)
        await module.wait_for("pull_failed", count=3)


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-")
    await writer.drain()
    writer.close()


async def _say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (_hang_up, -5),
        (_say_nothing, -11),
        (b"220 mail.example ESMTP\r\n\r\n", -7),
        (b"HTTP/1.0 200 OK\r\nContent-Length: nonsense\r\n\r\n", -101),
    ],
)
async def test_what_is_no_answer(reply: Any, code: int) -> None:
    scale = 0.05 if code == -11 else 1.0
    async with pulling(reply, limit_scale=scale) as (module, _):
        assert (await module.wait_for("pull_failed")).details["code"] == code


@pytest.mark.parametrize("chip", PULLERS)
async def test_an_answer_may_come_byte_by_byte_and_in_either_version(chip: dict[str, Any]) -> None:
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for at in range(end):
            writer.write(answer[at : at + 1])
            await writer.drain()
        writer.write(answer[end:])
        await writer.drain()

    answer = offer(image_for(chip), "X-Whatever: 1" * 300).replace(b"HTTP/1.1", b"HTTP/1.0")
    end = answer.index(b"\r\n\r\n") + 4
    async with pulling(trickle, **chip) as (module, _):
        assert (await module.wait_for("back")).details["version"] == "2.0.0"
