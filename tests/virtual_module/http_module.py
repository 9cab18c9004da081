"""A virtual module that has a web server with an update page beside its ArduinoOTA."""

import socket
from types import TracebackType
from typing import override

from zeroconf.asyncio import AsyncZeroconf

from .config import ModuleConfig
from .doors import first_ending
from .http_config import HttpConfig, HttpDialect
from .http_dialects import EspEasy, SketchPages, UpdateServer, WebUpdate
from .http_elegant import AsyncElegantOta, ElegantOta, PrettyOta
from .http_server import HttpServer
from .http_vendors import Tasmota, WifiOta
from .link import Link, _narrow
from .listener import Ending
from .module import VirtualModule

PAGES: dict[HttpDialect, type[SketchPages]] = {
    HttpDialect.UPDATE_SERVER: UpdateServer,
    HttpDialect.WEB_UPDATE: WebUpdate,
    HttpDialect.ELEGANT_OTA: ElegantOta,
    HttpDialect.ASYNC_ELEGANT_OTA: AsyncElegantOta,
    HttpDialect.PRETTY_OTA: PrettyOta,
    HttpDialect.TASMOTA: Tasmota,
    HttpDialect.ESP_EASY: EspEasy,
    HttpDialect.WIFI_OTA: WifiOta,
}


class HttpModule(VirtualModule):
    """A virtual module with one more door."""

    def __init__(
        self,
        config: ModuleConfig | None = None,
        http: HttpConfig | None = None,
        *,
        zeroconf: AsyncZeroconf | None = None,
    ) -> None:
        """Build the module; `async with` switches it on."""
        super().__init__(config, zeroconf=zeroconf)
        self.http = http or HttpConfig()
        self._http_port = self.http.port
        self._tcp: socket.socket | None = None
        self._clamp = 0
        self._requests: list[list[list[str]]] = []

    @property
    def http_port(self) -> int:
        """The TCP port of its web server."""
        return self._http_port

    @property
    def requests(self) -> list[str]:
        """First lines of all requests so far."""
        return [lines[0] for heads in self._requests for lines in heads]

    @property
    def request_heads(self) -> list[list[str]]:
        """All lines of the heads of all requests so far."""
        return [lines for heads in self._requests for lines in heads]

    @override
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Switch the power off; raise what broke inside."""
        try:
            await super().__aexit__(kind, error, traceback)
        finally:
            self._close()

    @override
    def _listen(self) -> socket.socket:
        self._close()
        config = self.config
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            tcp.setblocking(False)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            mss = config.facts.mss if config.mss is None else config.mss
            window = config.facts.window if config.window is None else config.window
            # Accepted sockets inherit it.
            self._clamp = _narrow(tcp, mss, window) if window else 0
            tcp.bind((config.host, self._http_port))
            tcp.listen(4)
        except OSError:
            tcp.close()
            raise
        self._tcp = tcp
        self._http_port = tcp.getsockname()[1]
        return super()._listen()

    def _close(self) -> None:
        if self._tcp is not None:
            self._tcp.close()
            self._tcp = None

    @override
    async def _run_sketch(self, udp: socket.socket) -> Ending:
        """Serve both doors until the module restarts or dies by one of them."""
        assert self._tcp is not None
        pages = PAGES[self.http.dialect](self.board, self.http)
        server = HttpServer(self.board, self._tcp, self._clamp, pages, resets=self.http.resets)
        self._requests.append(server.heads)
        ending = Ending.RESTARTS
        try:
            ending = await first_ending(super()._run_sketch(udp), server.run())
        finally:
            if ending in (Ending.DIES, Ending.SLEEPS):
                Link(self._tcp, 0).fall_silent()  # no power: not even a SYN is answered
            else:
                self._close()
        return ending
