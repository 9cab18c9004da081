"""How installs end for the caller of `update.install`, with modules that fail on request."""

import socket
from typing import Any

import pytest

from tests.kit.entries import StartModule
from tests.kit.garden import (
    CLOSED_AND_OPENED,
    UNTOUCHED,
    Garden,
    assert_nothing_sent,
    options_for,
    patience,
)
from tests.virtual_module import Fault, Seen, build_image

pytestmark = pytest.mark.slow

ESP32 = {"chip": "esp32", "generation": "legacy"}
ESP32_S3 = {"chip": "esp32s3", "generation": "pbkdf2"}


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
    entry = await garden.add_talking(module, password=config.get("password"))

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
    entry = await garden.add_valve(module)

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
    entry = await garden.add_talking(
        module, patience=patience(result=1.0)
    )  # longer than the restart takes

    await garden.install()

    assert garden.card.attributes["last_verdict"] == "verified"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_connection_that_breaks_once_is_tried_again(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults={Fault.RESET: 1})
    entry = await garden.add_valve(module)

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
    entry = await garden.add_valve(module)
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
    entry = await garden.add_valve(module)
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
    entry = await garden.add_valve(module)

    await garden.refused(cause)

    assert garden.card.attributes["last_cause"] == cause
    # It can be tried again, unless the module is known by now to take no unsigned image.
    assert garden.card.state == ("off" if cause == "signature" else "on")
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize(
    ("fault", "cause", "facts", "verdict", "installed"),
    [
        (
            Fault.WRONG_VERSION_BACK,
            "other_version_back",
            {"version": "1.1.0", "found": "garden-valve 0.0.1"},
            "failed",
            "0.0.1",
        ),
        (
            Fault.OLD_SKETCH_BACK,
            "old_version_back",
            {"version": "1.1.0", "installed": "1.0.0"},
            "unchanged",
            "1.0.0",
        ),
    ],
)
async def test_a_module_that_is_back_with_something_else_shows_it(
    garden: Garden,
    start_module: StartModule,
    fault: Fault,
    cause: str,
    facts: dict[str, str],
    verdict: str,
    installed: str,
) -> None:
    module = await start_module(advertise=True, faults=[fault])
    entry = await garden.add_talking(module, patience=patience(evidence=1.0))

    told = await garden.refused(cause)

    assert told | facts == told
    assert garden.card.attributes["last_verdict"] == verdict
    assert garden.card.attributes["installed_version"] == installed
    assert garden.card.state == "on"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_connection_that_always_breaks_is_tried_three_times(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.RESET])
    entry = await garden.add_valve(module)

    facts = await garden.refused("connection_lost")

    assert module.events.count_of(Seen.CONNECTED) == 3
    assert int(facts["sent"]) < int(facts["total"])
    assert module.running_version == "1.0.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_refusal_is_not_tried_again(garden: Garden, start_module: StartModule) -> None:
    module = await start_module(faults=[Fault.NOT_ENOUGH_SPACE])
    entry = await garden.add_valve(module)

    facts = await garden.refused("no_space")

    assert module.events.count_of(Seen.INVITED) == 1
    assert "Not Enough Space" in facts["text"]
    assert garden.card.attributes["last_verdict"] == "refused"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_module_without_power_is_not_reached_and_the_valve_not_touched(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module, port=1)

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
    entry = await garden.add_valve(module, options=options)

    facts = await garden.refused("port_closed")

    assert facts["port"] == str(module.port)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_module_that_dies_while_it_receives_is_restored(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SILENT_DEATH])
    garden.house.patience = patience(stall=0.3, answer=0.1, tries=2)
    entry = await garden.add_valve(module)

    await garden.refused("no_answer")

    assert module.events.count_of(Seen.DIED) == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_call_back_port_that_is_taken_is_named(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module)
    house = garden.house.entry
    assert house is not None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        garden.hass.config_entries.async_update_entry(house, options={"callback_port": port})

        facts = await garden.refused("callback_port_taken")

    assert facts["callback_port"] == str(port)
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
