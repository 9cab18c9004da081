"""HTTP/1.1 as far as a module's web server speaks it: request heads, and replies of any kind.

Replies are read leniently, because a module that has taken its image says so once and restarts:
a body cut short, a missing length or a broken chunk must not hide what was said.
"""

import base64
from dataclasses import dataclass
import re
from typing import Final
import zlib

from ._replies import readable

REPLY_LIMIT: Final = 64 * 1024
"""Bytes read of any reply; the largest page of a known dialect has 53 kB (AsyncElegantOTA)."""
_PAGE_LIMIT: Final = 256 * 1024
"""Bytes of a page once unpacked; AsyncElegantOTA's has 170 kB."""
_WORDS: Final = 200
"""Words of a page that are looked at for a line of text."""
_STATUS_LINE: Final = re.compile(rb"HTTP/\d\.\d +(\d{3})(?:[ \t]+([^\r\n]*))?\r?(?:\n|\Z)")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_WITHOUT_BODY: Final = {204, 304}
_LENGTH: Final = re.compile(r"\d{1,12}")
_CHUNK: Final = re.compile(rb"\s*([0-9A-Fa-f]{1,8})[^\n]{0,100}\n")
_TAG: Final = re.compile(rb"<[^<>]*>")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a web server answered."""

    status: int | None
    """None: it was no HTTP."""
    reason: bytes = b""
    headers: dict[str, str]
    """By lower-case name; of several alike the first."""
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status says that all is well, which is not yet the truth."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - as in the RFC

    @property
    def page(self) -> bytes:
        """The body as the server's author wrote it."""
        if self.headers.get("content-encoding", "").lower() != "gzip":
            return self.body
        try:
            return zlib.decompressobj(31).decompress(self.body, _PAGE_LIMIT)
        except zlib.error:
            return self.body

    @property
    def text(self) -> str:
        """One short line for the person: the words of the body, else those of the status."""
        words = plain(self.page)
        if self.status is None or self.is_success:
            return words
        return words or readable(b"HTTP %d %b" % (self.status, self.reason))


def after_interim(raw: bytes) -> bytes:
    """Return what follows replies that only announce another one, as `100 Continue` does."""
    while (
        (status_line := _STATUS_LINE.match(raw))
        and status_line[1].startswith(b"1")
        and (head_end := _HEAD_END.search(raw))
    ):
        raw = raw[head_end.end() :]
    return raw


def read_reply(raw: bytes, *, ended: bool) -> Reply | None:
    """Return the reply in these bytes, None while more of it may come.

    `ended` says that no more will come; then whatever is there counts.
    """
    head_end = _HEAD_END.search(raw)
    if head_end is None and not ended:
        return None
    status_line = _STATUS_LINE.match(raw)
    if status_line is None:
        return Reply(status=None, headers={}, body=raw)
    head, rest = (raw[: head_end.start()], raw[head_end.end() :]) if head_end else (raw, b"")
    status = int(status_line[1])
    headers = _headers(head[status_line.end() :])
    body, complete = _body(status, headers, rest)
    if not complete and not ended:
        return None
    return Reply(status=status, reason=status_line[2] or b"", headers=headers, body=body)


def _headers(lines: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines.decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    return headers


def _body(status: int, headers: dict[str, str], rest: bytes) -> tuple[bytes, bool]:
    """Return the body as far as it is there, and whether that is all of it."""
    if status in _WITHOUT_BODY:
        return b"", True
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _unchunk(rest)
    length = headers.get("content-length", "")
    if _LENGTH.fullmatch(length):
        return rest[: int(length)], len(rest) >= int(length)
    return rest, False


def _unchunk(rest: bytes) -> tuple[bytes, bool]:
    body = b""
    at = 0
    while size_line := _CHUNK.match(rest, at):
        size = int(size_line[1], 16)
        if not size:
            return body, True
        at = size_line.end() + size
        body += rest[size_line.end() : at]
        if at >= len(rest):
            break
    return body, False


def plain(page: bytes) -> str:
    """Return the beginning of what a person would read of a page.

    It takes linear time, whatever the page is.
    """
    for name in (b"script", b"style"):
        lower = page.lower()
        kept = []
        at = 0
        while (begin := lower.find(b"<" + name, at)) >= 0:
            kept.append(page[at:begin])
            end = lower.find(b"</" + name, begin)
            at = end if end >= 0 else len(page)
        page = b" ".join([*kept, page[at:]])
    words = _TAG.sub(b" ", page).split(maxsplit=_WORDS)
    return readable(b" ".join(words[:_WORDS])[:REPLY_LIMIT])


def request_head(method: str, path: str, headers: dict[str, str]) -> bytes:
    """Return the first lines of a request.

    Names are sent as they are written: WiFiOTA compares them letter by letter, and wants one
    space behind the colon.
    """
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def basic(username: str, password: str) -> str:
    """Return the value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
