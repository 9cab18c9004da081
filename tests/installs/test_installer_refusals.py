"""What an install is refused for before the first byte: passwords, images, nothing to send."""

from collections.abc import Iterator
import hashlib
import logging
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.library import Library, ReleaseName
from tests.kit.entries import StartModule
from tests.kit.garden import (
    CLOSED_AND_OPENED,
    UNTOUCHED,
    Garden,
    assert_nothing_sent,
    options_for,
)
from tests.virtual_module import Fault, Seen, build_image, gzip_image, invitation

ESP32 = {"chip": "esp32", "generation": "legacy"}
ESP32_S3 = {"chip": "esp32s3", "generation": "pbkdf2"}


# Passwords


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stored", "cause"), [("wrong", "wrong_password"), (None, "password_missing")]
)
@pytest.mark.parametrize("config", [{}, ESP32, ESP32_S3], ids=["esp8266", "esp32", "esp32s3"])
async def test_a_password_that_does_not_fit_is_asked_for_again(
    garden: Garden,
    start_module: StartModule,
    config: dict[str, Any],
    stored: str | None,
    cause: str,
) -> None:
    module = await start_module(password="secret", **config)
    entry = await garden.add_valve(module, password=stored, auth_required=True)

    await garden.refused(cause)

    assert garden.card.attributes["last_verdict"] == "refused"
    assert not module.events.count_of(Seen.CONNECTED)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    [flow] = garden.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["step_id"] == "reauth_confirm"
    assert flow["context"]["entry_id"] == entry.entry_id


def _secrets(password: str) -> Iterator[str]:
    """Return what must not be read in a log: the password and what it can be found out from."""
    raw = password.encode()
    yield password
    yield hashlib.md5(raw).hexdigest()
    yield hashlib.sha256(raw).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("config", [{}, ESP32_S3], ids=["md5", "pbkdf2"])
async def test_no_secret_is_written_to_the_log(
    garden: Garden,
    start_module: StartModule,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
) -> None:
    caplog.set_level(logging.DEBUG)
    responses: list[str] = []
    module = await start_module(password="hunter2-right", **config)
    real = invitation.Lock.opens

    def note(lock: invitation.Lock, nonce: str, cnonce: str, response: str) -> bool:
        responses.append(response)
        return real(lock, nonce, cnonce, response)

    monkeypatch.setattr(invitation.Lock, "opens", note)
    entry = await garden.add_valve(module, password="hunter2-wrong", auth_required=True)
    await garden.refused("wrong_password")
    [flow] = garden.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    await garden.hass.config_entries.flow.async_configure(
        flow["flow_id"], {"password": "hunter2-right"}
    )
    await garden.hass.async_block_till_done()
    module.faults.set(Fault.RESET, 1)
    await garden.install()
    assert await garden.hass.config_entries.async_unload(entry.entry_id)

    assert module.running_version == "1.1.0"
    assert len(responses) >= 3
    lines = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    said = "\n".join([*lines, caplog.text])
    assert "Inviting" in said
    for secret in [*_secrets("hunter2-wrong"), *_secrets("hunter2-right"), *responses]:
        assert secret not in said


# Nothing to send


async def test_an_image_for_another_chip_is_refused_before_anything_moves(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.release("2.0.0", "esp32")
    entry = await garden.add_valve(module)

    facts = await garden.refused("wrong_chip", "2.0.0")

    assert (facts["image_chip"], facts["module_chip"]) == ("esp32", "esp8266")
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.slow
async def test_of_several_chips_images_the_fitting_one_is_taken(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(**ESP32)
    for chip in ("esp8266", "esp32s3", "esp32c3"):
        await garden.release("1.1.0", chip)
    await garden.add_valve(module)

    await garden.install("1.1.0")

    assert module.running_version == "1.1.0"


async def test_an_image_that_nobody_can_judge_is_refused_with_the_check(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module, board=None)

    facts = await garden.refused("not_certain_chip", "1.1.0")

    assert facts["check"] == "chip"
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.slow
@pytest.mark.parametrize("accepted", [[], ["packing"]], ids=["unasked", "accepted"])
async def test_a_packed_image_needs_to_be_accepted_once(
    garden: Garden, start_module: StartModule, accepted: list[str]
) -> None:
    module = await start_module()
    packed = gzip_image(build_image("esp8266", version="1.2.0"))
    name = ReleaseName(file_name="garden-valve-1.2.0.bin.gz")
    await garden.house.library.async_add(packed, name, source="upload")
    options = options_for(accepted_checks=accepted)
    await garden.add_valve(module, options=options)

    if accepted:
        await garden.install()
        assert module.running_version == "1.2.0"
    else:
        assert (await garden.refused("not_certain_packing", "1.2.0"))["check"] == "packing"
        assert garden.card.attributes["latest_version"] == "1.1.0"


async def test_a_version_that_is_not_in_the_library_is_named(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module)

    facts = await garden.refused("no_release", "9.9.9")

    assert (facts["version"], facts["firmware"]) == ("9.9.9", "garden-valve")
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_a_module_whose_firmware_nobody_named_has_no_release(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.add_valve(module, options={"equipment": "nothing"})

    assert (await garden.refused("no_release", "1.1.0"))["firmware"]


@pytest.mark.parametrize("harm", ["delete", "change"])
async def test_an_image_that_was_lost_or_changed_on_disk_is_not_sent(
    garden: Garden, start_module: StartModule, config_dir: Any, harm: str
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module)
    [path] = await garden.hass.async_add_executor_job(
        lambda: list((config_dir / "esp_ota" / "images").iterdir())
    )
    await garden.hass.async_add_executor_job(
        path.unlink if harm == "delete" else lambda: path.write_bytes(b"\xe9")
    )

    facts = await garden.refused("image_missing")

    assert (facts["firmware"], facts["version"]) == ("garden-valve", "1.1.0")
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.slow
async def test_an_error_of_ours_is_told_and_logged_and_leaves_nothing_running(
    garden: Garden, start_module: StartModule, caplog: pytest.LogCaptureFixture
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module)

    with patch.object(Library, "async_read", side_effect=RuntimeError("a bug")):
        await garden.refused("internal")

    assert "a bug" in caplog.text
    garden.assert_at_rest(entry, UNTOUCHED)
    await garden.install()
