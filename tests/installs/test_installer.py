"""How installs end for the caller of `update.install`, with modules that fail on request."""

import asyncio
from collections.abc import Iterator
import hashlib
import logging
import socket
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.library import Library, ReleaseName
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CARD,
    CLOSED_AND_OPENED,
    TALKING,
    UNTOUCHED,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
    patience,
    until,
)
from tests.kit.sentences import assert_error_is_whole
from tests.virtual_module import Fault, Seen, VirtualModule, build_image, gzip_image, invitation

ESP32 = {"chip": "esp32", "generation": "legacy"}
ESP32_S3 = {"chip": "esp32s3", "generation": "pbkdf2"}


async def add(garden: Garden, module: VirtualModule, **changes: Any) -> MockConfigEntry:
    """Set up a module that switches the valve, and have 1.1.0 of its firmware."""
    changes = {"board": module.config.board or module.config.facts.board} | changes
    await garden.release("1.1.0", module.config.chip)
    return await garden.add(entry_for(module, **{"options": options_for()} | changes))


async def add_talking(garden: Garden, module: VirtualModule, **changes: Any) -> MockConfigEntry:
    """Do the same for a module that announces what it runs."""
    garden.house.patience = TALKING
    entry = await add(garden, module, **changes)
    await garden.runs("1.0.0")
    return entry


# Good endings


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"password": "secret"},
        ESP32,
        ESP32 | {"password": "secret"},
        ESP32_S3 | {"password": "secret"},
    ],
    ids=["esp8266", "esp8266+password", "esp32", "esp32+md5", "esp32s3+pbkdf2"],
)
async def test_a_version_that_is_announced_after_the_restart_is_verified(
    garden: Garden, start_module: StartModule, config: dict[str, Any]
) -> None:
    module = await start_module(advertise=True, **config)
    entry = await add_talking(garden, module, password=config.get("password"))

    await garden.install()

    assert garden.card.attributes["last_verdict"] == "verified"
    assert garden.card.attributes["installed_version"] == "1.1.0"
    assert garden.card.attributes["installed_is_assumed"] is False
    assert garden.card.state == "off"
    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("advertise", [False, True], ids=["silent", "announces no version"])
async def test_a_module_that_is_back_and_says_nothing_is_unverified_and_assumed(
    garden: Garden, start_module: StartModule, advertise: bool
) -> None:
    module = await start_module(advertise=advertise, txt_firmware=False)
    entry = await add(garden, module)

    await garden.install()

    assert garden.card.attributes["last_verdict"] == "unverified"
    assert garden.card.attributes["installed_version"] == "1.1.0"
    assert garden.card.attributes["installed_is_assumed"] is True
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("fault", [Fault.CLOSE_WITHOUT_OK, Fault.REBOOT_WITHOUT_OK])
async def test_a_lost_ok_is_no_failure_when_the_new_version_comes_back(
    garden: Garden, start_module: StartModule, fault: Fault
) -> None:
    module = await start_module(advertise=True, faults=[fault])
    garden.house.patience = patience(result=1.0)  # longer than the restart takes
    entry = await add(garden, module)
    await garden.runs("1.0.0")

    await garden.install()

    assert garden.card.attributes["last_verdict"] == "verified"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_connection_that_breaks_once_is_tried_again(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults={Fault.RESET: 1})
    entry = await add(garden, module)

    await garden.install()

    assert module.running_version == "1.1.0"
    assert module.events.count_of(Seen.CONNECTED) == 2
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize(
    ("runs", "chosen", "verdict"),
    [("1.0.0", "1.0.5", "verified"), ("1.2.0", "1.0.5", "verified"), ("1.1.0", None, "unverified")],
    ids=["not the newest", "an older one", "the one that runs"],
)
async def test_a_version_that_was_named_is_installed(
    garden: Garden, start_module: StartModule, runs: str, chosen: str | None, verdict: str
) -> None:
    module = await start_module(advertise=True, image=build_image("esp8266", version=runs))
    garden.house.patience = patience(evidence=0.5)
    await garden.release("1.0.5")
    entry = await add(garden, module)
    await garden.runs(runs)

    await garden.install(chosen or runs)

    assert garden.card.attributes["last_verdict"] == verdict
    assert module.running_version == (chosen or runs)
    assert module.restarts == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_fixed_call_back_port_is_the_one_the_module_is_told(
    garden: Garden, start_module: StartModule
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    module = await start_module()
    entry = await add(garden, module)
    house = garden.house.entry
    assert house is not None
    garden.hass.config_entries.async_update_entry(house, options={"callback_port": port})

    await garden.install()

    assert module.events.last(Seen.INVITED).details["port"] == port
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


# The module, or the way to it, says no

FAULTS: dict[str, tuple[dict[str, Any], dict[str, float], str]] = {
    "never restarts": ({"faults": [Fault.NO_RESTART]}, {"go": 0.2}, "did_not_restart"),
    "neither confirms nor restarts": (
        {"faults": [Fault.NO_RESTART, Fault.CLOSE_WITHOUT_OK]},
        {"go": 0.2},
        "no_result",
    ),
    "never back": ({"faults": [Fault.NEVER_BACK]}, {"back": 0.2}, "did_not_come_back"),
    "never calls back": (
        {"faults": [Fault.NO_CONNECT], "limit_scale": 0.01},
        {"callback": 0.2},
        "no_callback",
    ),
    "esp32 never calls back": (
        ESP32 | {"faults": [Fault.NO_CONNECT], "limit_scale": 0.01},
        {"callback": 0.2},
        "no_callback_or_too_large",
    ),
    "esp32 slot too small": (
        ESP32 | {"slot_size": 4096},
        {"callback": 0.2},
        "no_callback_or_too_large",
    ),
    "boot strap": ({"faults": [Fault.BOOT_STRAP]}, {}, "boot_strap"),
    "signature": ({"faults": [Fault.SIGNATURE_REQUIRED]}, {}, "signature"),
    "esp32 signature": (ESP32 | {"faults": [Fault.SIGNATURE_REQUIRED]}, {}, "signature"),
    "wrong md5": ({"faults": [Fault.WRONG_MD5]}, {}, "md5_mismatch"),
    "flash fails": ({"faults": [Fault.FLASH_WRITE_ERROR]}, {}, "flash_failed"),
    "garbage": ({"faults": [Fault.GARBAGE_REPLY]}, {}, "unexpected_reply"),
    "silent": ({"faults": [Fault.BUSY]}, {"answer": 0.1, "tries": 2}, "no_answer"),
    "never reads": ({"faults": [Fault.HANG_AFTER_ACCEPT]}, {"stall": 0.1}, "stalled"),
}


@pytest.mark.parametrize(("config", "waits", "cause"), FAULTS.values(), ids=FAULTS)
async def test_a_module_that_fails_is_told_to_the_caller_with_the_reason(
    garden: Garden,
    start_module: StartModule,
    config: dict[str, Any],
    waits: dict[str, float],
    cause: str,
) -> None:
    module = await start_module(**config)
    garden.house.patience = patience(**waits)
    entry = await add(garden, module)

    await garden.refused(cause)

    assert garden.card.attributes["last_cause"] == cause
    # It can be tried again, unless the module is known by now to take no unsigned image.
    assert garden.card.state == ("off" if cause == "signature" else "on")
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_module_that_is_back_with_another_version_shows_it(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, faults=[Fault.WRONG_VERSION_BACK])
    garden.house.patience = patience(evidence=1.0)
    entry = await add(garden, module)
    await garden.runs("1.0.0")

    facts = await garden.refused("other_version_back")

    assert "0.0.1" in facts["found"]
    assert garden.card.attributes["installed_version"] == "0.0.1"
    assert garden.card.attributes["last_verdict"] == "failed"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_module_that_is_back_with_its_old_version_is_unchanged(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, faults=[Fault.OLD_SKETCH_BACK])
    garden.house.patience = patience(evidence=1.0)
    entry = await add(garden, module)
    await garden.runs("1.0.0")

    facts = await garden.refused("old_firmware_back")

    assert (facts["version"], facts["installed"]) == ("1.1.0", "1.0.0")
    assert garden.card.attributes["last_verdict"] == "unchanged"
    assert garden.card.attributes["installed_version"] == "1.0.0"
    assert garden.card.state == "on"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_connection_that_always_breaks_is_tried_three_times(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.RESET])
    entry = await add(garden, module)

    facts = await garden.refused("connection_lost")

    assert module.events.count_of(Seen.CONNECTED) == 3
    assert int(facts["sent"]) < int(facts["total"])
    assert module.running_version == "1.0.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_refusal_is_not_tried_again(garden: Garden, start_module: StartModule) -> None:
    module = await start_module(faults=[Fault.NOT_ENOUGH_SPACE])
    entry = await add(garden, module)

    facts = await garden.refused("no_space")

    assert module.events.count_of(Seen.INVITED) == 1
    assert "Not Enough Space" in facts["text"]
    assert garden.card.attributes["last_verdict"] == "refused"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_module_without_power_is_not_reached_and_the_valve_not_touched(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await add(garden, module, port=1)

    facts = await garden.refused("port_closed")  # the machine of all virtual modules is there

    assert (facts["host"], facts["port"]) == ("127.0.0.1", "1")
    assert garden.card.attributes["last_verdict"] == "refused"
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_a_module_that_dies_while_the_valve_closes_is_restored(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.NEVER_BACK])
    garden.house.patience = patience(answer=0.1, tries=2)

    async def cut_power(_call: object) -> None:
        await module.power_cycle()

    garden.hass.services.async_register("test", "cut_power", cut_power)
    options = options_for()
    options["safe_state"]["actions"].append({"action": "test.cut_power"})
    entry = await add(garden, module, options=options)

    facts = await garden.refused("port_closed")

    assert facts["port"] == str(module.port)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_module_that_dies_while_it_receives_is_restored(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SILENT_DEATH])
    garden.house.patience = patience(stall=0.3, answer=0.1, tries=2)
    entry = await add(garden, module)

    await garden.refused("no_answer")

    assert module.events.count_of(Seen.DIED) == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_call_back_port_that_is_taken_is_named(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await add(garden, module)
    house = garden.house.entry
    assert house is not None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        garden.hass.config_entries.async_update_entry(house, options={"callback_port": port})

        facts = await garden.refused("callback_port_taken")

    assert facts["callback_port"] == str(port)
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


# Passwords


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
    entry = await add(garden, module, password=stored, auth_required=True)

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
    entry = await add(garden, module, password="hunter2-wrong", auth_required=True)
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
    entry = await add(garden, module)

    facts = await garden.refused("wrong_chip", "2.0.0")

    assert (facts["image_chip"], facts["module_chip"]) == ("esp32", "esp8266")
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_of_several_chips_images_the_fitting_one_is_taken(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(**ESP32)
    for chip in ("esp8266", "esp32s3", "esp32c3"):
        await garden.release("1.1.0", chip)
    await add(garden, module)

    await garden.install("1.1.0")

    assert module.running_version == "1.1.0"


async def test_an_image_that_nobody_can_judge_is_refused_with_the_check(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await add(garden, module, board=None)

    facts = await garden.refused("not_certain_chip", "1.1.0")

    assert facts["check"] == "chip"
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.parametrize("accepted", [[], ["packing"]], ids=["unasked", "accepted"])
async def test_a_packed_image_needs_to_be_accepted_once(
    garden: Garden, start_module: StartModule, accepted: list[str]
) -> None:
    module = await start_module()
    packed = gzip_image(build_image("esp8266", version="1.2.0"))
    name = ReleaseName(file_name="garden-valve-1.2.0.bin.gz")
    await garden.house.library.async_add(packed, name, source="upload")
    options = options_for(accepted_checks=accepted)
    await add(garden, module, options=options)

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
    entry = await add(garden, module)

    facts = await garden.refused("no_release", "9.9.9")

    assert (facts["version"], facts["firmware"]) == ("9.9.9", "garden-valve")
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_a_module_whose_firmware_nobody_named_has_no_release(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await add(garden, module, options={"equipment": "nothing"})

    assert (await garden.refused("no_release", "1.1.0"))["firmware"]


@pytest.mark.parametrize("harm", ["delete", "change"])
async def test_an_image_that_was_lost_or_changed_on_disk_is_not_sent(
    garden: Garden, start_module: StartModule, config_dir: Any, harm: str
) -> None:
    module = await start_module()
    entry = await add(garden, module)
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


async def test_an_error_of_ours_is_told_and_logged_and_leaves_nothing_running(
    garden: Garden, start_module: StartModule, caplog: pytest.LogCaptureFixture
) -> None:
    module = await start_module()
    entry = await add(garden, module)

    with patch.object(Library, "async_read", side_effect=RuntimeError("a bug")):
        await garden.refused("internal")

    assert "a bug" in caplog.text
    garden.assert_at_rest(entry, UNTOUCHED)
    await garden.install()


# Around one install


async def test_a_second_press_while_one_runs_is_an_error_and_disturbs_nothing(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02)
    entry = await add(garden, module)
    first = asyncio.create_task(garden.install())
    await module.wait_for(Seen.FIRST_BYTE)

    with pytest.raises(HomeAssistantError):  # by Home Assistant, that knows the entity
        await garden.install()
    with pytest.raises(HomeAssistantError) as caught:  # by us, for whoever else asks
        await entry.runtime_data.installer.async_install(None, None)

    assert caught.value.translation_key == "install_running"
    assert_error_is_whole(caught.value)
    await first
    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_an_install_goes_on_when_its_caller_is_stopped(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02)
    entry = await add(garden, module)
    runtime = entry.runtime_data
    caller = asyncio.create_task(garden.install())
    await module.wait_for(Seen.FIRST_BYTE)

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    assert runtime.installer.is_running
    await until(lambda: not runtime.installer.is_running)
    assert module.running_version == "1.1.0"
    assert garden.card.attributes["last_verdict"] == "unverified"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("how", ["unload", "reload"])
@pytest.mark.parametrize("when", [Seen.INVITED, Seen.FIRST_BYTE])
async def test_an_entry_that_is_taken_away_ends_its_install_and_restores(
    garden: Garden, start_module: StartModule, how: str, when: Seen
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02, loop_time=10)
    # It does not hear while it tries to call back where nobody listens any more.
    garden.house.patience = patience(answer=0.3, tries=30, evidence=0.1)
    entry = await add(garden, module)
    refused = asyncio.create_task(expect(garden, "cancelled"))
    await module.wait_for(when)

    if how == "unload":
        assert await garden.hass.config_entries.async_unload(entry.entry_id)
    else:
        assert await garden.hass.config_entries.async_reload(entry.entry_id)
        assert entry.state is ConfigEntryState.LOADED

    await refused
    assert garden.valve == CLOSED_AND_OPENED
    assert garden.house.journal.open_install(entry.entry_id) is None
    assert module.running_version == "1.0.0"
    module.faults.clear()
    if how == "unload":
        assert await garden.hass.config_entries.async_setup(entry.entry_id)
    await garden.install()  # the module was freed
    assert module.running_version == "1.1.0"


async def test_a_module_that_restarts_while_its_entry_is_reloaded_is_waited_for_after_it(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(offline_time=30)
    entry = await add(garden, module)
    suspended = asyncio.create_task(expect(garden, "suspended"))
    await module.wait_for(Seen.RESTARTED)
    await until(lambda: garden.card.attributes["stage"] == "restarting")

    assert await garden.hass.config_entries.async_reload(entry.entry_id)
    await suspended
    assert garden.valve == ["off"]

    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()
    assert garden.card.attributes["last_verdict"] == "unverified"
    assert module.events.count_of(Seen.FIRST_BYTE) == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_module_that_restarts_while_its_entry_is_disabled_is_not_waited_for(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(offline_time=30)
    entry = await add(garden, module)
    cancelled = asyncio.create_task(expect(garden, "cancelled_late"))
    await module.wait_for(Seen.RESTARTED)
    await until(lambda: garden.card.attributes["stage"] == "restarting")

    await garden.hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await cancelled
    assert garden.valve == CLOSED_AND_OPENED
    assert garden.house.journal.open_install(entry.entry_id) is None


async def test_a_module_that_restarts_while_it_is_removed_leaves_the_equipment_restored(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(offline_time=30)
    entry = await add(garden, module)
    suspended = asyncio.create_task(expect(garden, "suspended"))
    await module.wait_for(Seen.RESTARTED)
    await until(lambda: garden.card.attributes["stage"] == "restarting")

    await garden.hass.config_entries.async_remove(entry.entry_id)
    await suspended
    await garden.hass.async_block_till_done()
    assert garden.valve == CLOSED_AND_OPENED
    assert garden.house.journal.open_install(entry.entry_id) is None


async def expect(garden: Garden, cause: str) -> None:
    """Press Update, which ends with this cause."""
    with pytest.raises(HomeAssistantError) as caught:
        await garden.install()
    assert caught.value.translation_key == cause
    assert_error_is_whole(caught.value)


async def test_an_entry_that_is_taken_away_while_the_valve_closes_restores(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    options = options_for()
    options["safe_state"]["actions"].append({"wait_template": "{{ false }}"})
    entry = await add(garden, module, options=options)
    refused = asyncio.create_task(expect(garden, "cancelled"))
    await until(lambda: garden.valve == ["off"])

    assert await garden.hass.config_entries.async_unload(entry.entry_id)

    await refused
    assert_nothing_sent(module)
    assert garden.valve == CLOSED_AND_OPENED


async def test_an_entry_that_is_taken_away_before_anything_began_has_nothing_to_restore(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await add(garden, module)
    reading = asyncio.Event()

    async def read_for_ever(*_: object) -> bytes:
        reading.set()
        return await asyncio.get_running_loop().create_future()

    with patch.object(Library, "async_read", read_for_ever):
        refused = asyncio.create_task(expect(garden, "cancelled"))
        await reading.wait()
        assert await garden.hass.config_entries.async_unload(entry.entry_id)

    await refused
    assert garden.valve == UNTOUCHED
    assert_nothing_sent(module)


async def test_a_restore_that_fails_when_the_entry_is_taken_away_is_a_repair(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    module = await start_module(loop_time=10)
    options = options_for({"restore": [{"action": "test.nothing"}]})
    entry = await add(garden, module, options=options)
    refused = asyncio.create_task(expect(garden, "cancelled"))
    await module.wait_for(Seen.INVITED)

    assert await garden.hass.config_entries.async_unload(entry.entry_id)

    await refused
    assert garden.valve == ["off"]
    assert issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")


async def test_a_restore_that_runs_while_the_entry_is_taken_away_is_carried_to_its_end(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.BOOT_STRAP])
    pause = {"delay": {"milliseconds": 300}}
    options = options_for()
    options["safe_state"]["restore"].insert(0, pause)
    entry = await add(garden, module, options=options)
    refused = asyncio.create_task(expect(garden, "boot_strap"))
    await until(lambda: garden.card.attributes["stage"] == "restoring")

    assert await garden.hass.config_entries.async_unload(entry.entry_id)

    await refused
    assert garden.valve == CLOSED_AND_OPENED
    assert garden.house.journal.open_install(entry.entry_id) is None


async def test_a_removed_module_leaves_no_trace(
    garden: Garden,
    start_module: StartModule,
    issue_registry: ir.IssueRegistry,
    hass_storage: dict[str, Any],
) -> None:
    module = await start_module(faults=[Fault.NEVER_BACK])
    garden.house.patience = patience(back=0.2)
    entry = await add(garden, module, options=options_for({"when_missing": "stay_safe"}))
    await garden.refused("did_not_come_back")
    await garden.house.journal.async_remember(
        entry.entry_id, {"version": "1.0.0", "firmware": None, "assumed": False}
    )
    assert issue_registry.issues

    await garden.hass.config_entries.async_remove(entry.entry_id)

    assert not issue_registry.issues
    stored = hass_storage["esp_ota.journal"]["data"]
    assert stored.keys() >= {"open", "known", "learnt"}
    assert stored.pop("writes")
    assert not any(stored.values())


async def test_an_address_that_changes_during_an_install_does_not_end_it(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02)
    entry = await add(garden, module)
    install = asyncio.create_task(garden.install())
    await module.wait_for(Seen.FIRST_BYTE)

    garden.hass.config_entries.async_update_entry(
        entry, data={**entry.data, "service_name": "other._arduino._tcp.local."}
    )
    await garden.hass.async_block_till_done()

    await install
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_installs_wait_for_their_turn_untouched(
    garden: Garden, start_module: StartModule
) -> None:
    first = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02)
    second = await start_module(hostname="pump")
    await add(garden, first, options=options_for(equipment="nothing"))
    entry = entry_for(second, unique_id="pump", name="pump", service_name=None)
    entry.add_to_hass(garden.hass)
    garden.hass.config_entries.async_update_entry(entry, title="pump")
    assert await garden.hass.config_entries.async_setup(entry.entry_id)
    await garden.hass.async_block_till_done()
    house = garden.house.entry
    assert house is not None
    garden.hass.config_entries.async_update_entry(house, options={"parallel_installs": 1})
    await garden.hass.config_entries.async_reload(house.entry_id)

    running = asyncio.create_task(garden.install())
    await first.wait_for(Seen.FIRST_BYTE)
    waiting = asyncio.create_task(
        garden.hass.services.async_call(
            "update", "install", {"entity_id": "update.pump_firmware"}, blocking=True
        )
    )

    def stage() -> str | None:
        state = garden.hass.states.get("update.pump_firmware")
        assert state is not None
        return state.attributes["stage"]

    await until(lambda: stage() == "queued")
    assert_nothing_sent(second)
    await running
    await waiting
    assert second.running_version == "1.1.0"
    assert second.events.last(Seen.INVITED).time > first.events.last(Seen.RESTARTED).time


async def test_progress_is_one_value_and_percent_is_shown_only_while_sending(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await add(garden, module)

    await garden.install()

    assert garden.stages == [
        None,
        "checking",
        "queued",
        "making_safe",
        "sending",
        "restarting",
        "verifying",
        "restoring",
        "done",
        None,
    ]
    for in_progress, percent, stage in garden.shown:
        assert in_progress is (stage is not None)
        assert percent is None or stage == "sending"
    percents = [percent for _, percent, _ in garden.shown if percent is not None]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert len(percents) > 3


async def test_progress_is_gone_after_a_failure_and_begins_anew(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults={Fault.WRONG_MD5: 1})
    await add(garden, module)
    await garden.refused("md5_mismatch")
    assert garden.shown[-1] == (False, None, None)
    garden.shown.clear()

    await garden.install()

    assert garden.shown[0] == (True, None, "checking")
    assert garden.shown[-1] == (False, None, None)


async def test_two_modules_are_updated_at_the_same_time(
    hass: HomeAssistant, garden: Garden, start_module: StartModule
) -> None:
    slow = {"faults": [Fault.SLOW_SECTOR], "slow_sector_time": 0.02}
    valve, pump = await start_module(**slow), await start_module(hostname="pump", **slow)
    await add(garden, valve, options=options_for(equipment="nothing"))
    entry = entry_for(pump, unique_id="pump", name="pump", service_name=None)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, title="pump")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    await hass.services.async_call(
        "update", "install", {"entity_id": [CARD, "update.pump_firmware"]}, blocking=True
    )

    assert valve.running_version == pump.running_version == "1.1.0"
    assert pump.events.last(Seen.FIRST_BYTE).time < valve.events.last(Seen.COMPLETE).time


async def has_all_but_nobody_looked(garden: Garden, start_module: StartModule) -> VirtualModule:
    """Begin an update of a module that has the last byte, which it is still writing."""
    module = await start_module(advertise=True, sector_time=0.1)
    garden.house.patience = patience(poll=5.0)
    await add(garden, module)
    await garden.runs("1.0.0")
    return module


@pytest.mark.slow
async def test_a_cancel_that_comes_when_the_module_has_it_all_is_late(
    garden: Garden, start_module: StartModule
) -> None:
    module = await has_all_but_nobody_looked(garden, start_module)
    installing = asyncio.create_task(garden.refused("cancelled_late"))
    await module.wait_for(Seen.COMPLETE)

    await garden.hass.services.async_call(DOMAIN, "cancel", {"entity_id": CARD}, blocking=True)

    await installing
    await module.wait_for(Seen.BACK)
    assert module.running_version == "1.1.0"


@pytest.mark.slow
async def test_a_break_that_comes_when_the_module_has_it_all_is_heard_out(
    garden: Garden, start_module: StartModule
) -> None:
    module = await has_all_but_nobody_looked(garden, start_module)
    installing = asyncio.create_task(garden.install())
    await module.wait_for(Seen.COMPLETE)

    garden.hass.states.async_set(VALVE, "on")

    await installing
    assert garden.card.attributes["last_verdict"] == "verified"
    assert module.restarts == 1


async def test_nothing_begins_when_home_assistant_stops(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await add(garden, module)
    garden.hass.set_state(CoreState.stopping)
    with pytest.raises(HomeAssistantError) as caught:
        await entry.runtime_data.installer.async_install("1.1.0", None)
    assert caught.value.translation_key == "cancelled"
    assert_nothing_sent(module)
    garden.hass.set_state(CoreState.running)
