"""Virtual modules whose doors are evil; all else of them is as usual."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import socket
from typing import Any, override

from tests.virtual_module import HttpModule, Seen, VirtualModule
from tests.virtual_module.invitation import read_invitation
from tests.virtual_module.listener import Ending

from ..plan import NEW
from .callback import CALLBACKS
from .page import PAGES
from .poller import POLLERS

_FLOOD = 5000
_HUGE = 60_000
_LIES = {"challenges", "floods", "http", "huge"}


class EvilPush(VirtualModule):
    """Is invited, and does worse than to fail."""

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        """Be evil in one way."""
        super().__init__(*args, **kwargs)
        self._kind = kind

    @override
    async def _run_sketch(self, udp: socket.socket) -> Ending:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            while True:
                data, source = await loop.sock_recvfrom(udp, 2048)
                if self._kind in _LIES:
                    self._answer(udp, source, is_invited=len(data) > 1)
                elif isinstance(read_invitation(data, self.config, source), str):
                    continue  # it was only asked whether it is there
                else:
                    group.create_task(self._call_back(udp, data, source))

    def _answer(self, udp: socket.socket, source: tuple[str, int], *, is_invited: bool) -> None:
        text: Callable[[int], bytes] = {
            "challenges": lambda n: f"AUTH {n:032x}".encode(),
            "floods": lambda n: (b"OK", b"AUTH 0", b"\0" * 500, b"ERR: 1")[n % 4],
            "http": lambda _: b"HTTP/1.1 200 OK\r\nServer: evil\r\n\r\n",
            "huge": lambda n: b"A" * _HUGE if n else b"AUTH " + b"f" * _HUGE,
        }[self._kind]
        if is_invited:
            self.events.add(Seen.INVITED, command=0, port=0, size=0, md5="")
        count = _FLOOD if self._kind == "floods" and is_invited else 3
        for number in range(count):
            with suppress(OSError):
                udp.sendto(text(number), source)

    async def _call_back(self, udp: socket.socket, data: bytes, source: tuple[str, int]) -> None:
        invitation = read_invitation(data, self.config, source)
        assert not isinstance(invitation, str)
        self.events.add(Seen.INVITED, command=0, port=invitation.port, size=0, md5="")
        udp.sendto(b"OK", source)
        work = CALLBACKS[self._kind](self.board, invitation.host, invitation.port)
        with suppress(OSError, asyncio.IncompleteReadError):
            await work
        if self._kind == "liar":
            await say_new(self)


class EvilPage(HttpModule):
    """Has an update page that answers what no page answers."""

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        """Be evil in one way."""
        super().__init__(*args, **kwargs)
        self._kind = kind

    @override
    async def _run_sketch(self, udp: socket.socket) -> Ending:
        assert self._tcp is not None
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            while True:
                raw, _ = await loop.sock_accept(self._tcp)
                group.create_task(self._serve(raw))

    async def _serve(self, raw: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=raw)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                if await PAGES[self._kind](self.board, reader, writer) and self._kind == "liar":
                    await say_new(self)
        finally:
            writer.transport.abort()


class EvilPoller(VirtualModule):
    """Asks as no client asks."""

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        """Be evil in one way."""
        super().__init__(*args, **kwargs)
        self._kind = kind

    @override
    async def _run_sketch(self, udp: socket.socket) -> Ending:
        pull = self.config.pull
        assert pull is not None
        while True:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await POLLERS[self._kind](self.board, pull)
            await asyncio.sleep(pull.poll_interval)


async def say_new(module: VirtualModule) -> None:
    """Pretend to restart, and announce the new version."""
    if module._advert is not None:
        module._advert.silence()
    module.events.add(Seen.RESTARTED)
    await asyncio.sleep(0.4)
    module.board.reported_version = NEW
    if module._advert is not None:
        await module._advert.announce(module.port)
    module.events.add(Seen.BACK, version=NEW)
