"""Requests that no module sends: generated from what modules do send."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
import string
from typing import Final

from tests.virtual_module import PULL_REQUESTS, RecordedRequest

PATH: Final = "/api/esp_ota/pull"
_METHODS: Final = (
    *("POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND"),
    *("get", "GET\0", "G"),
)
_TRICKS: Final = (
    "{path}/../pull/{secret}",
    "{path}/%2e%2e/pull/{secret}x",
    "{path}//{secret}",
    "{path}/{secret}%00",
    "{path}/%00",
    "{path}/{secret}/../../../../config/secrets.yaml",
    "{path}/..%2f..%2f..%2fsecrets.yaml",
    "{path}/\\..\\..\\secrets.yaml",
    "{path}/{secret};a=b",
    "{path}/{secret}?{secret}",
    "{path}?secret={secret}",
    "{path}/%c0%ae%c0%ae/",
    "{path}/{upper}",
    "{path}/{shorter}",
    "{path}/{secret}{secret}",
    "{path}/%ff%fe",
    "{path}/\xff\xfe",
    "{path}/",
    "{path}",
    "*",
    "http://example.invalid{path}/{secret}x",
    "//example.invalid{path}/x",
    "{path}/{long}",
    "/api/esp_ota/{secret}",
    "/{long}",
)
_PROXIES: Final = ("X-Forwarded-For", "X-Real-IP", "Via", "Forwarded", "X-Forwarded-Host")
_NUMBERS: Final = ("-1", "0", "1e9", "4294967296", "9" * 5000, "\u0661\u0662".encode(), "0x10", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What goes over the wire, and how."""

    kind: str
    raw: bytes
    pieces: int = 1
    """Into how many segments the request is cut."""
    reads: bool = True
    """Whether the answer is read; else the connection is reset after a moment."""


class Cases:
    """An endless supply, always the same for one seed."""

    def __init__(self, seed: int, secret: str) -> None:
        """`secret` is the house's; no case is entitled to an image, whatever it sends."""
        self._random = Random(seed)
        self._secret = secret
        self._requests = list(PULL_REQUESTS.values())
        self._kinds: list[Callable[[], bytes]] = [
            self._method,
            self._header,
            self._header,
            self._many_headers,
            self._broken,
            self._broken,
            self._path,
            self._path,
            self._stranger,
            self._module,
            self._basic,
            self._proxied,
            self._smuggled,
            self._conditional,
            self._noise,
        ]

    def next(self) -> Case:
        """Make one."""
        make = self._random.choice(self._kinds)
        return Case(
            kind=make.__name__.removeprefix("_"),
            raw=make(),
            pieces=self._random.choice([1, 1, 1, 1, 2, 7]),
            reads=self._random.random() < 0.95,
        )

    def _plain(self) -> RecordedRequest:
        """Return a request that is right but for its secret, or right but of a stranger."""
        secret = self._random.choice([self._secret, "wrong", self._word(20)])
        return self._random.choice(self._requests).to(f"{PATH}/{secret}", "127.0.0.1")

    def _word(self, size: int) -> str:
        return "".join(self._random.choices(string.ascii_letters + string.digits + "-_", k=size))

    def _bytes(self, limit: int) -> bytes:
        """Return bytes of any value and length that end no line."""
        data = self._random.randbytes(int(limit ** self._random.random()))
        return data.replace(b"\r", b"").replace(b"\n", b"")

    def _lines(self) -> list[bytes]:
        return [line.encode() for line in self._plain().lines]

    @staticmethod
    def _whole(lines: list[bytes], body: bytes = b"") -> bytes:
        return b"\r\n".join([*lines, b"", body])

    def _method(self) -> bytes:
        lines = self._lines()
        method = self._random.choice([*_METHODS, self._word(5), self._word(300)])
        lines[0] = method.encode() + lines[0][3:].replace(b"1.0", b"1.1")
        body = self._bytes(5000)
        lines = [line for line in lines if not line.startswith(b"Content-Length")]
        if self._random.random() < 0.5:
            return self._whole([*lines, b"Content-Length: %d" % len(body)], body)
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        return self._whole([*lines, b"Transfer-Encoding: chunked"], chunks)

    def _header(self) -> bytes:
        """Give some headers other values."""
        lines = self._lines()
        for _ in range(self._random.randint(1, 4)):
            at = self._random.randrange(1, len(lines))
            name = lines[at].partition(b":")[0]
            number = self._random.choice(_NUMBERS)
            number = number.encode() if isinstance(number, str) else number
            value = self._random.choice([self._bytes(9000), number, self._bytes(40)])
            lines[at] = name + b": " + value
        return self._whole(lines)

    def _many_headers(self) -> bytes:
        lines = self._lines()
        extra = [b"x-ESP8266-%s: %s" % (self._bytes(30), self._bytes(60)) for _ in range(30)]
        return self._whole(lines + extra * self._random.choice([1, 10, 100]))

    def _broken(self) -> bytes:
        """Harm a request anywhere."""
        raw = bytearray(self._plain().raw)
        for _ in range(self._random.randint(1, 8)):
            at = self._random.randrange(len(raw))
            match self._random.randrange(4):
                case 0:
                    raw[at] = self._random.randrange(256)
                case 1:
                    del raw[at : at + self._random.randint(1, 20)]
                case 2:
                    raw[at:at] = self._random.randbytes(self._random.randint(1, 20))
                case _:
                    raw[at:at] = self._random.choice([b"\r\n", b"\n", b"\r", b"\0", b" ", b"\r\n "])
            if not raw:
                break
        return bytes(raw)

    def _path(self) -> bytes:
        lines = self._lines()
        uri = self._random.choice(_TRICKS).format(
            path=PATH,
            secret=self._secret,
            upper=self._secret.swapcase(),
            shorter=self._secret[:-1],
            long=self._word(self._random.choice([200, 7000, 30000])),
        )
        lines[0] = b"GET %b HTTP/1.%d" % (uri.encode("latin-1"), self._random.randrange(2))
        return self._whole(lines)

    def _stranger(self) -> bytes:
        """Be a module that nobody knows, with the house's secret."""
        raw = self._random.choice(self._requests).to(f"{PATH}/{self._secret}", "ha").raw
        mac = self._random.randbytes(2).hex(":").upper().encode()
        return raw.replace(b"A1:B2:C3", b"00:" + mac).replace(b"a1:b2:c3", b"00:" + mac)

    def _module(self) -> bytes:
        """Be the module that has a secret of its own, with the house's."""
        return self._random.choice(self._requests).to(f"{PATH}/{self._secret}", "ha").raw

    def _basic(self) -> bytes:
        login = base64.b64encode(self._bytes(300))
        value = self._random.choice(
            [
                b"Basic " + login,
                b"Basic " + self._bytes(300),
                b"Bearer " + login,
                b"Basic",
                b"Digest " + login,
                b"Basic " + base64.b64encode(b":" + self._secret[1:].encode()),
            ]
        )
        lines = [line for line in self._lines() if not line.startswith(b"Authorization")]
        lines[0] = b"GET %b HTTP/1.0" % PATH.encode()
        return self._whole([*lines, b"Authorization: " + value])

    def _proxied(self) -> bytes:
        name = self._random.choice(_PROXIES).encode()
        values = [b"10.0.0.1", b"::1", b"unknown", self._bytes(100), b"1.2.3.4, ,"]
        value = self._random.choice(values)
        return self._whole([*self._lines(), name + b": " + value])

    def _smuggled(self) -> bytes:
        """Hide one request in another."""
        inner = self._plain().raw
        lines = [line for line in self._lines() if not line.startswith(b"Content-Length")]
        lines[0] = lines[0].replace(b"1.0", b"1.1")
        more = self._random.choice(
            [
                [b"Content-Length: 0", b"Content-Length: %d" % len(inner)],
                [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
                [b"Transfer-Encoding: gzip, chunked"],
                [b"Transfer-Encoding: xchunked"],
                [b"Content-Length: +%d" % len(inner)],
                [b"Connection: keep-alive"],
            ]
        )
        return self._whole(lines + more, inner * self._random.randint(1, 4))

    def _conditional(self) -> bytes:
        more = self._random.choice(
            [
                b"Range: bytes=0-99",
                b"If-None-Match: *",
                b"If-Modified-Since: Mon, 01 Jan 2035 00:00:00 GMT",
                b"Expect: 100-continue",
                b"Expect: " + self._bytes(50),
                b"Upgrade: websocket",
                b"Upgrade: h2c",
                b"Accept-Encoding: gzip, br, deflate",
                b"Cookie: " + self._bytes(3000),
                b"Host: evil.invalid",
            ]
        )
        return self._whole([*self._lines(), more])

    def _noise(self) -> bytes:
        return self._random.randbytes(int(20000 ** self._random.random()))
