"""One UDP socket that hears one module, and no more of it than it can keep."""

import asyncio
from collections.abc import AsyncIterator
import socket
import time

import pytest

from custom_components.esp_ota.ota.module import DatagramSocket
from tests.ota.transport.scripted import ScriptedModule


@pytest.fixture
async def module() -> AsyncIterator[ScriptedModule]:
    async with ScriptedModule() as module:
        yield module


async def test_replies_are_heard_in_their_order(module: ScriptedModule) -> None:
    udp = await DatagramSocket.open(module.host, module.port)
    udp.send(b"hello")
    assert await module.hear() == b"hello"
    for reply in (b"one", b"", b"three"):
        module.say(reply)
    assert [await udp.receive(5.0) for _ in range(3)] == [b"one", b"", b"three"]
    udp.close()


async def test_no_reply_in_time_is_none(module: ScriptedModule) -> None:
    udp = await DatagramSocket.open(module.host, module.port)
    begin = time.monotonic()
    assert await udp.receive(0.1) is None
    assert time.monotonic() - begin >= 0.09
    udp.close()


async def test_a_closed_port_is_heard(module: ScriptedModule) -> None:
    module.udp.close()
    udp = await DatagramSocket.open(module.host, module.port)
    udp.send(b"hello")
    with pytest.raises(ConnectionRefusedError):
        await udp.receive(5.0)
    udp.close()


@pytest.mark.slow
async def test_what_came_in_time_is_heard_however_late_a_busy_machine_looks(
    module: ScriptedModule,
) -> None:
    """The answer and the end of its time are found at the same look, which comes late."""
    module.udp.close()
    udp = await DatagramSocket.open(module.host, module.port)

    async def ask() -> bytes | None:
        udp.send(b"hello")  # on loopback it is answered before this returns
        return await udp.receive(0.1)

    asking = asyncio.create_task(ask())
    asyncio.get_running_loop().call_soon(time.sleep, 0.3)
    with pytest.raises(ConnectionRefusedError):
        await asking
    udp.close()


async def test_a_stranger_is_not_heard(module: ScriptedModule) -> None:
    udp = await DatagramSocket.open(module.host, module.port)
    udp.send(b"hello")
    await module.hear()
    async with ScriptedModule("127.0.0.2") as stranger:
        stranger.sources.append(module.sources[0])
        stranger.say(b"from a stranger")
    module.say(b"from the module")
    assert await udp.receive(5.0) == b"from the module"
    udp.close()


async def test_it_knows_both_addresses(module: ScriptedModule) -> None:
    udp = await DatagramSocket.open(module.host, module.port)
    assert (udp.local_address, udp.remote_address) == ("127.0.0.1", module.host)
    udp.close()


async def test_a_flood_of_replies_costs_no_memory(module: ScriptedModule) -> None:
    udp = await DatagramSocket.open(module.host, module.port)
    udp.send(b"\n")
    await module.hear()
    for number in range(200):
        module.say(b"%d" % number)
        await asyncio.sleep(0)
    received = []
    while (reply := await udp.receive(0.2)) is not None:
        received.append(reply)
    assert received[:64] == [b"%d" % number for number in range(64)]
    assert len(received) < 100
    udp.close()


async def test_a_name_with_an_ipv6_address_too_is_reached_over_ipv4(
    module: ScriptedModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, port: int, family: int = 0, *_: object, **__: object) -> list[object]:
        found = [
            (socket.AF_INET6, socket.SOCK_DGRAM, 0, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, 0, "", ("127.0.0.1", port)),
        ]
        return [item for item in found if family in {0, item[0]}]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    udp = await DatagramSocket.open("garden-valve.local", module.port)
    assert (udp.local_address, udp.remote_address) == ("127.0.0.1", "127.0.0.1")
    udp.close()


async def test_closing_twice_or_before_anything_does_no_harm() -> None:
    DatagramSocket().close()
