"""What can go wrong with a module that pulls, and what else it does besides."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from tests.tools import chips
from tests.tools.chips import ESP32, ESP8266, PULLERS, why
from tests.tools.test_virtual_module_process import started
from tests.virtual_module import (
    Fault,
    HttpConfig,
    HttpDialect,
    HttpModule,
    ModuleConfig,
    PullConfig,
    PullMode,
    Seen,
    VirtualModule,
    build_filesystem,
)
from tests.virtual_module.chips import Chip
from tests.virtual_module.plain_host import Host
from tests.virtual_module.plain_server import NOTHING_NEW, PlainServer, offer, pulling, reset

SIZE = 64 * 1024
image_for = partial(chips.image_for, size=SIZE)


# Faults


@pytest.mark.parametrize("chip", PULLERS)
async def test_a_reset_in_the_middle_is_tried_again_at_the_next_poll(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with pulling(offer(image), offer(image), **chip, faults={Fault.RESET: 1}) as (
        module,
        server,
    ):
        aborted = await module.wait_for("aborted")
        assert aborted.details["reason"] == "reset"
        assert module.payload_bytes >= SIZE // 2
        assert (await module.wait_for("back")).details["version"] == "2.0.0"
        assert server.endings[0] == "reset"
        assert module.restarts == 1


@pytest.mark.parametrize("chip", PULLERS)
async def test_a_reboot_in_the_middle_keeps_the_old_sketch_and_resets_when_it_is_up_again(
    chip: dict[str, Any],
) -> None:
    image = image_for(chip)
    async with pulling(offer(image), **chip, faults={Fault.REBOOT_MIDWAY: 1}) as (module, server):
        assert (await module.wait_for("aborted")).details["reason"] == "reboot_midway"
        assert (await module.wait_for("back")).details["version"] == "1.0.0"
        await module.wait_for("no_update")
        assert server.endings[0] == "reset"
        assert module.fs_image == b""


@pytest.mark.slow
@pytest.mark.parametrize("chip", PULLERS)
async def test_a_module_that_hangs_takes_no_byte_until_it_is_let_go(chip: dict[str, Any]) -> None:
    async def give_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(offer(image))
        await asyncio.sleep(0.2)
        taken.append(module.payload_bytes)
        await asyncio.sleep(0.2)
        taken.append(module.payload_bytes)
        reset(writer)

    image = image_for(chip)
    taken: list[int] = []
    async with pulling(give_up, **chip, faults={Fault.HANG_MIDWAY: 1}) as (module, _):
        aborted = await module.wait_for("aborted")
        assert aborted.details["reason"] == "hang_midway"
        assert SIZE // 2 <= taken[0] == taken[1] < SIZE
        await module.wait_for("no_update")
        assert module.restarts == 0


@pytest.mark.slow
async def test_a_module_may_take_the_head_and_none_of_the_body() -> None:
    async def give_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(offer(image_for(ESP8266)))
        await asyncio.sleep(0.2)
        reset(writer)

    async with pulling(give_up, faults={Fault.HANG_AFTER_ACCEPT: 1}) as (module, _):
        aborted = await module.wait_for("aborted")
        assert aborted.details == {"bytes": 0, "reason": "hang_after_accept"}
        await module.wait_for("no_update")


@pytest.mark.slow
async def test_a_module_without_power_says_nothing_until_it_is_back() -> None:
    faults = {Fault.SILENT_DEATH: 1}
    async with pulling(offer(image_for(ESP32)), **ESP32, faults=faults) as (module, server):
        await module.wait_for("died")
        await asyncio.sleep(0.2)
        assert (len(server.requests), server.endings) == (1, [])
        await module.power_cycle()
        await module.wait_for("no_update")
        assert module.running_version == "1.0.0"


@pytest.mark.parametrize("chip", PULLERS)
async def test_breaking_off_behind_the_headers_takes_no_byte_of_the_body(
    chip: dict[str, Any],
) -> None:
    image = image_for(chip)
    faults = {Fault.NOT_ENOUGH_SPACE: 1}
    async with pulling(offer(image), offer(image), **chip, faults=faults) as (module, server):
        assert await why(module) == (-100, "Not Enough space")
        assert not module.events.count_of(Seen.FIRST_BYTE)
        await module.wait_for("back")
        assert server.endings == ["reset", "closed"]


@pytest.mark.parametrize("chip", PULLERS)
async def test_a_proxy_that_takes_the_length_away_makes_every_client_give_up(
    chip: dict[str, Any],
) -> None:
    image = image_for(chip)
    faults = {Fault.CHUNKING_PROXY: 2}
    async with pulling(offer(image), NOTHING_NEW, offer(image), **chip, faults=faults) as (
        module,
        server,
    ):
        answered = await module.wait_for("answered")
        assert (answered.details["status"], answered.details["size"]) == (200, -1)
        assert (await module.wait_for("pull_failed")).details["code"] == -101
        await module.wait_for("no_update")
        await module.wait_for("back")
        assert module.asked[0] == server.requests[0]


@pytest.mark.parametrize("chip", PULLERS)
async def test_the_old_sketch_may_run_again_and_asks_as_before(chip: dict[str, Any]) -> None:
    faults = {Fault.OLD_SKETCH_BACK: 1}
    async with pulling(offer(image_for(chip)), **chip, faults=faults) as (module, server):
        assert (await module.wait_for("back")).details["version"] == "1.0.0"
        await module.wait_for("no_update")
        assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize("chip", PULLERS)
async def test_a_sketch_that_never_restarts_asks_as_before(chip: dict[str, Any]) -> None:
    faults = {Fault.NO_RESTART: 1}
    async with pulling(offer(image_for(chip)), **chip, faults=faults) as (module, server):
        await module.wait_for("installed")
        await module.wait_for("no_update", count=2)
        assert module.restarts == 0
        assert server.requests[0] == server.requests[2]
        await module.power_cycle()
        await module.wait_for("back")
        assert module.running_version == ("1.0.0" if chip is ESP8266 else "2.0.0")


@pytest.mark.parametrize("chip", PULLERS)
async def test_a_reboot_without_a_word_installs_all_the_same(chip: dict[str, Any]) -> None:
    faults = {Fault.REBOOT_WITHOUT_OK: 1}
    async with pulling(offer(image_for(chip)), **chip, faults=faults) as (module, server):
        assert (await module.wait_for("back")).details["version"] == "2.0.0"
        await module.wait_for("no_update")
        assert server.endings[0] == "reset"
        assert module.events.names().index("closed") > module.events.names().index("back")


@pytest.mark.slow
async def test_a_slow_flash_holds_the_server_back() -> None:
    slow = {"faults": [Fault.SLOW_SECTOR], "slow_sector_time": 0.02}
    async with pulling(offer(image_for(ESP8266)), **slow) as (module, _):
        await module.wait_for("back")
        took = module.events.last("complete").time - module.events.last("first_byte").time
        assert took >= 0.02 * (SIZE // 4096 - 1)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault.FLASH_WRITE_ERROR, "Update error: ERROR[1]: Flash Write Failed"),
        (Fault.SIGNATURE_REQUIRED, "Update error: ERROR[12]: Signature verification failed"),
        (Fault.BOOT_STRAP, "Update error: ERROR[11]: Invalid bootstrapping state"),
    ],
)
async def test_the_updater_fails_as_in_a_push(fault: Fault, text: str) -> None:
    async with pulling(offer(image_for(ESP8266)), faults=[fault]) as (module, _):
        failed = await module.wait_for("pull_failed")
        assert str(failed.details["text"]).startswith(text)
        await module.wait_for("no_update")
        assert module.running_version == "1.0.0"


async def test_a_wrong_image_bricks_a_puller_too() -> None:
    broken = bytearray(image_for(ESP8266))
    broken[9000] ^= 1
    async with pulling(offer(bytes(broken))) as (module, _):
        await module.wait_for("bricked")


# Other lives


@pytest.mark.slow
async def test_polls_keep_their_distance() -> None:
    async with pulling(pull={"poll_interval": 0.2}) as (module, _):
        await module.wait_for("no_update", count=3)
        times = [event.time for event in module.events if event.name is Seen.POLLING]
        assert all(after - before >= 0.2 for before, after in pairwise(times))


@pytest.mark.parametrize("chip", PULLERS)
async def test_a_puller_can_be_pushed_to_as_well(chip: dict[str, Any]) -> None:
    async with pulling(**chip, pull={"poll_interval": 0.2}) as (module, server):
        await module.wait_for("no_update")
        host = Host((module.host, module.port))
        assert (await host.push(image_for(chip))).endswith(b"OK")
        await module.wait_for("back")
        polls = len(server.requests)
        await module.wait_for("no_update", count=polls + 1)
        host.close()
        assert b"ersion: 2.0.0\r\n" in server.requests[-1]


@pytest.mark.slow
@pytest.mark.parametrize("chip", PULLERS)
async def test_a_push_waits_while_the_sketch_pulls(chip: dict[str, Any]) -> None:
    async def slowly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(offer(image)[:-100])
        await writer.drain()
        host.invite(image)
        heard.append(await host.answer(0.3))
        writer.write(offer(image)[-100:])
        await writer.drain()

    image = image_for(chip)
    heard: list[str | None] = []
    async with pulling(NOTHING_NEW, slowly, **chip) as (module, _):
        host = Host((module.host, module.port))
        await module.wait_for("back")
        assert heard == [None]
        assert not module.events.count_of(Seen.CONNECTING)
        host.close()


@pytest.mark.slow
@pytest.mark.parametrize("chip", PULLERS)
async def test_a_sleeper_hears_nothing_between_its_polls(chip: dict[str, Any]) -> None:
    pull = {"deep_sleep": True, "poll_interval": 0.5}
    async with pulling(NOTHING_NEW, offer(image_for(chip)), **chip, pull=pull) as (module, server):
        await module.wait_for("asleep")
        host = Host((module.host, module.port))
        host.invite(image_for(chip))
        assert await host.answer(0.2) is None
        await module.wait_for("back")
        host.close()
        await module.wait_for("back", count=2)
        await module.wait_for("no_update", count=2)
        assert module.running_version == "2.0.0"
        assert not module.events.count_of(Seen.INVITED)
        assert b"ersion: 2.0.0" in server.requests[2]


@pytest.mark.slow
async def test_a_web_server_can_be_a_puller_and_a_sleeper_too() -> None:
    plain = PlainServer()
    server = await asyncio.start_server(plain.serve, "127.0.0.1", 0)
    plain.port = server.sockets[0].getsockname()[1]
    pull = PullConfig(url=plain.url, deep_sleep=True, poll_interval=0.3)
    config = ModuleConfig(chip=Chip.ESP32, time_scale=0.02, pull=pull)
    async with server, HttpModule(config, HttpConfig(dialect=HttpDialect.ELEGANT_OTA)) as module:
        await module.wait_for("asleep")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection("127.0.0.1", module.http_port), 0.1)
        await module.wait_for("asleep", count=2)
        server.close_clients()


async def test_an_error_inside_the_puller_ends_the_module() -> None:
    async def burst(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        module.board.events.listeners.append(_break)
        writer.write(NOTHING_NEW)

    def _break(_: object) -> None:
        raise ZeroDivisionError

    async with AsyncExitStack() as stack:
        stack.enter_context(pytest.raises(ZeroDivisionError))
        module, _ = await stack.enter_async_context(pulling(burst))
        with pytest.raises(RuntimeError, match="broke"):
            await module.wait_for("back")


# As a process


@pytest.mark.slow
async def test_a_process_pulls_and_tells() -> None:
    image = image_for(ESP32)
    plain = PlainServer(offer(build_filesystem(8192)), offer(image))
    server = await asyncio.start_server(plain.serve, "127.0.0.1", 0, limit=1 << 20)
    plain.port = server.sockets[0].getsockname()[1]
    arguments = ["--chip=esp32", f"--pull={plain.url}", "--poll-interval=0.2"]
    arguments += ["--pull-step=spiffs", "--pull-step=sketch", "--pull-without=x-ESP32-AP-MAC"]
    async with server, started(*arguments) as module:
        assert (await module.event("polling"))["mode"] == "spiffs"
        assert (await module.event("answered"))["size"] == 8192
        assert (await module.event("polling"))["mode"] == "sketch"
        assert (await module.event("back"))["version"] == "2.0.0"
        await module.event("no_update")
        server.close_clients()
    assert b"AP-MAC" not in b"".join(plain.requests)


def test_the_command_line_makes_a_puller() -> None:
    from tests.virtual_module.__main__ import config_from, parser

    line = ["--pull=http://u:p@127.0.0.1:8123/x", "--deep-sleep", "--fault=chunking_proxy:1"]
    config = config_from(parser().parse_args(line))
    assert config.pull is not None
    assert config.pull.steps == (PullMode.SKETCH,)
    assert (config.pull.login, config.pull.uri) == ("u:p", "/x")
    assert config.pull.deep_sleep
    assert config_from(parser().parse_args([])).pull is None
    assert VirtualModule(config).asked == []
