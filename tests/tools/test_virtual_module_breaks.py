"""What virtual modules do when a transfer stops, is reset or is closed, chip by chip."""

import asyncio
import time
from typing import Any

import pytest

from tests.tools.chips import (
    ALL,
    ESP8266,
    LEGACY,
    LIKE_ESP32,
    LIKE_ESP8266,
    PBKDF2,
    PICO,
    image_for,
)
from tests.virtual_module.plain_host import bench


@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_an_esp32_wants_the_first_byte_within_a_second(chip: dict[str, Any]) -> None:
    async with bench(**chip, limit_scale=0.2) as (module, host):
        await host.begin(image_for(chip))
        assert await host.rest() == b""
        connected = module.events.last("connected").time
        aborted = await module.wait_for("aborted")
        assert aborted.time - connected >= 0.15
        assert module.events.count_of("reacked") == 0


@pytest.mark.slow
@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_an_esp32_repeats_its_ack_three_times_and_gives_up(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip, limit_scale=0.2) as (module, host):
        await host.begin(image)
        await host.lock_step(image[:1000], chunk=1000)
        assert await host.rest() == b"1000" * 4
        await module.wait_for("aborted")
        assert (await host.push(image)).endswith(b"OK")


@pytest.mark.slow
@pytest.mark.parametrize("chip", LIKE_ESP8266)
async def test_an_esp8266_waits_for_ever(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip, limit_scale=0.02) as (module, host):
        await host.begin(image)
        await asyncio.sleep(0.3)
        await host.lock_step(image[:1460])
        await asyncio.sleep(0.3)
        await host.lock_step(image[1460:])
        assert (await host.rest()).endswith(b"OK")
        await module.wait_for("back")


@pytest.mark.slow
@pytest.mark.parametrize("chip", ALL)
async def test_a_reset_frees_the_module(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip) as (module, host):
        await host.begin(image)
        await host.lock_step(image[:8760])
        host.reset()
        await module.wait_for("aborted")
        host.heard = b""
        assert (await host.push(image)).endswith(b"OK")


@pytest.mark.parametrize("chip", ALL)
async def test_a_fin_in_the_middle_ends_the_update(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip, limit_scale=0.1) as (module, host):
        await host.begin(image)
        await host.lock_step(image[:8760])
        host.half_close()
        await module.wait_for("aborted")
        said = await host.rest()
        # An ESP8266 aborts the connection at once, an ESP32 waits for data and closes it.
        assert said.endswith(b"<RST>") is (chip in (ESP8266, PICO))
        assert said.removesuffix(b"<RST>").isdigit()
        assert module.events.count_of("reacked") == 0
        assert module.running_version == "1.0.0"


@pytest.mark.parametrize("chip", LIKE_ESP8266)
async def test_a_fin_that_comes_with_data_leaves_an_esp8266_without_a_word_and_a_reset(
    chip: dict[str, Any],
) -> None:
    image = image_for(chip)
    async with bench(**chip) as (module, host):
        await host.begin(image)
        await host.lock_step(image[:7300])
        host.heard = b""
        await host.send(image[7300:8760])
        host.half_close()
        assert await host.rest() == b""
        aborted = await module.wait_for("aborted")
        assert (aborted.details["bytes"], aborted.details["reason"]) == (8760, "ERROR[0]: No Error")
        assert module.running_version == "1.0.0"


@pytest.mark.slow
@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_a_short_body_is_closed_by_an_esp32_after_its_measured_time(
    chip: dict[str, Any],
) -> None:
    image = image_for(chip)
    async with bench(**chip, limit_scale=0.2) as (_, host):
        await host.begin(image)
        await host.lock_step(image[:1460])
        host.half_close()
        begin = time.monotonic()
        assert await host.hear() == b""
        assert time.monotonic() - begin >= 0.2 * 1.25


@pytest.mark.slow
@pytest.mark.parametrize("chip", LIKE_ESP8266)
async def test_closing_after_the_last_ack_costs_the_ok_and_not_the_update(
    chip: dict[str, Any],
) -> None:
    image = image_for(chip)
    async with bench(**chip, time_scale=0.2, offline_time=0.1) as (module, host):
        await host.begin(image)
        await host.lock_step(image[:-10])
        await host.send(image[-10:])
        assert host.connection is not None
        host.connection.close()
        await module.wait_for("back")
        assert module.running_version == "2.0.0"
        assert module.events.count_of("ok_sent") == 0


@pytest.mark.slow
async def test_a_half_close_after_the_last_ack_costs_an_esp8266_its_ok() -> None:
    image = image_for(ESP8266)
    async with bench(**ESP8266, time_scale=0.2, offline_time=0.1) as (module, host):
        await host.begin(image)
        await host.lock_step(image)
        host.half_close()
        assert b"OK" not in await host.rest()
        await module.wait_for("back")
        assert module.running_version == "2.0.0"


@pytest.mark.parametrize(
    ("chip", "said"),
    [
        pytest.param(ESP8266, b"", id="esp8266"),
        pytest.param(PICO, b"", id="rp2040"),
        pytest.param(LEGACY, b"10OK", id="esp32-legacy"),
        pytest.param(PBKDF2, b"10OK", id="esp32-pbkdf2"),
    ],
)
async def test_a_half_close_with_the_last_byte_silences_an_esp8266_which_flashes_all_the_same(
    chip: dict[str, Any], said: bytes
) -> None:
    image = image_for(chip)
    async with bench(**chip) as (module, host):
        await host.begin(image)
        await host.lock_step(image[:-10])
        host.heard = b""
        await host.send(image[-10:])
        host.half_close()
        assert await host.rest() == said  # and no reset
        await module.wait_for("back")
        assert module.running_version == "2.0.0"
