"""A module's web server, as one visitor sees it: the same address, host name and credentials."""

import asyncio
import ipaddress
import socket
from typing import Final

from ..causes import Cause
from ..exceptions import ModuleConnectionError
from ._callback import SEND_BUFFER, reset
from ._exchange import Exchange, UploadLimits
from ._http import Reply, basic, request_head
from ._whereabouts import Address, Whereabouts

_DEFAULT_PORT: Final = 80


class Web:
    """Asks one web server for pages, one connection each: modules keep few of them."""

    def __init__(self, where: Whereabouts, limits: UploadLimits) -> None:
        """Visit the server where it is; a session belongs to the module, not to its address."""
        self._where = where
        self._limits = limits
        self.at = Address("", 0)
        """Where it was at the last connection."""
        self._family = socket.AF_INET
        self._address = ""
        self._extra: dict[str, str] = {}

    async def find(self) -> None:
        """Ask where it is now, and look a name up; raises ModuleConnectionError."""
        if (at := await self._where.now()) == self.at:
            return
        self.at, self._address = at, at.host
        loop = asyncio.get_running_loop()
        try:
            address = ipaddress.ip_address(at.host)
        except ValueError:
            pass
        else:
            self._family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
            return
        try:
            found = await loop.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM)
            # Few modules speak IPv6, and mDNS names tend to offer both.
            family, *_, found_at = min(found, key=lambda one: one[0] != socket.AF_INET)
        except (OSError, UnicodeError, ValueError) as err:
            raise ModuleConnectionError(Cause.HOST_NOT_FOUND) from err
        self._family = socket.AddressFamily(family)
        self._address = str(found_at[0])

    def confirm(self) -> None:
        """Return when nothing speaks against it still being there; see `Whereabouts`."""
        self._where.confirm(self.at)

    def authorise(self, username: str, password: str) -> None:
        """Show these credentials with every request from now on, unasked.

        A module says 401 only once it has read a whole body.
        """
        self._extra["Authorization"] = basic(username, password)

    def carry(self, cookie: str) -> None:
        """Show this cookie with every request from now on."""
        self._extra["Cookie"] = cookie

    def headers(self) -> dict[str, str]:
        """Return what every request says.

        `Origin` is exactly `http://` and `Host`, as the ESP32's `HTTPUpdateServer` wants it;
        `Referer` has the address itself, which Tasmota compares with its own.
        """
        host = _authority(*self.at)
        return {
            "Host": host,
            "Connection": "close",
            "Origin": f"http://{host}",
            "Referer": f"http://{_authority(self._address, self.at.port)}/",
        } | self._extra

    async def connect(self) -> Exchange:
        """Open a connection; raises ModuleConnectionError, or what `Whereabouts.now` raises."""
        await self.find()
        connection = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)  # noqa: FBT003 - its only argument
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(self._limits.connect):
                loop = asyncio.get_running_loop()
                await loop.sock_connect(connection, (self._address, self.at.port))
        except ConnectionRefusedError as err:
            connection.close()
            raise ModuleConnectionError(Cause.HTTP_PORT_CLOSED) from err
        except OSError as err:  # a TimeoutError is one
            connection.close()
            raise ModuleConnectionError(Cause.UNREACHABLE) from err
        except BaseException:
            reset(connection)
            raise
        return Exchange(connection, self._limits)

    async def ask(
        self, path: str, *, method: str = "GET", body: bytes = b"", kind: str = ""
    ) -> Reply | None:
        """Return the reply to a small request, None when the server closed or stayed silent."""
        async with await self.connect() as exchange:
            headers = self.headers()
            if body:
                headers |= {"Content-Type": kind, "Content-Length": str(len(body))}
            return await exchange.ask(request_head(method, path, headers) + body)


def _authority(host: str, port: int) -> str:
    """Return a host and its port as a browser writes them."""
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        host = host.encode("idna").decode("ascii")
    return host if port == _DEFAULT_PORT else f"{host}:{port}"
