"""What tests of transports are given."""

import asyncio
from collections.abc import AsyncIterator
import socket

import pytest

from custom_components.esp_ota.ota.transport._callback import Callback
from tests.ota.transport.stream_bench import WINDOW, Bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Yield both ends of one connection, with the window of an ESP8266."""
    callback = Callback("127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as module:
        module.setblocking(False)
        module.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        module.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, WINDOW)
        module.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(module, ("127.0.0.1", callback.port))
        ours = await callback.connection_from("127.0.0.1")
        callback.close()
        with ours:
            yield Bench(ours, module)
