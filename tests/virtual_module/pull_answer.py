"""How the HTTP clients of the cores read the head of an answer (`handleHeaderResponse()`)."""

import asyncio
from dataclasses import dataclass, field
import re

from .board import Board
from .chips import Family
from .link import ESTABLISHED, Link
from .pull_errors import CONNECTION_LOST, ENCODING, NO_HTTP_SERVER, READ_TIMEOUT, pull_error

CLIENT_TIME = 8.0
"""Seconds of silence that the update clients allow their HTTP client."""
_NUMBER = re.compile(r"\s*([+-]?\d+)")


@dataclass(kw_only=True, slots=True)
class Answer:
    """What the client keeps of an answer's head."""

    status: int = 0
    size: int = -1
    """`Content-Length`, or less than 0."""
    headers: dict[str, str] = field(default_factory=dict)
    """By lower-case name."""

    @property
    def md5(self) -> str:
        """`x-MD5`, or nothing."""
        return self.headers.get("x-md5", "")

    @property
    def sha256(self) -> str:
        """`x-SHA256`, or nothing."""
        return self.headers.get("x-sha256", "")


async def read_answer(link: Link, board: Board) -> Answer:
    """Read up to the empty line, and no byte of the body. Raises `PullError`."""
    answer = Answer()
    config = board.config
    esp8266 = config.family is Family.ESP8266
    joins = esp8266 and config.core_version >= (2, 5)
    while line := (await _read_line(link, board)).strip():
        name, colon, value = line.partition(":")
        if line.startswith("HTTP/1."):
            answer.status = _number(line[9:])
        elif colon:
            name, value = name.strip().lower(), value.strip()
            if name in answer.headers and joins:
                value = f"{answer.headers[name]},{value}"
            answer.headers[name] = value
    if (size := answer.headers.get("content-length")) is not None:
        answer.size = _number(size)
    known = ("", "chunked") if esp8266 else ("", "chunked", "identity")
    if answer.headers.get("transfer-encoding", "").lower() not in known:
        raise pull_error(config, ENCODING)
    if answer.status <= 0:
        raise pull_error(config, NO_HTTP_SERVER)
    return answer


async def _read_line(link: Link, board: Board) -> str:
    loop = asyncio.get_running_loop()
    line = bytearray()
    deadline = loop.time() + board.limit(CLIENT_TIME)
    while not line.endswith(b"\n"):
        if available := link.available:
            piece = bytearray(link.peek(available).partition(b"\n")[0] + b"\n")
            count = link.read_into(memoryview(piece)[: min(len(piece), available)])
            line += piece[:count]
            deadline = loop.time() + board.limit(CLIENT_TIME)
        elif link.state != ESTABLISHED:
            raise pull_error(board.config, CONNECTION_LOST)
        elif not await link.wait_readable(deadline - loop.time()):
            raise pull_error(board.config, READ_TIMEOUT)
    return line.decode("latin-1")


def _number(text: str) -> int:
    """Read a number as `toInt()` does: what cannot be read is 0."""
    found = _NUMBER.match(text)
    return int(found[1]) if found else 0
