"""One connection, and only from the module that was invited."""

import asyncio
from collections.abc import Iterator
import socket

import pytest

from custom_components.esp_ota.ota import Cause
from custom_components.esp_ota.ota.exceptions import CallbackError
from custom_components.esp_ota.ota.transport._callback import Callback, reset
from tests.kit.sentences import assert_sentence_is_whole

MODULE, STRANGER = "127.0.0.1", "127.0.0.2"


@pytest.fixture
def callback() -> Iterator[Callback]:
    callback = Callback("127.0.0.1")
    yield callback
    callback.close()


async def connect(port: int, source: str) -> socket.socket:
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.setblocking(False)
    connection.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    return connection


async def test_the_module_is_let_in(callback: Callback) -> None:
    with await connect(callback.port, MODULE) as module:
        async with asyncio.timeout(5):
            connection = await callback.connection_from(MODULE)
        with connection:
            assert connection.getpeername() == module.getsockname()
            assert not connection.getblocking()
    assert callback.strangers == []


async def test_a_stranger_is_reset_and_the_module_behind_it_is_served(callback: Callback) -> None:
    loop = asyncio.get_running_loop()
    with await connect(callback.port, STRANGER) as stranger:
        accepting = asyncio.ensure_future(callback.connection_from(MODULE))
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(5):
                await loop.sock_recv(stranger, 1)
        assert not accepting.done()
        with await connect(callback.port, MODULE) as module:
            async with asyncio.timeout(5):
                connection = await accepting
            with connection:
                assert connection.getpeername() == module.getsockname()
    assert callback.strangers == [STRANGER]


async def test_nobody_gets_in_after_the_first(callback: Callback) -> None:
    with await connect(callback.port, MODULE):
        async with asyncio.timeout(5):
            connection = await callback.connection_from(MODULE)
        callback.close()
        with connection, pytest.raises(ConnectionRefusedError):
            await connect(callback.port, MODULE)


def test_the_system_chooses_a_port_or_the_person_does() -> None:
    first = Callback("127.0.0.1")
    port = first.port
    assert port > 0
    first.close()
    second = Callback("127.0.0.1", port)
    assert second.port == port
    second.close()


def test_a_port_in_use_is_named(callback: Callback) -> None:
    with pytest.raises(CallbackError) as caught:
        Callback("127.0.0.1", callback.port)
    assert caught.value.cause is Cause.CALLBACK_PORT_TAKEN
    assert caught.value.facts == {"callback_port": str(callback.port)}
    assert not caught.value.retryable
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


async def test_a_fixed_port_is_free_again_right_after_a_connection(callback: Callback) -> None:
    with await connect(callback.port, MODULE) as module:
        async with asyncio.timeout(5):
            connection = await callback.connection_from(MODULE)
        callback.close()
        connection.close()  # ours is the side that waits in TIME_WAIT now
        assert await asyncio.get_running_loop().sock_recv(module, 1) == b""
    again = Callback("127.0.0.1", callback.port)
    again.close()


def test_an_address_that_is_not_ours_is_no_taken_port() -> None:
    with pytest.raises(OSError, match="assign requested address"):
        Callback("192.0.2.1")


async def test_a_reset_connection_says_so_to_the_module(callback: Callback) -> None:
    with await connect(callback.port, MODULE) as module:
        async with asyncio.timeout(5):
            connection = await callback.connection_from(MODULE)
        reset(connection)
        with pytest.raises(ConnectionResetError):
            await asyncio.get_running_loop().sock_recv(module, 1)
