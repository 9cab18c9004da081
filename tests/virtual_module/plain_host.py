"""A host to test virtual modules with: raw sockets, lock-step, no code of either side."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import hashlib
import secrets
import socket
import struct
from typing import Any

from .config import ModuleConfig
from .module import VirtualModule

ESP8266: dict[str, Any] = {"chip": "esp8266"}
LEGACY: dict[str, Any] = {"chip": "esp32", "generation": "legacy"}
PBKDF2: dict[str, Any] = {"chip": "esp32s3", "generation": "pbkdf2"}
PICO: dict[str, Any] = {"chip": "rp2040"}


class Host:
    """Speaks ArduinoOTA step by step, so that a test may do any of them wrong."""

    def __init__(self, module: tuple[str, int], address: str = "127.0.0.1") -> None:
        self.module = module
        self._loop = asyncio.get_running_loop()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setblocking(False)
        self.udp.bind((address, 0))
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setblocking(False)
        self.tcp.bind((address, 0))
        self.tcp.listen(4)
        self.connection: socket.socket | None = None
        self.heard = b""

    def close(self) -> None:
        """Close all sockets."""
        for sock in (self.udp, self.tcp, self.connection):
            if sock is not None:
                sock.close()

    @property
    def tcp_port(self) -> int:
        """Where the module is asked to connect to."""
        return int(self.tcp.getsockname()[1])

    def say(self, text: str | bytes) -> None:
        """Send a datagram."""
        self.udp.sendto(text.encode() if isinstance(text, str) else text, self.module)

    def invite(
        self, payload: bytes, *, command: int = 0, size: int | None = None, md5: str | None = None
    ) -> None:
        """Send an invitation, an honest one unless told otherwise."""
        size = len(payload) if size is None else size
        md5 = hashlib.md5(payload).hexdigest() if md5 is None else md5
        self.say(f"{command} {self.tcp_port} {size} {md5}\n")

    async def answer(self, timeout: float = 5.0) -> str | None:
        """Return the next datagram, or None if none comes."""
        try:
            async with asyncio.timeout(timeout):
                return (await self._loop.sock_recv(self.udp, 4096)).decode("latin-1")
        except TimeoutError:
            return None

    def respond(self, challenge: str, password: str, *, key: str | None = None) -> None:
        """Answer a challenge by the formulas for its length."""
        nonce = challenge.removeprefix("AUTH ")
        cnonce = secrets.token_hex(len(nonce) // 2)
        if len(nonce) == 32:
            key = key or hashlib.md5(password.encode()).hexdigest()
            response = hashlib.md5(f"{key}:{nonce}:{cnonce}".encode()).hexdigest()
        else:
            key = key or hashlib.sha256(password.encode()).hexdigest()
            salt = f"{nonce}:{cnonce}"
            derived = hashlib.pbkdf2_hmac("sha256", key.encode(), salt.encode(), 10000).hex()
            response = hashlib.sha256(f"{derived}:{salt}".encode()).hexdigest()
        self.say(f"200 {cnonce} {response}\n")

    async def accept(self, timeout: float = 8.0) -> str:
        """Take the module's connection; return the address it comes from."""
        if self.connection is not None:
            self.connection.close()
        async with asyncio.timeout(timeout):
            self.connection, peer = await self._loop.sock_accept(self.tcp)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return str(peer[0])

    async def send(self, data: bytes) -> None:
        """Send payload."""
        assert self.connection is not None
        await self._loop.sock_sendall(self.connection, data)

    async def hear(self, timeout: float = 5.0) -> bytes:
        """Read once; empty at the end of the stream."""
        assert self.connection is not None
        async with asyncio.timeout(timeout):
            data = await self._loop.sock_recv(self.connection, 1024)
        self.heard += data
        return data

    async def lock_step(self, payload: bytes, chunk: int = 1460) -> None:
        """Send a chunk, read once, and so on, as the cores' own tool does."""
        for start in range(0, len(payload), chunk):
            await self.send(payload[start : start + chunk])
            await self.hear()

    def half_close(self) -> None:
        """End our side of the connection only: a FIN goes out."""
        assert self.connection is not None
        self.connection.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Drop the connection: a RST goes out."""
        assert self.connection is not None
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    async def rest(self, timeout: float = 5.0) -> bytes:
        """Read to the end; return all that was heard. A reset ends it too."""
        try:
            while await self.hear(timeout):
                pass
        except ConnectionResetError:
            self.heard += b"<RST>"
        return self.heard

    async def begin(self, payload: bytes, password: str | None = None, *, command: int = 0) -> None:
        """Come as far as the TCP connection."""
        self.invite(payload, command=command)
        answer = await self.answer()
        if password is not None:
            assert answer is not None
            self.respond(answer, password)
            answer = await self.answer()
        assert answer == "OK", answer
        await self.accept()

    async def push(self, payload: bytes, password: str | None = None, *, command: int = 0) -> bytes:
        """Do it all as it should be done; return what the module said over TCP."""
        await self.begin(payload, password, command=command)
        await self.lock_step(payload)
        return await self.rest()


@asynccontextmanager
async def bench(**config: Any) -> AsyncIterator[tuple[VirtualModule, Host]]:
    """Switch a quick module on, and a host to go with it."""
    defaults = {"time_scale": 0.02, "limit_scale": 0.3, "tick": 0.0}
    async with VirtualModule(ModuleConfig(**defaults | config)) as module:
        host = Host((module.host, module.port))
        try:
            yield module, host
        finally:
            host.close()
