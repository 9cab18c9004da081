"""Both ends of the TCP part of a push, in the test's hands."""

import asyncio
from collections.abc import Callable
import ctypes
from dataclasses import dataclass, field
import socket
import struct

import pytest

from custom_components.esp_ota.ota import Delivery, OtaError
from custom_components.esp_ota.ota.transport._stream import Stream, StreamLimits
from tests.kit.sentences import assert_sentence_is_whole

DATA = bytes(range(256)) * 256  # 64 KiB
PATIENT = StreamLimits(stall=10.0, result=10.0, text=10.0, poll=0.01)
WINDOW = 2144  # an ESP8266's
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27


@dataclass
class Bench:
    """Both ends of one connection; the module's end does nothing by itself."""

    ours: socket.socket
    module: socket.socket
    progress: list[tuple[int, int]] = field(default_factory=list)

    def start(
        self,
        limits: StreamLimits = PATIENT,
        data: bytes = DATA,
        before_first_byte: Callable[[], None] = lambda: None,
    ) -> asyncio.Task[Delivery]:
        stream = Stream(
            self.ours, data, lambda sent, total: self.progress.append((sent, total)), limits
        )
        return asyncio.ensure_future(stream.send(before_first_byte))

    async def take(self, count: int = len(DATA)) -> bytes:
        data = b""
        async with asyncio.timeout(10):
            while len(data) < count:
                some = await asyncio.get_running_loop().sock_recv(
                    self.module, min(1460, count - len(data))
                )
                assert some, "the stream ended early"
                data += some
        return data

    async def say(self, text: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.module, text)

    def reset(self) -> None:
        self.module.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.module.close()


def deafen(connection: socket.socket) -> None:
    """Drop every packet that arrives, with a socket filter that keeps nothing."""
    nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0), 8)
    program = struct.pack("HP", 1, ctypes.addressof(nothing))
    connection.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


async def ended(sending: asyncio.Task[Delivery]) -> Delivery:
    async with asyncio.timeout(10):
        return await sending


async def failed(sending: asyncio.Task[Delivery]) -> OtaError:
    with pytest.raises(OtaError) as caught:
        await ended(sending)
    assert_sentence_is_whole(caught.value.cause, caught.value.facts | {"host": "h", "port": "1"})
    return caught.value


async def condition(holds: Callable[[], bool]) -> None:
    """Wait until something holds that no event tells."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what TCP has acknowledged tells nobody
            await asyncio.sleep(0.005)
