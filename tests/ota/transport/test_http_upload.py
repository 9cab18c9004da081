"""Every kind of update page, in good days and bad: the right delivery or a cause with a name."""

import asyncio
import socket

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    Delivery,
    Fixed,
    HttpUpload,
    ImageKind,
    InstallRefused,
)
from custom_components.esp_ota.ota.exceptions import (
    ModuleConnectionError,
    ModuleRejectedImage,
    TransferError,
)
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.transport.uploading import (
    DIALECTS,
    PAGES,
    WITHOUT_FILESYSTEM,
    nothing_begun,
    page,
    quick,
    upload,
)
from tests.virtual_module import Fault, HttpDialect, Seen, build_filesystem, build_image, gzip_image

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


@pytest.mark.slow
@pytest.mark.parametrize(("dialect", "chip"), DIALECTS)
async def test_slow_flash_does_no_harm(dialect: str, chip: str) -> None:
    async with page(dialect, chip, faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02) as module:
        assert await upload(module).send() is Delivery.ACCEPTED


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
