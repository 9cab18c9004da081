"""The upload servers of whole firmwares, and of JAndrassy's library."""

import base64
from collections.abc import Mapping
from typing import override

from .board import Board
from .events import Seen
from .http_config import HttpConfig
from .http_dialects import Handler, SketchPages
from .http_updater import PageUpdater
from .http_wire import HostGone, Request, Response, Step

_TASMOTA_ERRORS = (
    "No file selected",
    "Not enough space",
    "Magic byte is not 0xE9",
    "Program flash size is larger than real flash size",
    " ",
    "Upload failed. Enable logging 3",
    "Upload aborted",
)
_RELOAD = "<script>setTimeout(function(){location.href='.';},24000);</script>"


class Tasmota(SketchPages):
    """Tasmota: the page shown last says what an upload is, the Referer whether it may be."""

    def __init__(self, board: Board, config: HttpConfig) -> None:
        super().__init__(board, config)
        self._firmware_next = False

    @property
    @override
    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", "/"): self._menu,
            ("GET", "/up"): self._page,
            ("POST", "/u2"): self._post,
        }

    @property
    @override
    def keeps_alive(self) -> bool:
        return False

    @override
    async def answer(self, request: Request) -> Response:
        response = await super().answer(request)
        if response.status == 404:
            return self._whole(response.body.decode(), status=404, kind="text/plain")
        return response

    def _whole(self, text: str, status: int = 200, kind: str = "text/html") -> Response:
        server = {"Server": "Tasmota/14.2.0 (ESP8266EX)"}
        return Response(status=status, kind=kind, body=text.encode(), headers=server, chunked=True)

    def _refused(self, request: Request) -> Response | None:
        """Return what a visitor gets who may not be here: a challenge, or nothing at all."""
        if not request.authorised("admin", self.config.password):
            self.board.events.add(Seen.AUTH_FAILED)
            return self.login()
        own = (f"http://{self.board.config.host}", f"http://{self.board.config.name}")
        if not request.header("Referer").lower().startswith(own):
            return Response(silent=True)
        return None

    async def _menu(self, request: Request) -> Response:
        """Show the main menu, behind the password alone (`HandleRootStatusRefresh`)."""
        if not request.authorised("admin", self.config.password):
            self.board.events.add(Seen.AUTH_FAILED)
            return self.login()
        return self._whole("<title>Tasmota - Main Menu</title>")

    async def _page(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        self._firmware_next = True
        return self._whole(
            "<form method='get' action='u1'><input id='o' placeholder='OTA_URL'></form>"
            "<form method='post' action='u2?fsz=' enctype='multipart/form-data'>"
            "<input type='file' name='u2'></form>"
        )

    async def _post(self, request: Request) -> Response:
        """Write first and ask later: only the last page wants credentials and a Referer."""
        error = 0
        update: PageUpdater | None = None
        async for upload in request.form():
            if upload.step is Step.START:
                error = 0 if upload.filename else 1
            elif error:
                continue
            elif upload.step is Step.WRITE:
                if update is None:
                    update = self.updater(request, sketch=True)
                    error = self._first_block(update, upload.data)
                if not error and not await update.take(upload.data):
                    error = 2
            elif update is not None and await update.finish() is not None:
                error = 6
        if (refused := self._refused(request)) is not None:
            return refused
        if error:
            said = f"Failed</font></b><br><br>{_TASMOTA_ERRORS[error - 1]}</div>"
            return self._whole(f"<style>b{{}}</style><div><b>Upload <font color='#ff5661'>{said}")
        page = self._whole(
            f"{_RELOAD}<div><b>Upload <font color='#008000'>Successful</font></b><br></div>"
        )
        return Response(body=page.body, headers=page.headers, chunked=True, restarts_after=2.0)

    def _first_block(self, update: PageUpdater, data: bytes) -> int:
        """Look at the first bytes; return the number of the complaint, 0 for none."""
        if not self._firmware_next:
            return 2  # it takes the firmware for a settings file
        if data[0] not in (0xE9, 0x1F):
            return 3
        return 2 if update.refuse() is not None else 0


class WifiOta(SketchPages):
    """WiFiOTA of JAndrassy/ArduinoOTA: one request, compared letter by letter."""

    @property
    @override
    def keeps_alive(self) -> bool:
        return False

    @override
    async def answer(self, request: Request) -> Response:
        if request.wire.hangs:
            await request.wire.hang()
        lines = request.lines
        length = _value(lines, "Content-Length: ")
        size = int(length) if length.isdecimal() else -1
        sketch = lines[0] == "POST /sketch HTTP/1.1"
        # Boards without ESP chips have no files.
        if not sketch and lines[0] != "POST /data HTTP/1.1":
            return await self._flushed(request, size, 404, "Not Found")
        credentials = f"arduino:{self.config.password or ''}".encode()
        if _value(lines, "Authorization: ") != "Basic " + base64.b64encode(credentials).decode():
            self.board.events.add(Seen.AUTH_FAILED)
            return await self._flushed(request, size, 401, "Unauthorized")
        if size <= 0:
            return self._said(400, "Bad Request")
        update = PageUpdater(self.board, sketch=sketch, request_size=size, size=size)
        if update.refuse() is not None:
            return await self._flushed(request, size, 500, "Internal Server Error")
        return await self._store(request, update, size)

    async def _store(self, request: Request, update: PageUpdater, size: int) -> Response:
        read = 0
        try:
            while read < size:
                if not request.wire.buffer:
                    await request.wire.fill()
                piece = bytes(request.wire.buffer[: size - read])
                del request.wire.buffer[: len(piece)]
                read += len(piece)
                await update.take(piece)
        except HostGone:
            self.board.events.add(Seen.ABORTED, bytes=read, reason="host gone")
            return self._said(414, "Payload size wrong")
        await update.finish(accept_shorter=False)  # and nobody looks at what it says
        ok = self._said(200, "OK")
        return Response(kind=ok.kind, body=ok.body, restarts_after=1.0)

    async def _flushed(self, request: Request, size: int, status: int, text: str) -> Response:
        """Read the whole body, then refuse."""
        left = size - len(request.wire.buffer)
        while left > 0:
            request.wire.buffer.clear()
            await request.wire.fill()
            left -= len(request.wire.buffer)
        request.wire.buffer.clear()
        return self._said(status, text)

    @staticmethod
    def _said(status: int, text: str) -> Response:
        return Response(status=status, kind="text/plain", body=text.encode())


def _value(lines: list[str], start: str) -> str:
    return next((line.removeprefix(start) for line in lines if line.startswith(start)), "")
