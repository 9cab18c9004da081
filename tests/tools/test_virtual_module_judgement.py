"""What virtual modules make of a payload once they have it, at its end and at the restart."""

import hashlib
import struct
from typing import Any

import pytest

from tests.tools.chips import (
    ESP8266,
    LEGACY,
    LIKE_ESP32,
    LIKE_ESP8266,
    PBKDF2,
    PICO,
    SIZE,
    image_for,
)
from tests.virtual_module import build_image, gzip_image
from tests.virtual_module.plain_host import bench

HTML = b"<!DOCTYPE html>".ljust(SIZE)


@pytest.mark.parametrize(
    ("core", "text"),
    [
        ("3.1.2", b"ERROR[10]: Magic byte is not 0xE9\n"),
        ("2.7.4", b"ERROR[10]: Magic byte is wrong, not 0xE9\r\n"),
    ],
)
async def test_an_esp8266_looks_at_the_first_byte_last(core: str, text: bytes) -> None:
    async with bench(**ESP8266, core=core) as (module, host):
        assert (await host.push(HTML)).endswith(text)
        assert module.payload_bytes == len(HTML)
        assert module.events.names()[-2:] == ["rejected", "closed"]
        assert (await host.push(image_for(ESP8266))).endswith(b"OK")


@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_an_esp32_looks_at_the_first_byte_after_a_sector(chip: dict[str, Any]) -> None:
    async with bench(**chip) as (module, host):
        await host.begin(HTML)
        await host.lock_step(HTML[:4380])
        assert await host.rest() == b"14601460Wrong Magic Byte\r\n"
        assert module.running_version == "1.0.0"


@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_an_error_with_unread_payload_resets_the_connection(chip: dict[str, Any]) -> None:
    async with bench(**chip) as (module, host):
        await host.begin(HTML)
        await host.send(HTML[:8000])
        assert (await host.rest()).endswith(b"<RST>")
        assert int(str(module.events.last("closed").details["unread"])) > 0


async def test_a_pico_takes_any_file_and_dies_of_it() -> None:
    async with bench(**PICO) as (module, host):
        assert (await host.push(HTML)).endswith(b"OK")
        await module.wait_for("bricked")
        assert module.events.count_of("back") == 0


async def test_an_esp8266_takes_the_image_of_another_chip_and_dies_of_it() -> None:
    async with bench(**ESP8266) as (module, host):
        assert (await host.push(image_for(LEGACY))).endswith(b"OK")
        await module.wait_for("bricked")


@pytest.mark.parametrize("chip", LIKE_ESP32)
@pytest.mark.parametrize("harm", ["another chip", "wrong bit", "truncated", "bootloader"])
async def test_an_esp32_verifies_the_whole_image(chip: dict[str, Any], harm: str) -> None:
    image = image_for(chip)
    if harm == "another chip":
        image = build_image("esp32c3", size=SIZE)
    elif harm == "wrong bit":
        image = image[:9999] + bytes([image[9999] ^ 1]) + image[10000:]
    elif harm == "truncated":
        image = image[:-16]
    else:
        image = image[:32] + bytes(4) + image[36:]
    async with bench(**chip) as (module, host):
        said = await host.push(image)
        assert said.endswith(b"Could Not Activate The Firmware\r\n")
        assert b"OK" not in said
        assert module.restarts == 0
        assert (await host.push(image_for(chip))).endswith(b"OK")


@pytest.mark.parametrize(
    ("chip", "text"),
    [
        (ESP8266, "ERROR[7]: MD5 verification failed: expected: {0}, calculated: {1}\n"),
        (ESP8266 | {"core": "2.7.4"}, "ERROR[7]: MD5 Failed: expected:{0}, calculated:{1}\r\n"),
        (LEGACY, "MD5 Check Failed\r\n"),
        (PBKDF2, "MD5 Check Failed\r\n"),
        (PICO, "ERROR[7]: MD5 Failed: expected:{0} calculated:{1}\r\n"),
    ],
)
async def test_another_md5_than_announced_is_refused(chip: dict[str, Any], text: str) -> None:
    image = image_for(chip)
    async with bench(**chip) as (module, host):
        host.invite(image, md5="0" * 32)
        assert await host.answer() == "OK"
        await host.accept()
        await host.lock_step(image)
        expected = text.format("0" * 32, hashlib.md5(image).hexdigest())
        assert (await host.rest()).endswith(expected.encode())
        assert module.restarts == 0


@pytest.mark.parametrize(("chip", "taken"), [(ESP8266, True), (PBKDF2, True), (LEGACY, False)])
async def test_upper_case_md5_is_lost_on_old_esp32_cores(chip: dict[str, Any], taken: bool) -> None:
    image = image_for(chip)
    async with bench(**chip) as (_, host):
        host.invite(image, md5=hashlib.md5(image).hexdigest().upper())
        assert await host.answer() == "OK"
        await host.accept()
        await host.lock_step(image)
        assert (await host.rest()).endswith(b"OK") is taken


@pytest.mark.parametrize("chip", LIKE_ESP8266)
async def test_gzip_is_unpacked_at_the_restart(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip) as (module, host):
        assert (await host.push(gzip_image(image))).endswith(b"OK")
        await module.wait_for("back")
        assert module.running_version == "2.0.0"
        assert module.running_image == image


async def test_gzip_is_no_image_for_old_cores_and_for_an_esp32() -> None:
    async with bench(**ESP8266, core="2.6.3") as (_, host):
        said = await host.push(gzip_image(image_for(ESP8266)))
        assert said.endswith(b"ERROR[10]: Magic byte is wrong, not 0xE9\r\n")
    async with bench(**LEGACY) as (_, host):
        await host.begin(gzip_image(image_for(LEGACY)))
        await host.lock_step(gzip_image(image_for(LEGACY))[:4380])
        assert (await host.rest()).endswith(b"Wrong Magic Byte\r\n")


@pytest.mark.parametrize("harm", ["truncated", "trailer", "overlap"])
async def test_a_harmed_gzip_kills_an_esp8266_though_it_said_ok(harm: str) -> None:
    image = build_image("esp8266", version="2.0.0", size=128 * 1024)
    packed = gzip_image(image)
    options = dict(ESP8266)
    if harm == "truncated":
        packed = packed[: len(packed) // 2] + struct.pack("<I", len(image))
    elif harm == "trailer":
        packed += struct.pack("<I", 4096)
    else:
        # The packed image fits, but unpacking it meets the sectors it is staged in.
        options["slot_size"] = 128 * 1024
    async with bench(**options, image=build_image("esp8266", size=SIZE)) as (module, host):
        assert (await host.push(packed)).endswith(b"OK")
        await module.wait_for("bricked")


@pytest.mark.parametrize(("packed", "end"), [(False, "back"), (True, "bricked")])
async def test_only_a_plain_image_is_patched_to_the_flash_mode(packed: bool, end: str) -> None:
    image = image_for(ESP8266)
    async with bench(**ESP8266, flash_mode="dout") as (module, host):
        await host.push(gzip_image(image) if packed else image)
        await module.wait_for(end)
        assert module.running_image[2] == (2 if packed else 3)


async def test_a_gzip_that_unpacks_to_nothing_leaves_the_old_sketch() -> None:
    packed = gzip_image(image_for(ESP8266)) + bytes(4)
    async with bench(**ESP8266) as (module, host):
        assert (await host.push(packed)).endswith(b"OK")
        await module.wait_for("back")
        assert module.running_version == "1.0.0"
