"""Whom an update page lets in, and what it says no to: a cause with a name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import re

import pytest

from custom_components.esp_ota.ota import Cause, Delivery, Fixed, HttpUpload, UploadDialect
from custom_components.esp_ota.ota.exceptions import ModuleAuthError, ModuleRejectedImage
from tests.kit.pushing import new_firmware, payload_for
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.transport.uploading import (
    HTML,
    LATE_LOGIN,
    PAGES,
    nothing_begun,
    page,
    quick,
    upload,
)
from tests.virtual_module import Fault, HttpDialect, HttpModule, build_image

# Who may


@pytest.mark.parametrize(("dialect", "chip"), PAGES)
@pytest.mark.parametrize(
    ("password", "cause"),
    [("battery staple", Cause.WRONG_PASSWORD), (None, Cause.PASSWORD_MISSING)],
)
async def test_without_the_right_password_nothing_changes(
    dialect: str, chip: str, password: str | None, cause: Cause
) -> None:
    async with page(dialect, chip, password="correct horse") as module:
        sending = upload(module, password=password)
        error = await sending.failed()
        assert isinstance(error, ModuleAuthError)
        assert error.cause is cause
        assert "horse" not in str(error)
        assert "staple" not in str(error)
        if HttpDialect(dialect) not in LATE_LOGIN:
            assert sending.begun == 0
            assert nothing_begun(module)
        assert module.restarts == 0


async def test_the_origin_is_the_host_that_was_asked_for() -> None:
    async with page("update_server", "esp32") as module:
        await upload(module).send()
        for lines in module.request_heads:
            headers = dict(line.split(": ", 1) for line in lines[1:])
            assert headers["Origin"] == "http://" + headers["Host"]
            assert headers["Host"] == f"127.0.0.1:{module.http_port}"
            assert headers["Connection"] == "close"
            assert not headers.keys() & {"Expect", "Transfer-Encoding"}


@asynccontextmanager
async def proxy_to(module: HttpModule) -> AsyncIterator[int]:
    """Stand between us and a module as a proxy that writes its own `Host`; yield its port."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                writer.write(re.sub(rb"\r\nHost: [^\r]*", b"\r\nHost: valve.example", data))
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_module = await asyncio.open_connection(module.host, module.http_port)
        await asyncio.gather(pass_on(reader, to_module), pass_on(theirs, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_an_esp32_behind_a_proxy_takes_us_for_a_stranger() -> None:
    async with page("update_server", "esp32") as module, proxy_to(module) as port:
        transport = HttpUpload(
            Fixed("127.0.0.1", port), dialect=UploadDialect.UPDATE_SERVER, limits=quick()
        )
        with pytest.raises(ModuleRejectedImage) as caught:
            await transport.send(
                payload_for(new_firmware(module)),
                before_first_byte=lambda: None,
                on_progress=lambda *_: None,
            )
        assert module.running_version == "1.0.0"
    error = caught.value
    assert error.cause is Cause.WRONG_ORIGIN
    assert error.facts["text"] == "Wrong origin received!"
    assert_sentence_is_whole(error.cause, error.facts)


async def test_the_referer_has_the_address_even_if_a_name_was_asked_for() -> None:
    async with page("tasmota") as module:
        transport = HttpUpload(
            Fixed("localhost", module.http_port), dialect=UploadDialect.TASMOTA, limits=quick()
        )
        delivery = await transport.send(
            payload_for(new_firmware(module)),
            before_first_byte=lambda: None,
            on_progress=lambda *_: None,
        )
        assert delivery is Delivery.ACCEPTED
        head = module.request_heads[-1]
        assert f"Host: localhost:{module.http_port}" in head
        assert f"Referer: http://127.0.0.1:{module.http_port}/" in head


async def test_pretty_ota_is_shown_its_session_and_no_password() -> None:
    async with page("pretty_ota", "esp32", password="correct horse") as module:
        await upload(module, password="correct horse").send()
        heads = ["\n".join(lines) for lines in module.request_heads]
        assert sum("Cookie: sessionID=" in head for head in heads) == 2
        assert not any("Authorization" in head for head in heads)


# What the module says no to


REFUSED = {
    HttpDialect.UPDATE_SERVER: Cause.WRONG_MAGIC,
    HttpDialect.WEB_UPDATE: Cause.REJECTED_BY_PAGE,
    HttpDialect.ELEGANT_OTA: Cause.WRONG_MAGIC,
    HttpDialect.ASYNC_ELEGANT_OTA: Cause.REJECTED_BY_PAGE,
    HttpDialect.PRETTY_OTA: Cause.WRONG_MAGIC,
    HttpDialect.TASMOTA: Cause.WRONG_MAGIC,
    HttpDialect.ESP_EASY: Cause.WRONG_MAGIC,
}
"""What each says of a file that is no firmware; WiFiOTA does not look."""


@pytest.mark.parametrize(
    ("dialect", "chip"),
    [
        one
        for one in PAGES
        if one.values[1] != "rp2040" and one.values[0] is not HttpDialect.WIFI_OTA
    ],
)
async def test_a_file_that_is_no_firmware_is_refused_in_the_modules_words(
    dialect: HttpDialect, chip: str
) -> None:
    async with page(dialect, chip) as module:
        error = await upload(module, HTML).failed()
        assert isinstance(error, ModuleRejectedImage)
        assert error.cause is REFUSED[dialect]
        assert error.facts["text"]
        assert "<" not in error.facts["text"]
        assert module.running_version == "1.0.0"


async def test_wifi_ota_says_ok_whatever_it_got_and_the_old_sketch_is_back() -> None:
    async with page("wifi_ota", "esp32") as module:
        assert await upload(module, HTML).send() is Delivery.ACCEPTED
        assert (await module.wait_for("back")).details["version"] == "1.0.0"


@pytest.mark.parametrize(("dialect", "chip"), PAGES)
async def test_an_image_that_is_too_large_is_refused(dialect: str, chip: str) -> None:
    async with page(dialect, chip, slot_size=56 * 1024, image=build_image(chip, size=40_960)) as m:
        error = await upload(m, build_image(chip, version="1.1.0", size=96 * 1024)).failed()
        assert isinstance(error, ModuleRejectedImage)
        assert error.cause in {
            Cause.NO_SPACE,
            Cause.BAD_SIZE,
            Cause.REJECTED,
            Cause.REJECTED_BY_PAGE,
        }
        assert m.running_version == "1.0.0"


async def test_an_image_for_another_chip_is_refused_by_an_esp32() -> None:
    for dialect in ("update_server", "elegant_ota", "pretty_ota", "esp_easy"):
        async with page(dialect, "esp32") as module:
            error = await upload(module, build_image("esp32c3", size=32_768)).failed()
            assert error.cause is Cause.COULD_NOT_ACTIVATE
            assert isinstance(error, ModuleRejectedImage)


async def test_a_module_that_cannot_begin_says_why() -> None:
    faults = [Fault.BOOT_STRAP]
    for dialect in ("update_server", "elegant_ota"):
        async with page(dialect, "esp8266", faults=faults) as module:
            assert (await upload(module).failed()).cause is Cause.BOOT_STRAP


@pytest.mark.parametrize("dialect", ["elegant_ota", "pretty_ota"])
async def test_a_begin_that_fails_costs_no_transfer(dialect: str) -> None:
    async with page(dialect, "esp32", faults=[Fault.NOT_ENOUGH_SPACE]) as module:
        sending = upload(module)
        error = await sending.failed()
        assert isinstance(error, ModuleRejectedImage)
        assert error.cause in {Cause.BAD_SIZE, Cause.NO_SPACE}
        assert sending.begun == 0


async def test_an_answer_in_the_middle_of_the_body_is_heard() -> None:
    data = b"<html>" + bytes(400_000)
    async with page("elegant_ota", "esp32", asynchronous=True) as module:
        error = await upload(module, data).failed()
        assert isinstance(error, ModuleRejectedImage)
        assert error.facts["text"] == "Failed to write chunked data to free space"
        assert module.payload_bytes < len(data) // 2


# Leftovers of an update that was broken off


@pytest.mark.parametrize("chip", ["esp8266", "esp32"])
async def test_elegant_ota_needs_one_more_try_after_a_broken_update(chip: str) -> None:
    async with page("elegant_ota", chip, faults={Fault.RESET: 1}) as module:
        causes = []
        for _ in range(2):
            error = await upload(module).failed()
            assert error.retryable
            causes.append(error.cause)
        assert causes == [Cause.CONNECTION_LOST, Cause.MD5_MISMATCH]
        assert await upload(module).send() is Delivery.ACCEPTED
        assert (await module.wait_for("back")).details["version"] == "1.1.0"


async def test_a_newer_esp8266_says_that_an_update_runs() -> None:
    async with page("elegant_ota", "esp8266", core="3.2.0", faults={Fault.RESET: 1}) as module:
        assert (await upload(module).failed()).cause is Cause.CONNECTION_LOST
        assert (await upload(module).failed()).cause is Cause.BUSY


async def test_pretty_ota_is_busy_until_it_restarts() -> None:
    async with page("pretty_ota", "esp32", faults={Fault.RESET: 1}) as module:
        assert (await upload(module).failed()).cause is Cause.CONNECTION_LOST
        error = await upload(module).failed()
        assert error.cause is Cause.BUSY
        assert not error.retryable
        await module.power_cycle()
        await module.wait_for("back")
        assert await upload(module).send() is Delivery.ACCEPTED


async def test_the_md5_of_pretty_ota_counts() -> None:
    async with page("pretty_ota", "esp32", faults=[Fault.WRONG_MD5]) as module:
        error = await upload(module).failed()
        assert isinstance(error, ModuleRejectedImage)
        assert error.cause is Cause.MD5_MISMATCH
