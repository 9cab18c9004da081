"""How a virtual module of 2015 takes updates: both forms of the example, step by step."""

import asyncio
import socket
from typing import Any

import pytest

from tests.virtual_module import Fault, ModuleConfig, Seen, VirtualModule, build_image
from tests.virtual_module.advert import txt_record
from tests.virtual_module.plain_host import Host, bench

SECOND: dict[str, Any] = {"chip": "esp8266", "generation": "classic"}
FIRST: dict[str, Any] = {"chip": "esp8266", "generation": "classic_first"}
BOTH = [pytest.param(SECOND, id="second"), pytest.param(FIRST, id="first")]
IMAGE = build_image("esp8266", version="2.0.0", size=32 * 1024)
SILENCE = 0.15
"""Seconds in which an answer over loopback would have come."""


async def begin(host: Host, payload: bytes = IMAGE, *, invitation: str = "") -> None:
    """Invite as the host tool of its time did, and take the connection."""
    host.say(invitation or f"0 {host.tcp_port} {len(payload)}\n")
    await host.accept()


async def send_blocks(host: Host, payload: bytes) -> None:
    """Send blocks of 4096 bytes and read nothing meanwhile, as that tool did."""
    for start in range(0, len(payload), 4096):
        await host.send(payload[start : start + 4096])


def is_port_closed(module: VirtualModule) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.setblocking(False)
        caller.connect((module.host, module.port))
        caller.send(b"anybody there?")
        try:
            caller.recv(1)
        except ConnectionRefusedError:
            return True
        except BlockingIOError:
            return False
    return False


@pytest.mark.parametrize("chip", BOTH)
async def test_it_is_updated_by_the_host_tool_of_its_time(chip: dict[str, Any]) -> None:
    async with bench(**chip) as (module, host):
        await begin(host)
        await send_blocks(host, IMAGE)
        await module.wait_for("back")
        assert module.running_version == "2.0.0"
        assert module.events.last("invited").details["size"] == len(IMAGE)


@pytest.mark.parametrize("chip", BOTH)
async def test_it_understands_an_invitation_of_today_and_answers_none(
    chip: dict[str, Any],
) -> None:
    async with bench(**chip) as (module, host):
        host.invite(IMAGE)
        assert await host.answer(SILENCE) is None
        await host.accept()
        await send_blocks(host, IMAGE)
        await module.wait_for("back")
        assert module.running_version == "2.0.0"


async def test_the_second_form_counts_and_says_ok_with_a_line_end() -> None:
    async with bench(**SECOND) as (module, host):
        await begin(host)
        await host.lock_step(IMAGE)
        said = await host.rest()
        digits, line = said.removesuffix(b"<RST>").split(b"OK")
        assert digits.isdigit()
        assert line == b"\r\n"
        await module.wait_for("back")


async def test_the_first_form_says_nothing_at_all() -> None:
    async with bench(**FIRST) as (module, host):
        await begin(host)
        await send_blocks(host, IMAGE)
        assert await host.rest() == b"<RST>"  # of the stack that has booted
        assert module.said == b""
        assert module.events.count_of("closed") == 0
        await module.wait_for("back")


@pytest.mark.parametrize("chip", BOTH)
async def test_whatever_the_command_says_it_is_taken_for_a_sketch(chip: dict[str, Any]) -> None:
    async with bench(**chip) as (module, host):
        await begin(host, invitation=f"100 {host.tcp_port} {len(IMAGE)}\n")
        await send_blocks(host, IMAGE)
        await module.wait_for("back")
        assert module.running_version == "2.0.0"
        assert module.fs_image == b""


async def test_the_second_form_takes_any_file_and_dies_of_it() -> None:
    page = b"<html>".ljust(8192)
    async with bench(**SECOND) as (module, host):
        await begin(host, page)
        await host.lock_step(page)
        await module.wait_for("bricked")
        assert module.said.endswith(b"OK\r\n")


async def test_the_first_form_wants_the_magic_byte_and_listens_again_without_it() -> None:
    page = b"<html>".ljust(8192)
    async with bench(**FIRST) as (module, host):
        await begin(host, page)
        await host.send(page)
        assert (await host.rest()).removesuffix(b"<RST>") == b""
        assert module.running_version == "1.0.0"
        await begin(host)
        await send_blocks(host, IMAGE)
        await module.wait_for("back")


async def test_an_error_text_comes_after_the_counts() -> None:
    async with bench(**SECOND, faults=[Fault.FLASH_WRITE_ERROR], window=0) as (module, host):
        await begin(host)
        await host.send(IMAGE)
        said = (await host.rest()).removesuffix(b"<RST>")
        assert said.lstrip(b"0123456789") == b"ERROR[1]: Flash Write Failed\r\n"
        assert module.restarts == 0


@pytest.mark.parametrize("datagram", ["\n", "hello", f"0 0 0 {'0' * 32}\n"])
async def test_any_datagram_makes_the_second_form_deaf_until_its_restart(datagram: str) -> None:
    async with bench(**SECOND) as (module, host):
        host.say(datagram)
        failed = await module.wait_for("begin_failed")
        assert "Bad Size Given" in str(failed.details["text"])
        assert is_port_closed(module)
        await module.power_cycle()
        await module.wait_for("back")
        await begin(host)


async def test_any_datagram_makes_the_first_form_connect_to_nowhere() -> None:
    async with bench(**FIRST) as (module, host):
        host.say("\n")
        await module.wait_for("connect_failed")
        await begin(host)


@pytest.mark.parametrize("chip", BOTH)
async def test_an_empty_datagram_is_none(chip: dict[str, Any]) -> None:
    async with bench(**chip) as (module, host):
        host.say(b"")
        await module.wait_for("ignored")
        assert set(module.events.names()) == {"up", "ignored"}
        assert not is_port_closed(module)


async def test_too_large_a_sketch_keeps_the_second_form_from_connecting() -> None:
    async with bench(**SECOND, slot_size=64 * 1024) as (module, host):
        host.say(f"0 {host.tcp_port} {1 << 20}\n")
        await module.wait_for("begin_failed")
        assert is_port_closed(module)
        assert module.events.count_of("connecting") == 0


async def test_too_large_a_sketch_is_let_go_by_the_first_form_without_a_word() -> None:
    async with bench(**FIRST, slot_size=64 * 1024) as (module, host):
        await begin(host, invitation=f"0 {host.tcp_port} {1 << 20}\n")
        assert (await host.rest()).removesuffix(b"<RST>") == b""
        assert module.events.count_of("begin_failed") == 1
        assert not is_port_closed(module)


async def test_a_host_that_leaves_hangs_the_second_form_until_power_fails() -> None:
    async with bench(**SECOND) as (module, host):
        await begin(host)
        await host.send(IMAGE[:5000])
        await host.hear()
        assert host.connection is not None
        host.connection.close()
        assert (await module.wait_for("aborted")).details["reason"] == "hangs"
        await asyncio.sleep(SILENCE)
        assert module.restarts == 0
        assert is_port_closed(module)
        await module.power_cycle()
        await module.wait_for("back")
        assert module.running_version == "1.0.0"


@pytest.mark.slow
async def test_a_second_of_silence_ends_the_first_form_which_listens_again() -> None:
    async with bench(**FIRST) as (module, host):
        await begin(host)
        await host.send(IMAGE[:5000])
        await module.wait_for("aborted")
        await begin(host)


def test_no_other_chip_and_no_password_was_there_in_2015() -> None:
    wrongs: list[dict[str, Any]] = [
        {"chip": "esp32"},
        {"password": "secret"},
        {"txt_flash": True},
        {"faults": [Fault.NO_RESTART]},
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="2015"):
            ModuleConfig(**SECOND | wrong)


def test_its_name_is_that_of_the_example_and_it_has_no_txt_record() -> None:
    module = VirtualModule(ModuleConfig(**SECOND))
    assert module.hostname == "esp8266-ota"
    assert txt_record(module.board) == {}


async def test_a_restart_without_a_word_is_what_the_first_form_does_anyway() -> None:
    async with bench(**SECOND, faults=[Fault.REBOOT_WITHOUT_OK]) as (module, host):
        await begin(host)
        await host.lock_step(IMAGE)
        await module.wait_for("back")
        assert b"OK" not in module.said
        assert module.events.count_of(Seen.OK_SENT) == 0
