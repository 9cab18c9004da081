"""Sends generated requests over sockets, and judges what comes back."""

import asyncio
from collections import Counter
from random import Random
import re
import socket
import struct
from typing import Final

from tests.virtual_module import PULL_REQUESTS

from ._cases import PATH, Case

_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_PATIENCE: Final = 20.0
"""Seconds for an answer; broken requests may get none until the server gives up."""
_ENOUGH: Final = 1 << 20
_RESET: Final = struct.pack("ii", 1, 0)


class Asker:
    """Sends cases to one server, from many addresses of the loopback network."""

    def __init__(self, port: int, firmware: bytes, seed: int) -> None:
        """`firmware` is what must never come back."""
        self.port = port
        self._secrets = (firmware[:32], firmware[4096:4128], b"x-MD5", b"x-md5", b"X-Md5")
        self._random = Random(seed)
        self.statuses: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.failures: list[str] = []

    async def ask(self, case: Case) -> None:
        """Send one case and judge the answer."""
        self.kinds[case.kind] += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                reply = await self._exchange(case)
        except TimeoutError:
            self.statuses["none"] += 1
            return
        except OSError as error:
            self.statuses[type(error).__name__] += 1
            return
        self._judge(case, reply)

    async def _exchange(self, case: Case) -> bytes:
        numbers = [self._random.randrange(256), self._random.randrange(256), 1]
        source = "127." + ".".join(map(str, numbers))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(source, 0), limit=_ENOUGH
        )
        try:
            size = -(-len(case.raw) // case.pieces) or 1
            for at in range(0, len(case.raw), size):
                writer.write(case.raw[at : at + size])
                await writer.drain()
                if case.pieces > 1:
                    await asyncio.sleep(0.01)
            if not case.reads:
                return b""
            writer.write_eof()
            return await reader.read(_ENOUGH)
        finally:
            raw = writer.get_extra_info("socket")
            if not case.reads and raw.fileno() >= 0:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    def _judge(self, case: Case, reply: bytes) -> None:
        found = _STATUS.match(reply)
        status = found[1].decode() if found else ("reset" if not case.reads else "silence")
        self.statuses[status] += 1
        told = next((secret for secret in self._secrets if secret in reply), None)
        if told is not None or status.startswith("5"):
            self.failures.append(f"{case.kind}: {status} {told!r} for {case.raw[:2000]!r}")

    async def poll(self, secret: str, mac: str) -> tuple[str, bytes]:
        """Ask as a module that is entitled; return status and body."""
        request = PULL_REQUESTS["esp8266_3"].to(f"{PATH}/{secret}", f"127.0.0.1:{self.port}")
        raw = request.raw.replace(b"STA-MAC: 5C:CF:7F:A1:B2:C3", b"STA-MAC: " + mac.encode())
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        async with asyncio.timeout(60):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        return head[9:12].decode(), body
