"""How virtual modules answer datagrams: behaviour by behaviour, chip by chip."""

import asyncio
import socket
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
    SILENCE,
    image_for,
)
from tests.virtual_module import Family, ModuleConfig, build_image
from tests.virtual_module.invitation import Lock, Reader
from tests.virtual_module.plain_host import Host, bench


@pytest.mark.parametrize(
    ("chip", "port", "name"),
    [
        (ESP8266, 8266, "esp8266-a1b2c3"),
        (LEGACY, 3232, "esp32-5ccf7fa1b2c3"),
        (PICO, 2040, "pico-e6605ccf7fa1b2c3"),
    ],
)
def test_each_chip_has_its_port_and_name(chip: dict[str, Any], port: int, name: str) -> None:
    config = ModuleConfig(**chip)
    assert config.facts.port == port
    assert config.name == name


@pytest.mark.parametrize(
    ("chip", "digits"), [(ESP8266, 32), (LEGACY, 32), (PBKDF2, 64), (PICO, 32)]
)
async def test_a_challenge_has_the_length_of_its_generation(
    chip: dict[str, Any], digits: int
) -> None:
    async with bench(**chip, password="secret") as (_, host):
        host.invite(image_for(chip))
        answer = await host.answer()
    assert answer is not None
    assert answer.startswith("AUTH ")
    nonce = answer.removeprefix("AUTH ")
    assert len(nonce) == digits
    assert set(nonce) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("config", "nonce", "cnonce", "response"),
    [
        (
            {"chip": "esp8266", "password": "admin"},
            "0" * 31 + "1",
            "f" * 32,
            "3c25443fa1a1cba1925e7a1a96ceea66",
        ),
        (
            {"chip": "esp32", "password": "admin"},
            "0" * 63 + "1",
            "f" * 64,
            "f36c00e16c3e26ea88746703ee10ed28f149124ccde2626a1248a397e9bd31f8",
        ),
        (
            {"chip": "esp32", "password_hash": "21232f297a57a5a743894a0e4a801fc3"},
            "0" * 63 + "1",
            "f" * 64,
            "606e0d201d314020f5fca29b2d3b2cec578e0673f997b39310724dd5ccd508e8",
        ),
        (
            {"chip": "esp32", "password": "a-real-password"},
            "ab" * 32,
            "cd" * 32,
            "4d63ba8b1efa8949a0c5caefe7e8bc77db582e5531bdf2667c663394b4551b93",
        ),
    ],
)
def test_the_published_vectors_open_the_lock(
    config: dict[str, Any], nonce: str, cnonce: str, response: str
) -> None:
    lock = Lock(ModuleConfig(**config))
    assert lock.opens(nonce, cnonce, response)
    assert not lock.opens(nonce, cnonce, response[::-1])


@pytest.mark.parametrize("chip", ALL)
async def test_the_right_password_leads_to_a_connection(chip: dict[str, Any]) -> None:
    async with bench(**chip, password="secret") as (module, host):
        await host.begin(image_for(chip), "secret")
        assert module.events.count_of("auth_ok") == 1


async def test_an_upper_case_hash_lets_nobody_in() -> None:
    upper = "5EBE2294ECD0E0F08EAB7690D2A6EE69"
    async with bench(**ESP8266, password_hash=upper) as (_, host):
        host.invite(image_for(ESP8266))
        host.respond(str(await host.answer()), "secret")
        assert await host.answer() == "Authentication Failed"


async def test_a_stored_md5_opens_with_itself_as_key() -> None:
    md5 = "5ebe2294ecd0e0f08eab7690d2a6ee69"
    async with bench(**PBKDF2, password_hash=md5) as (_, host):
        host.invite(image_for(PBKDF2))
        host.respond(str(await host.answer()), "secret")
        assert await host.answer() == "Authentication Failed"
        host.invite(image_for(PBKDF2))
        host.respond(str(await host.answer()), "", key=md5)
        assert await host.answer() == "OK"
        await host.accept()


@pytest.mark.parametrize("chip", ALL)
async def test_after_a_wrong_password_a_fresh_invitation_works(chip: dict[str, Any]) -> None:
    async with bench(**chip, password="secret") as (module, host):
        host.invite(image_for(chip))
        first = await host.answer()
        host.respond(str(first), "wrong")
        assert await host.answer() == "Authentication Failed"
        host.invite(image_for(chip))
        second = await host.answer()
        assert second != first
        host.respond(str(second), "secret")
        assert await host.answer() == "OK"
        await host.accept()
        assert module.events.count_of("auth_failed") == 1


@pytest.mark.parametrize("chip", ALL)
async def test_a_response_of_the_wrong_length_gets_no_answer(chip: dict[str, Any]) -> None:
    wrong = 64 if chip is not PBKDF2 else 32
    async with bench(**chip, password="secret") as (module, host):
        host.invite(image_for(chip))
        await host.answer()
        host.say(f"200 {'a' * wrong} {'b' * wrong}\n")
        await module.wait_for("auth_malformed")
        assert await host.answer(SILENCE) is None
        host.invite(image_for(chip))
        assert str(await host.answer()).startswith("AUTH")


@pytest.mark.parametrize("chip", ALL)
async def test_an_invitation_after_a_challenge_is_swallowed(chip: dict[str, Any]) -> None:
    async with bench(**chip, password="secret") as (module, host):
        host.invite(image_for(chip))
        challenge = await host.answer()
        host.invite(image_for(chip))
        await module.wait_for("swallowed")
        assert await host.answer(SILENCE) is None
        host.respond(str(challenge), "secret")
        assert (await module.wait_for("ignored")).details["reason"] == "command 200"
        host.invite(image_for(chip))
        assert str(await host.answer()).startswith("AUTH")


@pytest.mark.slow
@pytest.mark.parametrize("chip", ALL)
async def test_the_verdict_goes_where_the_chip_sends_it(chip: dict[str, Any]) -> None:
    """ESP8266 and Pico answer the inviter, an ESP32 answers who authenticated."""
    async with bench(**chip, password="secret") as (_, host):
        other = Host(host.module)
        right, left = (other, host) if chip["chip"].startswith("esp32") else (host, other)
        try:
            for password, verdict in (("wrong", "Authentication Failed"), ("secret", "OK")):
                host.invite(image_for(chip))
                other.respond(str(await host.answer()), password)
                assert await right.answer() == verdict
                assert await left.answer(SILENCE) is None
        finally:
            other.close()


@pytest.mark.parametrize("chip", ALL)
@pytest.mark.parametrize(
    "datagram",
    [
        "hello",
        "",
        "0 4711 1000 abc\n",
        "0 4711 1000 " + "a" * 33 + "\n",
        "0 4711 1000\n",
        "101 4711 1000 " + "a" * 32 + "\n",
        "200 " + "a" * 32 + " " + "b" * 32 + "\n",
        "0 4711 1000  " + "\0" + "a" * 32,
    ],
)
async def test_nonsense_gets_no_answer_and_changes_nothing(
    chip: dict[str, Any], datagram: str
) -> None:
    async with bench(**chip) as (module, host):
        host.say(datagram)
        await module.wait_for("ignored")
        host.invite(image_for(chip))
        assert await host.answer() == "OK"
        await host.accept()
        assert module.events.count_of("replied") == 1


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (b"12 34", [12, 34]),
        (b"   7", [7, 0]),
        (b"hello", [0, 0]),
        (b"5x6", [5, 0]),
        (b"-3", [0, 0]),
        (b"4294967295 1", [-1, 1]),
        (b"", [0, 0]),
    ],
)
@pytest.mark.parametrize("family", Family)
def test_numbers_are_read_as_leniently_as_the_library_does(
    family: Family, text: bytes, numbers: list[int]
) -> None:
    reader = Reader(text, family)
    assert [reader.integer(), reader.integer()] == numbers


def test_a_number_that_fills_the_buffer_reads_as_nothing() -> None:
    assert Reader(b"1".zfill(15), Family.ESP8266).integer() == 1
    assert Reader(b"1".zfill(16), Family.ESP8266).integer() == 0
    assert Reader(b"1".zfill(14), Family.ESP32).integer() == 1
    assert Reader(b"1".zfill(15), Family.ESP32).integer() == 0


def test_text_ends_at_its_end_a_nul_or_the_end_of_the_datagram() -> None:
    reader = Reader(b"one two\0three", Family.ESP8266)
    assert [reader.until(b" "), reader.until(b"\n"), reader.until(b"\n")] == ["one", "two", "three"]


@pytest.mark.parametrize(("chip", "left"), [(ESP8266, "swallowed"), (LEGACY, "ignored")])
async def test_an_empty_datagram_ends_a_challenge_on_an_esp8266_only(
    chip: dict[str, Any], left: str
) -> None:
    async with bench(**chip, password="secret") as (module, host):
        host.invite(image_for(chip))
        await host.answer()
        host.say("")
        await module.wait_for(left)


@pytest.mark.parametrize("chip", LIKE_ESP8266)
async def test_too_large_an_image_is_refused_by_datagram(chip: dict[str, Any]) -> None:
    async with bench(**chip, slot_size=48 * 1024) as (module, host):
        host.invite(build_image(chip["chip"], size=64 * 1024))
        end = "\r\n" if chip is PICO else "\n"
        assert await host.answer() == f"ERR: ERROR[4]: Not Enough Space{end}"
        assert module.events.count_of("connecting") == 0
        await asyncio.sleep(SILENCE)  # it listens again only after a pause
        host.invite(b"")
        assert await host.answer() == f"ERR: ERROR[5]: Bad Size Given{end}"


@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_too_large_an_image_gets_an_ok_and_then_nothing(chip: dict[str, Any]) -> None:
    async with bench(**chip, slot_size=48 * 1024) as (module, host):
        host.invite(build_image(chip["chip"], size=64 * 1024))
        assert await host.answer() == "OK"
        assert (await module.wait_for("begin_failed")).details["code"] == 5
        assert await host.answer(SILENCE) is None
        assert module.events.count_of("connecting") == 0


async def test_an_esp8266_has_room_above_its_running_sketch_only() -> None:
    running = build_image("esp8266", size=64 * 1024)
    async with bench(**ESP8266, image=running, slot_size=128 * 1024) as (module, host):
        host.invite(build_image("esp8266", size=68 * 1024))
        assert str(await host.answer()).startswith("ERR: ERROR[4]")
        await asyncio.sleep(SILENCE)
        host.invite(build_image("esp8266", size=64 * 1024))
        assert await host.answer() == "OK"
        await host.accept()
        assert module.events.count_of("begin_failed") == 1


async def test_a_pico_without_filesystem_says_so() -> None:
    async with bench(**PICO, fs_size=0) as (_, host):
        host.invite(image_for(PICO))
        assert await host.answer() == "ERR: No Filesystem"


async def test_an_old_core_says_ok_at_once_and_hides_its_errors() -> None:
    async with bench(**ESP8266, core="2.3.0", slot_size=8192) as (module, host):
        host.invite(image_for(ESP8266))
        assert await host.answer() == "OK"
        await module.wait_for("begin_failed")
        assert await host.answer(SILENCE) is None


@pytest.mark.parametrize("chip", ALL)
async def test_the_module_calls_back_from_its_own_address(chip: dict[str, Any]) -> None:
    async with bench(**chip) as (module, host):
        host.invite(image_for(chip))
        assert await host.answer() == "OK"
        assert await host.accept() == module.host


@pytest.mark.parametrize("chip", ALL)
async def test_one_failed_call_back_is_all(chip: dict[str, Any]) -> None:
    async with bench(**chip) as (module, host):
        host.tcp.close()
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        host.say(f"0 {port} 1000 {'a' * 32}\n")
        assert await host.answer() == "OK"
        await module.wait_for("connect_failed")
        await asyncio.sleep(SILENCE)
        assert module.events.count_of("connecting") == 1
        assert module.events.names()[-1] == "connect_failed"


@pytest.mark.parametrize("chip", LIKE_ESP8266)
async def test_an_invitation_during_a_transfer_is_ignored(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with bench(**chip) as (module, host):
        await host.begin(image)
        host.invite(image)
        await module.wait_for("ignored")
        await host.lock_step(image)
        assert (await host.rest()).endswith(b"OK")
        assert module.events.count_of("invited") == 1


@pytest.mark.slow
@pytest.mark.parametrize("chip", LIKE_ESP32)
async def test_invitations_during_a_transfer_wait_for_its_failure(chip: dict[str, Any]) -> None:
    """Nobody reads meanwhile, the mailbox holds six, and each is served in turn."""
    image = image_for(chip)
    async with bench(**chip, slot_size=40 * 1024) as (module, host):
        await host.begin(image)
        for _ in range(9):
            host.invite(build_image(chip["chip"], size=48 * 1024))
        assert await host.answer(SILENCE) is None
        assert host.connection is not None
        await host.send(b"not an image".ljust(len(image)))
        assert (await module.wait_for("rejected")).details["code"] == 8
        for _ in range(6):
            assert await host.answer() == "OK"
        await module.wait_for("begin_failed", count=6)
        assert await host.answer(SILENCE) is None


@pytest.mark.slow
async def test_the_network_callback_answers_while_the_sketch_is_busy() -> None:
    """An ESP8266 challenges at once, but its OK waits for the sketch's loop."""
    async with bench(**ESP8266, password="secret", loop_time=20.0) as (_, host):
        loop = asyncio.get_running_loop()
        host.invite(image_for(ESP8266))
        start = loop.time()
        host.respond(str(await host.answer()), "secret")
        assert await host.answer() == "OK"
        assert loop.time() - start > 0.3
