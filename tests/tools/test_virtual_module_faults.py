"""Each fault of a virtual module does what it says, as often as it should, and nothing else."""

import asyncio
from contextlib import AsyncExitStack
import socket
from typing import Any
from unittest.mock import patch

import pytest

from tests.tools.chips import ESP8266, FAMILIES, PBKDF2 as ESP32, PICO, SILENCE, SIZE, image_for
from tests.virtual_module import (
    Event,
    EventLog,
    Fault,
    FaultPlan,
    ModuleConfig,
    Seen,
    VirtualModule,
)
from tests.virtual_module.board import Board
from tests.virtual_module.plain_host import Host, bench


def closed(host: Host) -> bool:
    """Tell whether anything has come to an end on the connection."""
    assert host.connection is not None
    host.connection.setblocking(False)
    try:
        while host.connection.recv(4096):
            pass
    except BlockingIOError:
        return False
    except ConnectionResetError:
        pass
    return True


def test_a_plan_counts_what_is_limited() -> None:
    plan = FaultPlan({Fault.RESET: 2, Fault.BUSY: None})
    assert [plan.strikes(Fault.RESET) for _ in range(3)] == [True, True, False]
    assert all(plan.strikes(Fault.BUSY) for _ in range(5))
    assert not plan.strikes(Fault.NO_CONNECT)
    plan.clear()
    assert not plan.strikes(Fault.BUSY)


def test_a_module_has_only_faults_its_hardware_can_have() -> None:
    ModuleConfig(chip="esp8266", faults=[Fault.BOOT_STRAP])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="boot_strap"):
        ModuleConfig(chip="esp32", faults=[Fault.BOOT_STRAP])  # type: ignore[arg-type]


@pytest.mark.parametrize("chip", FAMILIES)
async def test_busy_answers_nothing(chip: dict[str, Any]) -> None:
    async with bench(**chip, faults={Fault.BUSY: 1}) as (module, host):
        host.invite(image_for(chip))
        assert await host.answer(SILENCE) is None
        host.invite(image_for(chip))
        assert await host.answer() == "OK"
        await module.wait_for("connected")


@pytest.mark.parametrize("chip", FAMILIES)
async def test_a_lost_first_reply_leaves_the_challenge_standing(chip: dict[str, Any]) -> None:
    """The second invitation is swallowed, the third one is answered."""
    faults = {Fault.LOST_FIRST_REPLY: 1}
    async with bench(**chip, password="secret", faults=faults) as (module, host):
        host.invite(image_for(chip))
        await module.wait_for("challenged")
        assert await host.answer(SILENCE) is None
        host.invite(image_for(chip))
        await module.wait_for("swallowed")
        host.invite(image_for(chip))
        assert str(await host.answer()).startswith("AUTH")


@pytest.mark.parametrize("chip", FAMILIES)
async def test_a_lost_auth_reply_is_followed_by_the_connection(chip: dict[str, Any]) -> None:
    faults = [Fault.LOST_AUTH_REPLY]
    async with bench(**chip, password="secret", faults=faults) as (_, host):
        host.invite(image_for(chip))
        host.respond(str(await host.answer()), "secret")
        await host.accept()
        assert await host.answer(SILENCE) is None


@pytest.mark.slow
async def test_a_late_reply_comes_late() -> None:
    async with bench(**ESP32, faults=[Fault.LATE_REPLY], late_reply_time=0.4) as (_, host):
        host.invite(image_for(ESP32))
        assert await host.answer(0.2) is None
        assert await host.answer() == "OK"


async def test_a_garbage_reply_means_nothing() -> None:
    async with bench(**ESP8266, password="secret", faults=[Fault.GARBAGE_REPLY]) as (_, host):
        host.invite(image_for(ESP8266))
        answer = str(await host.answer())
        assert not answer.startswith(("OK", "AUTH", "ERR"))


@pytest.mark.parametrize(("chip", "answer"), [(ESP8266, "ERR: ERROR[4]: Not Enough Space\n")])
async def test_not_enough_space_ends_with_its_count(chip: dict[str, Any], answer: str) -> None:
    async with bench(**chip, faults={Fault.NOT_ENOUGH_SPACE: 1}) as (_, host):
        host.invite(image_for(chip))
        assert await host.answer() == answer
        await asyncio.sleep(SILENCE)
        await host.begin(image_for(chip))


async def test_the_boot_strap_is_reported_before_anything_else() -> None:
    async with bench(**ESP8266, faults=[Fault.BOOT_STRAP]) as (_, host):
        host.invite(b"")
        text = "ERR: ERROR[11]: Invalid bootstrapping state, reset ESP8266 before updating\n"
        assert await host.answer() == text


@pytest.mark.slow
@pytest.mark.parametrize("chip", FAMILIES)
async def test_no_connect_says_ok_and_stays_away(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    faults = {Fault.NO_CONNECT: 1}
    async with bench(**chip, faults=faults, limit_scale=0.02) as (module, host):
        host.invite(image)
        assert await host.answer() == "OK"
        await module.wait_for("connect_failed")
        with pytest.raises(TimeoutError):
            await host.accept(SILENCE)
        assert (await host.push(image)).endswith(b"OK")


@pytest.mark.parametrize("chip", FAMILIES)
async def test_hanging_after_accept_reads_nothing_until_the_host_closes(
    chip: dict[str, Any],
) -> None:
    image = image_for(chip)
    async with bench(**chip, faults={Fault.HANG_AFTER_ACCEPT: 1}) as (module, host):
        await host.begin(image)
        await host.send(image[:1000])
        await asyncio.sleep(SILENCE)
        assert module.payload_bytes == 0
        assert not closed(host)
        assert host.connection is not None
        host.connection.close()
        await module.wait_for("aborted")
        assert (await host.push(image)).endswith(b"OK")


@pytest.mark.slow
@pytest.mark.parametrize("chip", FAMILIES)
async def test_a_silent_death_says_nothing_at_all(chip: dict[str, Any]) -> None:
    """No FIN, no RST, no TCP acknowledgement of anything sent afterwards."""
    image = image_for(chip)
    async with bench(**chip, faults={Fault.SILENT_DEATH: 1}) as (module, host):
        await host.begin(image)
        sending = asyncio.create_task(host.lock_step(image))
        await module.wait_for("died")
        await asyncio.sleep(SILENCE)
        assert not sending.done()
        sending.cancel()
        assert SIZE // 2 <= module.payload_bytes < SIZE // 2 + 2 * 1460
        await host.send(b"more")
        await asyncio.sleep(SILENCE)
        assert not closed(host)
        assert host.connection is not None
        unacknowledged = host.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)[24]
        assert unacknowledged > 0
        host.invite(image)
        assert await host.answer(SILENCE) is None
        await module.power_cycle()
        await module.wait_for("back")
        assert module.running_version == "1.0.0"
        host.heard = b""
        assert (await host.push(image)).endswith(b"OK")


async def test_power_may_return_by_itself() -> None:
    image = image_for(ESP32)
    async with bench(**ESP32, faults={Fault.SILENT_DEATH: 1}, revive_after=0.1) as (module, host):
        await host.begin(image)
        await host.send(image)
        await module.wait_for("back")
        assert module.running_version == "1.0.0"
        with pytest.raises(ConnectionResetError):  # by a stack that knows no connection
            await host.send(b"more")


@pytest.mark.parametrize("chip", FAMILIES)
async def test_a_reset_strikes_where_it_should(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip, faults={Fault.RESET: 1}, fault_at=0.25) as (module, host):
        await host.begin(image)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            await host.lock_step(image)
        assert SIZE // 4 <= module.payload_bytes < SIZE // 4 + 2 * 1460
        host.heard = b""
        assert (await host.push(image)).endswith(b"OK")
        await module.wait_for("back")


@pytest.mark.slow
async def test_slow_sectors_take_their_time() -> None:
    image = image_for(ESP32)
    faults = [Fault.SLOW_SECTOR]
    async with bench(**ESP32, faults=faults, slow_sector_time=0.05) as (module, host):
        await host.push(image)
        first, installed = (module.events.last(name) for name in ("first_byte", "installed"))
        assert installed.time - first.time >= 0.4


async def test_a_write_error_is_glued_to_the_digits() -> None:
    image = image_for(ESP8266)
    async with bench(**ESP8266, faults=[Fault.FLASH_WRITE_ERROR], window=0) as (module, host):
        await host.begin(image)
        await host.send(image)
        said = await host.rest()
        assert said.removesuffix(b"<RST>").endswith(b"ERROR[1]: Flash Write Failed\n")
        assert said[:1].isdigit()
        assert module.restarts == 0


async def test_a_write_error_of_an_esp32_has_no_number() -> None:
    image = image_for(ESP32)
    async with bench(**ESP32, faults=[Fault.FLASH_WRITE_ERROR]) as (_, host):
        await host.begin(image)
        await host.lock_step(image[: 1460 * 15])
        assert (await host.rest()).endswith(b"1460Flash Write Failed\r\n")


async def test_acks_may_come_twice() -> None:
    image = image_for(ESP32)
    async with bench(**ESP32, faults=[Fault.DUPLICATE_ACK], window=0) as (_, host):
        await host.begin(image)
        await host.lock_step(image)
        said = await host.rest()
        assert said == b"1460" * 44 + b"648" * 2 + b"OK"


@pytest.mark.parametrize("chip", FAMILIES)
async def test_a_wrong_md5_refuses_a_good_image(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip, faults={Fault.WRONG_MD5: 1}) as (module, host):
        assert b"MD5" in await host.push(image)
        assert module.running_version == "1.0.0"
        host.heard = b""
        assert (await host.push(image)).endswith(b"OK")


@pytest.mark.parametrize(
    ("chip", "text"),
    [
        (ESP8266, b"ERROR[12]: Signature verification failed\n"),
        (ESP32, b"Signature Verification Failed\r\n"),
        (PICO, b"ERROR[12]: Signature verification failed\r\n"),
    ],
)
async def test_a_signature_that_nobody_has_is_required(chip: dict[str, Any], text: bytes) -> None:
    async with bench(**chip, faults=[Fault.SIGNATURE_REQUIRED]) as (_, host):
        assert (await host.push(image_for(chip))).endswith(text)


async def test_the_ok_may_be_split() -> None:
    async with bench(**ESP8266, faults=[Fault.SPLIT_OK]) as (_, host):
        await host.begin(image_for(ESP8266))
        await host.lock_step(image_for(ESP8266))
        assert await host.hear() == b"O"
        assert await host.hear() == b"K"


@pytest.mark.parametrize("chip", FAMILIES)
async def test_the_ok_may_come_with_the_last_digits(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip, faults=[Fault.MERGED_OK]) as (_, host):
        await host.begin(image)
        await host.lock_step(image[: 1460 * 22])
        await host.send(image[1460 * 22 :])
        assert await host.hear() == b"648OK"


@pytest.mark.parametrize("chip", FAMILIES)
async def test_closing_without_ok_installs_all_the_same(chip: dict[str, Any]) -> None:
    async with bench(**chip, faults=[Fault.CLOSE_WITHOUT_OK]) as (module, host):
        said = await host.push(image_for(chip))
        assert said.isdigit()
        await module.wait_for("back")
        assert module.running_version == "2.0.0"


@pytest.mark.parametrize("chip", FAMILIES)
async def test_restarting_without_ok_leaves_the_connection_hanging_until_it_is_back(
    chip: dict[str, Any],
) -> None:
    async with bench(**chip, faults=[Fault.REBOOT_WITHOUT_OK]) as (module, host):
        await host.begin(image_for(chip))
        await host.lock_step(image_for(chip))
        await module.wait_for("restarted")
        assert not closed(host)
        await module.wait_for("back")
        assert module.running_version == "2.0.0"
        assert (await host.rest()).endswith(b"<RST>")
        assert b"OK" not in host.heard


@pytest.mark.parametrize("chip", FAMILIES)
async def test_no_restart_stays_up_on_the_old_image_until_power_fails(
    chip: dict[str, Any],
) -> None:
    async with bench(**chip, faults=[Fault.NO_RESTART]) as (module, host):
        assert (await host.push(image_for(chip))).endswith(b"OK")
        host.invite(image_for(chip))
        assert await host.answer() == "OK"
        assert module.restarts == 0
        assert module.running_version == "1.0.0"
        await module.power_cycle()
        await module.wait_for("back")
        # An ESP8266 keeps the command to copy in memory that needs power.
        assert module.running_version == ("1.0.0" if chip is ESP8266 else "2.0.0")


@pytest.mark.parametrize("chip", FAMILIES)
async def test_the_old_sketch_may_come_back(chip: dict[str, Any]) -> None:
    async with bench(**chip, faults={Fault.OLD_SKETCH_BACK: 1}) as (module, host):
        assert (await host.push(image_for(chip))).endswith(b"OK")
        assert (await module.wait_for("back")).details["version"] == "1.0.0"
        host.heard = b""
        assert (await host.push(image_for(chip))).endswith(b"OK")
        assert (await module.wait_for("back", count=2)).details["version"] == "2.0.0"


async def test_another_version_may_come_back() -> None:
    faults = [Fault.WRONG_VERSION_BACK]
    async with bench(**ESP32, faults=faults, wrong_version="7.7.7") as (module, host):
        await host.push(image_for(ESP32))
        assert (await module.wait_for("back")).details["version"] == "7.7.7"
        assert module.running_version == "7.7.7"


@pytest.mark.slow
async def test_a_module_may_never_come_back() -> None:
    async with bench(**ESP32, faults=[Fault.NEVER_BACK]) as (module, host):
        await host.push(image_for(ESP32))
        await module.wait_for("restarted")
        await asyncio.sleep(0.3)
        assert module.events.names()[-1] == "restarted"


@pytest.mark.slow
async def test_a_slow_restart_is_slow() -> None:
    faults = [Fault.SLOW_RESTART]
    async with bench(**ESP32, faults=faults, slow_restart_time=20) as (module, host):
        await host.push(image_for(ESP32))
        back = await module.wait_for("back")
        assert back.time - module.events.last("restarted").time >= 0.4


async def test_an_error_inside_ends_the_module_and_is_raised_on_exit() -> None:
    module = VirtualModule(ModuleConfig())
    async with AsyncExitStack() as stack:
        await module.__aenter__()
        stack.push_async_callback(_expect, ZeroDivisionError, module)
        host = Host((module.host, module.port))
        stack.callback(host.close)
        with patch.object(Board, "reply", side_effect=ZeroDivisionError):
            host.invite(image_for(ESP8266))
            with pytest.raises(RuntimeError, match="broke"):
                await module.wait_for("connected")


async def _expect(error: type[BaseException], module: VirtualModule) -> None:
    with pytest.raises(error):
        await module.__aexit__(None, None, None)


async def test_a_used_port_is_an_error_at_once() -> None:
    async with VirtualModule(ModuleConfig()) as module:
        with pytest.raises(OSError, match="in use"):
            await VirtualModule(ModuleConfig(port=module.port)).__aenter__()


async def test_waiting_for_what_never_comes_tells_what_came() -> None:
    log = EventLog()
    told: list[Event] = []
    log.listeners.append(told.append)
    log.add(Seen.INVITED, port=1)
    assert told == list(log)
    with pytest.raises(TimeoutError, match="invited"):
        await log.wait_for("back", 0.01)
    with pytest.raises(LookupError, match="back"):
        log.last("back")
