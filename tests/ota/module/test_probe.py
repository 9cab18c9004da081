"""Alive or not, found out without a module's noticing."""

import asyncio
from collections.abc import Iterator
import errno
import socket

import pytest

from custom_components.esp_ota.ota import Cause, ChipFamily, Delivery, is_alive
from custom_components.esp_ota.ota.module import DatagramSocket, why_unreachable
from tests.kit.entries import StartModule
from tests.kit.pushing import GENERATIONS, push
from tests.virtual_module import Seen

CLASSIC = pytest.mark.parametrize("generation", ["classic", "classic_first"])
EACH = pytest.mark.parametrize("generation", GENERATIONS)
PATIENCE = 10.0
HOST = "127.0.0.1"


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """Return a TCP port with a full queue: what arrives is dropped, as by a dead host."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((HOST, 0))
        listener.listen(0)
        waiting = []
        for _ in range(3):
            caller = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
            waiting.append(caller)
        yield listener.getsockname()[1]
        for caller in waiting:
            caller.close()


@EACH
@pytest.mark.parametrize("password", [None, "secret"], ids=["open", "locked"])
async def test_a_module_is_alive_and_notices_nothing(
    start_module: StartModule, generation: str, password: str | None
) -> None:
    module = await start_module(**GENERATIONS[generation], password=password)
    assert await is_alive(module.host, module.port, PATIENCE)
    await module.events.wait_for(Seen.IGNORED, 5)
    assert set(module.events.names()) == {"up", "ignored"}


@EACH
async def test_a_module_can_be_updated_right_after(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], password="secret")
    assert await is_alive(module.host, module.port, PATIENCE)
    assert await push(module, password="secret").send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.INVITED) == 1


@pytest.mark.slow
@CLASSIC
async def test_a_sketch_of_2015_is_alive_and_takes_no_probe_for_an_invitation(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(chip="esp8266", generation=generation)
    for count in range(1, 4):
        assert await is_alive(module.host, module.port, PATIENCE)
        await module.events.wait_for(Seen.IGNORED, 5, count)
    error = await why_unreachable(module.host, module.port, ChipFamily.ESP8266)
    assert error.cause is Cause.UNREACHABLE
    assert set(module.events.names()) == {"up", "ignored"}


@pytest.mark.parametrize("generation", ["esp8266", "pico"])
async def test_a_challenge_that_a_dead_host_left_behind_is_cleared_away(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], password="secret")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.sendto(f"0 4000 100 {'0' * 32}\n".encode(), (module.host, module.port))
        await module.events.wait_for(Seen.CHALLENGED, 5)
    assert await is_alive(module.host, module.port, PATIENCE)
    await module.events.wait_for(Seen.SWALLOWED, 5)
    assert module.events.count_of(Seen.INVITED) == 1
    assert await push(module, password="secret").send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.SWALLOWED) == 1


async def test_a_host_without_a_listening_module_is_not_alive() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind((HOST, 0))
        port = unused.getsockname()[1]
    assert not await is_alive(HOST, port, PATIENCE)


@pytest.mark.slow
async def test_a_module_that_restarts_is_away_and_back(start_module: StartModule) -> None:
    module = await start_module(offline_time=20.0)
    await push(module).send()
    await module.events.wait_for(Seen.RESTARTED, 10)
    assert not await is_alive(module.host, module.port, PATIENCE)
    await module.events.wait_for(Seen.BACK, 10)
    assert await is_alive(module.host, module.port, PATIENCE)


async def test_a_dead_host_is_given_up_in_time(deaf_port: int) -> None:
    assert not await is_alive(HOST, deaf_port, 0.2)


async def test_something_that_takes_the_connection_is_a_sign_of_life(
    start_module: StartModule,
) -> None:
    module = await start_module()
    taken = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.set()
        writer.close()

    async with await asyncio.start_server(serve, HOST, module.port):
        assert await is_alive(HOST, module.port, PATIENCE)
        async with asyncio.timeout(5):
            await taken.wait()


@pytest.mark.parametrize(
    ("number", "alive"),
    [
        (errno.ECONNREFUSED, True),
        (errno.ECONNRESET, True),
        (errno.EACCES, True),
        (errno.EPERM, True),
        (errno.EHOSTUNREACH, False),
        (errno.ENETUNREACH, False),
        (errno.ETIMEDOUT, False),
    ],
)
async def test_what_the_network_says_of_a_host_is_understood(
    start_module: StartModule, monkeypatch: pytest.MonkeyPatch, number: int, alive: bool
) -> None:
    module = await start_module()

    async def fail(*_: object, **__: object) -> None:
        raise OSError(number, "as the network says")

    monkeypatch.setattr(asyncio, "open_connection", fail)
    assert await is_alive(module.host, module.port, PATIENCE) is alive


async def test_a_name_nobody_knows_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert not await is_alive("garden-valve.local", 8266, PATIENCE)


async def test_a_host_that_cannot_be_sent_to_is_not_alive(
    start_module: StartModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = await start_module()

    async def no_route(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "no route")

    monkeypatch.setattr(DatagramSocket, "open", no_route)
    assert not await is_alive(module.host, module.port, PATIENCE)
