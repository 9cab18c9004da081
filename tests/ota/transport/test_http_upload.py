"""Every kind of update page, in good days and bad: the right delivery or a cause with a name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import re
import socket
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    Delivery,
    Fixed,
    HttpUpload,
    ImageKind,
    InstallRefused,
    UploadDialect,
)
from custom_components.esp_ota.ota.exceptions import (
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
    TransferError,
)
from tests.kit.pushing import new_firmware, payload_for
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.transport.uploading import DIALECTS, PAGES, page, quick, upload
from tests.virtual_module import (
    Fault,
    HttpDialect,
    HttpModule,
    Seen,
    build_filesystem,
    build_image,
    gzip_image,
)

HTML = b"<!DOCTYPE html><title>404</title>".ljust(24 * 1024)
LATE_LOGIN = {HttpDialect.WEB_UPDATE, HttpDialect.WIFI_OTA}
"""Pages that cannot be asked for a password but by an upload."""
WITHOUT_FILESYSTEM = {HttpDialect.WEB_UPDATE, HttpDialect.TASMOTA, HttpDialect.ESP_EASY}


def nothing_begun(module: Any) -> bool:
    return not module.events.count_of(Seen.FIRST_BYTE)


# What should happen


async def test_an_end_that_was_not_written_is_sent_again_before_it_can_run() -> None:
    fault = {Fault.FLASH_WRITE_ERROR: 1}
    async with page("update_server", faults=fault, fault_at=0.98) as module:
        data = build_image("esp8266", version="1.1.0", size=48 * 1024 + 2000)
        with pytest.raises(TransferError) as caught:
            await upload(module, data).send()
        assert caught.value.cause is Cause.END_NOT_WRITTEN
        assert caught.value.retryable
        assert_sentence_is_whole(caught.value.cause, caught.value.facts)
        assert await upload(module, data).send() is Delivery.ACCEPTED
        await module.wait_for("back")
        assert module.running_image == data


@pytest.mark.parametrize(("dialect", "chip"), PAGES)
async def test_an_image_is_taken_and_runs_after_the_restart(dialect: str, chip: str) -> None:
    async with page(dialect, chip) as module:
        sending = upload(module)
        assert await sending.send() is Delivery.ACCEPTED
        assert (await module.wait_for("back")).details["version"] == "1.1.0"
        assert module.running_image == sending.data


@pytest.mark.parametrize(("dialect", "chip"), DIALECTS)
async def test_progress_is_what_the_module_took_and_ends_at_the_whole(
    dialect: str, chip: str
) -> None:
    async with page(dialect, chip) as module:
        sending = upload(module, build_image(chip, version="1.1.0", size=200_000))

        def look() -> None:
            assert nothing_begun(module)

        sending.before = look
        assert await sending.send() is Delivery.ACCEPTED
        assert sending.begun == 1
        steps = [sent for sent, _ in sending.progress]
        assert steps == sorted(set(steps))
        assert len(steps) > 5
        assert sending.progress[-1] == (len(sending.data), len(sending.data))


@pytest.mark.parametrize(("dialect", "chip"), PAGES)
async def test_a_password_goes_along_unasked(dialect: str, chip: str) -> None:
    async with page(dialect, chip, password="a:b ü") as module:
        assert await upload(module, password="a:b ü").send() is Delivery.ACCEPTED
        await module.wait_for("back")
        assert not module.events.count_of(Seen.AUTH_FAILED)


@pytest.mark.parametrize("dialect", ["update_server", "elegant_ota", "pretty_ota"])
async def test_the_user_name_may_be_another(dialect: str) -> None:
    async with page(dialect, "esp32", username="gardener", password="secret") as module:
        assert (await upload(module, password="secret").failed()).cause is Cause.WRONG_PASSWORD
        sending = upload(module, username="gardener", password="secret")
        assert await sending.send() is Delivery.ACCEPTED


@pytest.mark.parametrize(("dialect", "chip"), PAGES)
async def test_a_file_system_image_is_taken_or_refused_by_name(dialect: str, chip: str) -> None:
    data = build_filesystem(24 * 1024, seed=1)
    async with page(dialect, chip) as module:
        sending = upload(module, data, kind=ImageKind.FILESYSTEM)
        if HttpDialect(dialect) in WITHOUT_FILESYSTEM:
            error = await sending.failed()
            assert isinstance(error, InstallRefused)
            assert error.cause is Cause.NO_FILESYSTEM_UPLOAD
            assert sending.begun == 0
            assert module.requests == []
        else:
            assert await sending.send() is Delivery.ACCEPTED
            await module.wait_for("back")
            assert module.fs_image == data
            assert module.running_version == "1.0.0"


async def test_a_gzip_image_is_sent_as_it_is() -> None:
    async with page("update_server", "esp8266") as module:
        data = gzip_image(build_image("esp8266", version="1.1.0"))
        assert await upload(module, data).send() is Delivery.ACCEPTED
        assert (await module.wait_for("back")).details["version"] == "1.1.0"


@pytest.mark.parametrize("dialect", ["update_server", "web_update"])
async def test_the_page_may_be_elsewhere(dialect: str) -> None:
    async with page(dialect, path="/{size}/firmware") as module:
        sending = upload(module, path="/{size}/firmware")
        if dialect == "update_server":
            # What looks like one of our own placeholders stays what the sketch says.
            error = await sending.failed()
            assert error.cause is Cause.PAGE_NOT_FOUND
    async with page(dialect, path="/new/firmware") as module:
        assert await upload(module, path="/new/firmware").send() is Delivery.ACCEPTED


def test_a_path_that_is_none_is_refused_at_once() -> None:
    for path in ("update", "/up date", "/update\r\nHost: other", "/ü"):
        with pytest.raises(ValueError, match="path"):
            HttpUpload(Fixed("127.0.0.1", 80), path=path)


@pytest.mark.parametrize(("dialect", "chip"), DIALECTS)
async def test_slow_flash_does_no_harm(dialect: str, chip: str) -> None:
    async with page(dialect, chip, faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02) as module:
        assert await upload(module).send() is Delivery.ACCEPTED


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


# What breaks on the way


@pytest.mark.slow
@pytest.mark.parametrize(("dialect", "chip"), DIALECTS)
async def test_a_module_that_never_reads_the_body_stalls(dialect: str, chip: str) -> None:
    async with page(dialect, chip, faults=[Fault.HANG_AFTER_ACCEPT]) as module:
        error = await upload(module, limits=quick(stall=0.4)).failed()
        assert isinstance(error, TransferError)
        assert error.cause is Cause.STALLED
        assert int(error.facts["sent"]) < int(error.facts["total"]) == 48 * 1024
        await module.wait_for(Seen.ABORTED)  # closing the connection freed it
        module.faults.clear()
        if dialect != "pretty_ota":
            delivered = await upload(module).send()
            assert delivered is Delivery.ACCEPTED


@pytest.mark.parametrize(("dialect", "chip"), PAGES)
async def test_a_reset_in_the_middle_is_a_lost_connection(dialect: str, chip: str) -> None:
    async with page(dialect, chip, faults=[Fault.RESET]) as module:
        sending = upload(module)
        error = await sending.failed()
        assert isinstance(error, TransferError)
        assert error.cause is Cause.CONNECTION_LOST
        assert 0 < int(error.facts["sent"]) < len(sending.data)
        assert module.running_version == "1.0.0"


@pytest.mark.slow
@pytest.mark.parametrize(("dialect", "chip"), DIALECTS)
async def test_a_module_that_dies_in_the_middle_stalls(dialect: str, chip: str) -> None:
    async with page(dialect, chip, faults=[Fault.SILENT_DEATH]) as module:
        error = await upload(module, limits=quick(stall=0.4)).failed()
        assert error.cause is Cause.STALLED


@pytest.mark.slow
@pytest.mark.parametrize(("dialect", "chip"), DIALECTS)
async def test_a_module_that_restarts_in_the_middle_is_told_from_a_lost_connection(
    dialect: str, chip: str
) -> None:
    async with page(dialect, chip, faults=[Fault.SILENT_DEATH], revive_after=0.7) as module:
        sending = upload(module, limits=quick(restart=0.4))
        error = await sending.failed()
        assert isinstance(error, TransferError)
        assert error.cause is Cause.REBOOTED
        assert 0 < int(error.facts["sent"]) < len(sending.data)


@pytest.mark.parametrize(("dialect", "chip"), DIALECTS)
@pytest.mark.parametrize("fault", [Fault.CLOSE_WITHOUT_OK, Fault.REBOOT_WITHOUT_OK])
async def test_without_an_answer_the_evidence_decides(
    dialect: str, chip: str, fault: Fault
) -> None:
    async with page(dialect, chip, faults=[fault]) as module:
        delivery = await upload(module, limits=quick(result=0.3)).send()
        assert delivery is Delivery.UNCONFIRMED
        assert (await module.wait_for("back")).details["version"] == "1.1.0"


@pytest.mark.parametrize(("dialect", "chip"), DIALECTS)
async def test_whether_the_old_sketch_is_back_is_not_the_transports_to_say(
    dialect: str, chip: str
) -> None:
    async with page(dialect, chip, faults=[Fault.OLD_SKETCH_BACK]) as module:
        assert await upload(module).send() is Delivery.ACCEPTED
        assert (await module.wait_for("back")).details["version"] == "1.0.0"


@pytest.mark.parametrize("resets", [True, False])
async def test_a_reset_right_behind_the_answer_is_normal(resets: bool) -> None:
    async with page("update_server", resets=resets) as module:
        assert await upload(module).send() is Delivery.ACCEPTED


@pytest.mark.parametrize(
    ("dialect", "chip"), [one for one in DIALECTS if one.values[0] is not HttpDialect.WIFI_OTA]
)
async def test_a_page_that_was_never_set_up_is_named(dialect: HttpDialect, chip: str) -> None:
    async with page(dialect, chip, missing=True) as module:
        sending = upload(module)
        error = await sending.failed()
        assert error.cause is Cause.PAGE_NOT_FOUND
        if dialect is HttpDialect.WEB_UPDATE:
            assert isinstance(error, ModuleRejectedImage)
        else:
            assert isinstance(error, ModuleConnectionError)
            assert sending.begun == 0


# Stopping


@pytest.mark.parametrize(("dialect", "chip"), DIALECTS)
async def test_a_cancelled_upload_frees_the_module_at_once(dialect: str, chip: str) -> None:
    async with page(dialect, chip, sector_time=0.02) as module:
        task = asyncio.create_task(upload(module).send())
        await module.wait_for(Seen.FIRST_BYTE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await module.wait_for(Seen.ABORTED)
        assert module.payload_bytes < 48 * 1024
        assert module.running_version == "1.0.0"


class StopHereError(Exception):
    """What an unsafe state is to a transport."""


@pytest.mark.parametrize(("dialect", "chip"), DIALECTS)
async def test_what_stops_it_before_the_first_byte_sends_nothing(dialect: str, chip: str) -> None:
    async with page(dialect, chip) as module:

        def stop() -> None:
            raise StopHereError

        with pytest.raises(StopHereError):
            await upload(module, before=stop).send()
        assert nothing_begun(module)
        if dialect != "pretty_ota":  # which has been told to begin, and waits till it restarts
            assert await upload(module).send() is Delivery.ACCEPTED


# Who is not there


async def test_nobody_listens() -> None:
    async with page("update_server") as module:
        port = module.http_port
    transport = HttpUpload(Fixed("127.0.0.1", port), limits=quick())
    with pytest.raises(ModuleConnectionError) as caught:
        await transport.recognise()
    assert caught.value.cause is Cause.HTTP_PORT_CLOSED
    assert caught.value.facts == {"host": "127.0.0.1", "port": str(port)}


@pytest.mark.parametrize("error", [socket.gaierror("unknown"), UnicodeError("too long")])
async def test_a_name_that_is_none_is_not_found(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fail)
    with pytest.raises(ModuleConnectionError) as caught:
        await HttpUpload(Fixed("no-such-module.invalid", 80), limits=quick()).recognise()
    assert caught.value.cause is Cause.HOST_NOT_FOUND
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


@pytest.mark.slow
async def test_a_module_that_is_off_is_unreachable() -> None:
    async with page("update_server", faults=[Fault.SILENT_DEATH]) as module:
        await upload(module, limits=quick(stall=0.2)).failed()
        await module.wait_for(Seen.DIED)
        error = await upload(module, limits=quick(connect=0.3)).failed()
        assert error.cause is Cause.UNREACHABLE
        assert error.retryable
        task = asyncio.create_task(upload(module).send())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
