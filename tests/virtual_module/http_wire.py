"""How the cores' web servers read requests, forms and nothing else (`Parsing-impl.h`)."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl

from .board import Board
from .faults import Fault
from .link import ESTABLISHED, Link

_HEAD_LIMIT = 8 * 1024
_HEAD_TIME = 5.0
"""Seconds the web servers wait for the rest of a line."""
_READ_SIZE = 2048
"""`HTTP_UPLOAD_BUFLEN`."""


class HostGone(Exception):
    """The host closed or reset the connection."""


class BadRequest(Exception):
    """The web server cannot read this and drops the connection."""


class Wire:
    """The bytes of one accepted connection."""

    def __init__(self, link: Link, board: Board) -> None:
        self.link = link
        self._board = board
        self.buffer = bytearray()

    async def fill(self, timeout: float | None = None) -> None:
        """Read what comes next; without a time limit, as the parsers do within a body."""
        if not self.link.available and not await self.link.wait_readable(timeout):
            raise BadRequest("silence")
        piece = bytearray(_READ_SIZE)
        try:
            count = self.link.read_into(memoryview(piece))
        except OSError:
            count = 0
        if not count:
            raise HostGone
        self.buffer += piece[:count]

    async def take_until(self, end: bytes, timeout: float | None = None) -> bytes:
        """Return the bytes before a text and drop it."""
        while (at := self.buffer.find(end)) < 0:
            if len(self.buffer) > _HEAD_LIMIT:
                raise BadRequest("endless line")
            await self.fill(timeout)
        taken = bytes(self.buffer[:at])
        del self.buffer[: at + len(end)]
        return taken

    async def hang(self) -> None:
        """Read nothing more until the host gives up."""
        while self.link.state == ESTABLISHED:
            await self._board.tick()
        raise HostGone

    @property
    def hangs(self) -> bool:
        """Whether the module never reads the body that comes now."""
        return self._board.strikes(Fault.HANG_AFTER_ACCEPT)

    async def head(self) -> Request:
        """Read the head of a request."""
        lines = (await self.take_until(b"\r\n\r\n", self._board.limit(_HEAD_TIME))).split(b"\r\n")
        words = lines[0].decode("latin-1").split(" ")
        if len(words) != 3:
            raise BadRequest("request line")
        path, _, query = words[1].partition("?")
        headers = [line.decode("latin-1").partition(":")[::2] for line in lines[1:]]
        return Request(
            wire=self,
            method=words[0],
            path=path,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers=[(name, value.strip()) for name, value in headers],
            lines=[line.decode("latin-1") for line in lines],
        )


class Step(StrEnum):
    """What the parser tells the sketch about a file, one after the other."""

    START = "start"
    WRITE = "write"
    END = "end"


@dataclass(frozen=True, slots=True)
class Upload:
    """One call of the sketch's upload handler."""

    step: Step
    name: str
    filename: str
    data: bytes = b""


@dataclass(kw_only=True, slots=True)
class Request:
    """One request; the body is still on the wire."""

    wire: Wire
    method: str
    path: str
    query: dict[str, str]
    headers: list[tuple[str, str]]
    lines: list[str]
    """As they came, for a server that compares letter by letter."""
    texts: dict[str, str] = field(default_factory=dict)
    """The form's parts without a file name, as far as they have been read."""

    def header(self, name: str) -> str:
        """Return a header's value, whatever the case of its name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def content_length(self) -> int:
        """The size of the body, 0 where it is not known."""
        length = self.header("Content-Length")
        return int(length) if length.isdecimal() else 0

    def authorised(self, username: str, password: str | None) -> bool:
        """Whether the credentials that came along are right, or none are needed."""
        if not password:
            return True
        wanted = base64.b64encode(f"{username}:{password}".encode()).decode()
        return self.header("Authorization") == f"Basic {wanted}"

    @property
    def keeps_alive(self) -> bool:
        """Whether the host would like the connection to stay open, as ESP8266WebServer reads it."""
        wish = self.header("Connection") or "keep-alive"
        return self.lines[0].endswith("HTTP/1.1") and wish.lower() == "keep-alive"

    async def body(self) -> bytes:
        """Return a small body whole."""
        while len(self.wire.buffer) < self.content_length:
            await self.wire.fill()
        body = bytes(self.wire.buffer[: self.content_length])
        del self.wire.buffer[: self.content_length]
        return body

    async def form(self) -> AsyncIterator[Upload]:
        """Read the form to its end, telling of files as the parser does; other bodies hold none."""
        if not self.header("Content-Type").startswith("multipart/"):
            await self.body()
            return
        boundary = self.header("Content-Type").partition("=")[2].strip('"').encode()
        if self.wire.hangs:
            await self.wire.hang()
        if not boundary or await self.wire.take_until(b"\r\n") != b"--" + boundary:
            raise BadRequest("no form")
        while True:
            head = (await self.wire.take_until(b"\r\n\r\n")).decode("latin-1")
            name, filename = _names(head)
            if filename is None:
                text = await self.wire.take_until(b"\r\n--" + boundary)
                self.texts[name] = text.decode("latin-1")
            else:
                yield Upload(Step.START, name, filename)
                async for data in self._file(b"\r\n--" + boundary):
                    yield Upload(Step.WRITE, name, filename, data)
                yield Upload(Step.END, name, filename)
            if await self.wire.take_until(b"\r\n") == b"--":
                return

    async def _file(self, end: bytes) -> AsyncIterator[bytes]:
        buffer = self.wire.buffer
        while (at := buffer.find(end)) < 0:
            safe = len(buffer) - len(end) + 1
            if safe > 0:
                yield bytes(buffer[:safe])
                del buffer[:safe]
            await self.wire.fill()
        if at:
            yield bytes(buffer[:at])
        del buffer[: at + len(end)]


def _names(head: str) -> tuple[str, str | None]:
    """Take apart a part's first line as the parser does: from one `=` to the next."""
    line = head.partition("\r\n")[0]
    if not line.lower().startswith("content-disposition"):
        raise BadRequest("no part")
    name, equals, rest = line.partition("=")[2][1:].partition("=")
    if not equals:
        return name[:-1], None
    return name.partition('"')[0], rest[1:-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What a handler answers, and what the module does then."""

    status: int = 200
    body: bytes = b""
    kind: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)
    chunked: bool = False
    restarts_after: float | None = None
    """Seconds until the module restarts; None: it stays."""
    silent: bool = False
    """Nothing is said, the connection is closed."""

    def encoded(self, *, keeps_alive: bool = False) -> bytes:
        """Return the bytes for the wire."""
        length = {} if self.chunked else {"Content-Length": str(len(self.body))}
        headers = {"Content-Type": self.kind} | self.headers | length
        if self.chunked:
            headers["Transfer-Encoding"] = "chunked"
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += _KEEPS_ALIVE if keeps_alive else ["Connection: close"]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head + (_chunks(self.body) if self.chunked else self.body)


_REASONS = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    413: "Payload Too Large",
    414: "Payload size wrong",
    500: "Internal Server Error",
}
_CHUNK = 500
_KEEPS_ALIVE = ["Connection: keep-alive", "Keep-Alive: timeout=2000"]


def _chunks(body: bytes) -> bytes:
    pieces = [body[at : at + _CHUNK] for at in range(0, len(body), _CHUNK)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
