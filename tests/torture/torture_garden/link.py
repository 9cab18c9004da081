"""The line to the world outside: JSON lines on a Unix socket.

What was told is in the kernel's hands before `tell` returns, so that it outlives a kill of the
next instant.
"""

import asyncio
from collections.abc import Callable
import json
import os
import signal
import socket
import threading
import time
from typing import Any

type Message = dict[str, Any]

_BUFFER = 1 << 20


class Link:
    """One life's connection to the world."""

    def __init__(self, path: str) -> None:
        """Connect; the world listens before it starts Home Assistant."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self._socket.connect(path)
        self._lock = threading.Lock()
        self._unread = b""

    def tell(self, kind: str, **content: Any) -> None:
        """Send one message; callable from any thread."""
        line = json.dumps({"kind": kind, "at": time.monotonic(), **content}, default=str)
        with self._lock:
            self._socket.sendall(line.encode() + b"\n")

    def hear(self) -> Message:
        """Return the next message; blocks, for the start only."""
        while b"\n" not in self._unread:
            if not (data := self._socket.recv(1 << 16)):
                raise ConnectionError("the world has gone")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        message: Message = json.loads(line)
        return message

    def listen(self, take: Callable[[Message], None]) -> None:
        """Hand every message on as it comes; a world that has gone is the end of this process."""

        def readable() -> None:
            try:
                take(self.hear())
                while b"\n" in self._unread:
                    take(self.hear())
            except ConnectionError:
                os.kill(os.getpid(), signal.SIGKILL)

        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, readable)
        if b"\n" in self._unread:
            loop.call_soon(readable)
