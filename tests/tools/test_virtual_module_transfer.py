"""How virtual modules take a payload in, chip by chip."""

import asyncio
from collections.abc import AsyncIterator
import hashlib
import socket
import struct
from typing import Any

import pytest

from tests.tools.chips import ALL, ESP8266, LEGACY, LIKE_ESP32, LIKE_ESP8266, PICO, SIZE, image_for
from tests.virtual_module import Fault, build_filesystem, build_image
from tests.virtual_module.plain_host import Host, bench


async def pieces_of(host: Host) -> AsyncIterator[bytes]:
    """Yield what is read at once, to the end."""
    while piece := await host.hear():
        yield piece


@pytest.mark.parametrize("chip", ALL)
async def test_an_update_ends_in_the_version_that_the_image_says(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip) as (module, host):
        assert module.running_version == "1.0.0"
        said = await host.push(image)
        assert said.endswith(b"OK")
        back = await module.wait_for("back")
        assert back.details["version"] == module.running_version == "2.0.0"
        assert module.running_md5 == hashlib.md5(image).hexdigest()
        assert module.payload_bytes == len(image)
        assert module.restarts == 1
        wanted = ["connected", "first_byte", "complete", "installed", "ok_sent", "closed"]
        assert module.events.names()[-len(wanted) - 2 : -2] == wanted
        assert module.events.names()[-2:] == ["restarted", "back"]


@pytest.mark.parametrize("chip", ALL)
async def test_an_image_without_marker_has_no_version(chip: dict[str, Any]) -> None:
    async with bench(**chip) as (module, host):
        await host.push(build_image(chip["chip"], size=SIZE, marker=False))
        assert (await module.wait_for("back")).details["version"] is None


@pytest.mark.slow
@pytest.mark.parametrize("chip", ALL)
async def test_a_module_that_restarts_is_unreachable_and_keeps_its_port(
    chip: dict[str, Any],
) -> None:
    async with bench(**chip, offline_time=15.0) as (module, host):
        await host.push(image_for(chip))
        await module.wait_for("restarted")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
            caller.setblocking(False)
            caller.connect(host.module)
            caller.send(b"anybody there?")
            with pytest.raises(ConnectionRefusedError):
                async with asyncio.timeout(5):
                    await asyncio.get_running_loop().sock_recv(caller, 100)
        assert (await module.wait_for("back")).details["port"] == host.module[1]
        host.invite(image_for(chip))
        assert await host.answer() == "OK"
        await module.wait_for("connected", count=2)


@pytest.mark.parametrize(
    ("chip", "said"),
    [
        (ESP8266, b"2920" * 11 + b"648OK"),
        (LEGACY, b"1460" * 22 + b"648OK"),
        (PICO, b"2920" * 11 + b"648OK"),
    ],
)
async def test_acks_count_drained_queues_or_reads(chip: dict[str, Any], said: bytes) -> None:
    """ESP8266 and Pico count what one drain took, an ESP32 each read of at most 1460."""
    image = image_for(chip)
    async with bench(**chip, window=0) as (_, host):
        await host.begin(image)
        await host.lock_step(image, chunk=2920)
        assert await host.rest() == said


@pytest.mark.parametrize("chip", LIKE_ESP8266)
async def test_a_pipe_that_is_never_empty_gets_one_ack(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip, window=5840, mss=1460, sector_time=0.02) as (_, host):
        await host.begin(image)
        await host.send(image)
        assert await host.rest() == b"%dOK" % len(image)


@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_an_esp32_acknowledges_each_read_of_a_full_pipe(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip, sector_time=0.01) as (_, host):
        await host.begin(image)
        await host.send(image)
        said = await host.rest()
        assert said.endswith(b"OK")
        assert len(said) > 3 * len(image) // 1460


@pytest.mark.slow
@pytest.mark.parametrize("chip", LIKE_ESP8266)
async def test_the_end_takes_the_time_the_library_takes(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip, time_scale=0.2) as (module, host):
        await host.push(image)
        await module.wait_for("restarted")
        complete, ok, closed, restarted = (
            module.events.last(name).time for name in ("complete", "ok_sent", "closed", "restarted")
        )
        assert ok - complete >= 0.2
        assert closed - ok >= 0.2
        assert restarted - closed >= 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("core", "after"), [("2.6.3", 0.5), ("2.5.2", 0.0)])
async def test_older_cores_say_ok_at_once(core: str, after: float) -> None:
    image = image_for(ESP8266)
    async with bench(**ESP8266, core=core, time_scale=0.5) as (module, host):
        assert (await host.push(image)).endswith(b"OK")
        installed, ok, closed = (
            module.events.last(name).time for name in ("installed", "ok_sent", "closed")
        )
        assert ok - installed < 0.5
        assert closed - ok >= after


@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_the_last_ack_of_an_esp32_is_glued_to_its_ok(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip) as (_, host):
        await host.begin(image)
        await host.lock_step(image[: 1460 * 22])
        host.heard = b""
        await host.send(image[1460 * 22 :])
        assert await host.hear() == b"648OK"


@pytest.mark.parametrize(
    ("chip", "segments"),
    [
        (ESP8266, [b"ERROR[12]: Signature verification failed\n"]),
        (ESP8266 | {"core": "2.7.4"}, [b"ERROR[12]: ", b"Signature verification failed", b"\r\n"]),
        (PICO, [b"ERROR[12]: ", b"Signature verification failed", b"\r\n"]),
    ],
)
async def test_an_error_text_comes_in_as_many_segments_as_the_core_prints(
    chip: dict[str, Any], segments: list[bytes]
) -> None:
    image = image_for(chip)
    async with bench(**chip, faults=[Fault.SIGNATURE_REQUIRED], tick=0.001) as (_, host):
        await host.begin(image)
        await host.lock_step(image[:-10])
        await host.send(image[-10:])
        heard = [piece async for piece in pieces_of(host)]
        assert heard[-len(segments) :] in (segments, [b"10" + segments[0], *segments[1:]])


@pytest.mark.slow
@pytest.mark.parametrize("chip", LIKE_ESP8266)
async def test_a_size_announced_too_large_keeps_an_esp8266_waiting(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip, limit_scale=0.02) as (module, host):
        host.invite(image, size=len(image) + 1)
        assert await host.answer() == "OK"
        await host.accept()
        await host.lock_step(image)
        await asyncio.sleep(0.3)
        assert module.events.names()[-1] == "first_byte"


@pytest.mark.parametrize("chip", LIKE_ESP8266)
async def test_bytes_beyond_the_announced_size_stay_unread(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip) as (module, host):
        await host.begin(image)
        await host.lock_step(image[:-100])
        await host.send(image[-100:] + b"?")
        said = await host.rest()
        assert said.endswith((b"OK<RST>", b"<RST>"))
        await module.wait_for("back")
        assert module.running_version == "2.0.0"


@pytest.mark.slow
@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_one_byte_too_many_makes_an_esp32_fail(chip: dict[str, Any]) -> None:
    """Unless the size is a multiple of 4096: then the last whole sector completes it."""
    image = build_image(chip["chip"], version="2.0.0", size=SIZE + 160)
    async with bench(**chip, limit_scale=0.1) as (module, host):
        await host.begin(image)
        await host.lock_step(image[:-100])
        await host.send(image[-100:] + b"?")
        assert b"OK" not in await host.rest()
        assert module.restarts == 0
        assert module.running_version == "1.0.0"


@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_a_read_beyond_what_fits_has_no_space_on_an_esp32(chip: dict[str, Any]) -> None:
    image = build_image(chip["chip"], version="2.0.0", size=SIZE + 160)
    async with bench(**chip) as (_, host):
        await host.begin(image)
        await host.lock_step(image[: 22 * 1460])
        await host.lock_step(image[22 * 1460 : 22 * 1460 + 700])
        await host.send(bytes(500))
        assert (await host.rest()).endswith(b"700Not Enough Space\r\n")


@pytest.mark.parametrize("chip", ALL)
async def test_a_filesystem_is_replaced_and_the_sketch_stays(chip: dict[str, Any]) -> None:
    files = build_filesystem(SIZE)
    async with bench(**chip) as (module, host):
        assert (await host.push(files, command=100)).endswith(b"OK")
        await module.wait_for("back")
        assert module.fs_image == files
        assert module.running_version == "1.0.0"


@pytest.mark.slow
@pytest.mark.parametrize("chip", ALL[:3])
async def test_a_filesystem_half_sent_is_half_destroyed(chip: dict[str, Any]) -> None:
    old, new = build_filesystem(SIZE, seed=1), build_filesystem(SIZE, seed=2)
    async with bench(**chip, fs_image=old) as (module, host):
        await host.begin(new, command=100)
        await host.lock_step(new[:14600])
        host.reset()
        await module.wait_for("aborted")
        assert module.fs_image == new[:12288] + old[12288:]


@pytest.mark.slow
async def test_a_module_that_is_never_read_from_takes_little() -> None:
    """The window is the chip's: a host cannot push more than that into a module that hangs."""
    for chip, most in ((ESP8266, 3 * 1024), (LEGACY, 9 * 1024)):
        image = build_image(chip["chip"], size=200 * 1024)
        async with bench(**chip, faults=["hang_after_accept"]) as (_, host):
            await host.begin(image)
            assert host.connection is not None
            host.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            taken = 0
            for _ in range(10):
                try:
                    taken += host.connection.send(image[taken:])
                except BlockingIOError:
                    await asyncio.sleep(0.05)
            info = host.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
            acked = struct.unpack_from("<Q", info, 120)[0]
            assert 0 < acked <= most


async def test_a_power_cycle_brings_the_module_back() -> None:
    async with bench(**ESP8266) as (module, host):
        await host.begin(image_for(ESP8266))
        await host.lock_step(image_for(ESP8266)[:1460])
        await module.power_cycle()
        await module.wait_for("back")
        assert (await host.rest()).endswith(b"<RST>")
        assert module.running_version == "1.0.0"
        assert (await host.push(image_for(ESP8266))).endswith(b"OK")
