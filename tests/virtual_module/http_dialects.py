"""The update pages of the cores: HTTP update server and `WebUpdate` example."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import override

from .board import Board
from .chips import Family
from .config import Generation
from .errors import UpdateError
from .events import Seen
from .http_config import HttpConfig
from .http_updater import PageUpdater
from .http_wire import Request, Response, Step, Upload

type Handler = Callable[[Request], Awaitable[Response]]

_FORM = """<!DOCTYPE html>
     <html lang='en'>
     <head>
         <meta charset='utf-8'>
         <meta name='viewport' content='width=device-width,initial-scale=1'/>
     </head>
     <body>
     <form method='POST' action='' enctype='multipart/form-data'>
         Firmware:<br>
         <input type='file' accept='.bin,.bin.gz' name='firmware'>
         <input type='submit' value='Update Firmware'>
     </form>{filesystem}
     </body>
     </html>"""
"""`serverIndex` of ESP8266HTTPUpdateServer-impl.h: 664 bytes with both fields."""
_FILESYSTEM_FORM = """
     <form method='POST' action='' enctype='multipart/form-data'>
         FileSystem:<br>
         <input type='file' accept='{accept}' name='filesystem'>
         <input type='submit' value='Update FileSystem'>
     </form>"""
_SUCCESS = b'<META http-equiv="refresh" content="15;URL=/">Update Success! Rebooting...'


class SketchPages:
    """A web server's pages: a front page, and what a dialect adds."""

    def __init__(self, board: Board, config: HttpConfig) -> None:
        """Set the pages up, as a sketch does when it starts."""
        self.board = board
        self.config = config

    @property
    def routes(self) -> Mapping[tuple[str, str], Handler]:
        """The dialect's pages, by method and path."""
        return {}

    @property
    def keeps_alive(self) -> bool:
        """Whether the web server is ESP8266WebServer of a core that keeps connections open."""
        config = self.board.config
        return config.family is Family.ESP8266 and config.core_version >= (3, 0)

    async def answer(self, request: Request) -> Response:
        """Handle one request."""
        handlers = {("GET", "/"): self._front} | ({} if self.config.missing else dict(self.routes))
        handler = handlers.get((request.method, request.path))
        return await (handler or self.not_found)(request)

    def abandoned(self) -> None:
        """Hear that the host left in the middle of a body."""

    async def not_found(self, request: Request) -> Response:
        """Answer for a page that nobody set up; the body has been read by then."""
        if request.header("Content-Type").startswith("multipart/"):
            async for _ in request.form():
                pass
        return Response(status=404, body=f"Not found: {request.path}".encode())

    async def _front(self, request: Request) -> Response:
        return Response(body=f"<h1>{self.board.config.name}</h1>".encode())

    def let_in(self, request: Request) -> bool:
        """Whether the right credentials came along."""
        right = request.authorised(self.config.username, self.config.password)
        if not right:
            self.board.events.add(Seen.AUTH_FAILED)
        return right

    @staticmethod
    def login() -> Response:
        """Return what the cores' `requestAuthentication()` sends."""
        challenge = {"WWW-Authenticate": 'Basic realm="Login Required"'}
        return Response(status=401, headers=challenge)

    def updater(self, request: Request, *, sketch: bool) -> PageUpdater:
        """Return an update with all the room there is."""
        return PageUpdater(self.board, sketch=sketch, request_size=request.content_length)


class UpdateServer(SketchPages):
    """`ESP8266HTTPUpdateServer`, and `HTTPUpdateServer` of ESP32 and Pico."""

    takes_filesystems = True

    def __init__(self, board: Board, config: HttpConfig) -> None:
        super().__init__(board, config)
        self._update: PageUpdater | None = None
        self._allowed = False
        self._failed = False
        self._error = ""
        """What `printError()` wrote, line end and all."""

    @property
    @override
    def routes(self) -> Mapping[tuple[str, str], Handler]:
        path = self.config.path
        routes: dict[tuple[str, str], Handler] = {
            ("GET", path): self._page,
            ("POST", path): self._post,
        }
        if self._cors:
            routes["OPTIONS", path] = self._options
        return routes

    @override
    def abandoned(self) -> None:
        self._update = None

    async def _page(self, request: Request) -> Response:
        if not self.let_in(request):
            return self.login()
        accept = ".bin,.bin.gz"
        if self.board.config.family is Family.ESP32:
            accept += ",.image"
        files = _FILESYSTEM_FORM.format(accept=accept) if self.takes_filesystems else ""
        return Response(body=_FORM.format(filesystem=files).encode())

    async def _options(self, request: Request) -> Response:
        return Response(body=b"y", headers=self._cors)

    @property
    def _cors(self) -> dict[str, str]:
        config = self.board.config
        old = config.family is Family.ESP8266 and config.core_version < (3, 1)
        if old or config.family is Family.ESP32:
            return {}
        return {"Access-Control-Allow-Headers": "*", "Access-Control-Allow-Origin": "*"}

    async def _post(self, request: Request) -> Response:
        """Read the whole form before anything is said, whatever it is.

        Whether somebody may is found out by the upload, and kept for who sends none.
        """
        async for upload in request.form():
            await self._upload(request, upload)
        if not self._allowed:
            return self._turned_away()
        if self._failed:
            return Response(body=f"Update error: {self._error}".encode(), headers=self._cors)
        return Response(body=_SUCCESS, headers=self._cors, restarts_after=0.1)

    def _turned_away(self) -> Response:
        if self._minds_origin and not self.config.password:
            return Response(body=b"Update error: Wrong origin received!")
        login = self.login()
        return replace(login, headers=self._cors | login.headers)

    async def _upload(self, request: Request, upload: Upload) -> None:
        if upload.step is Step.START:
            self._failed, self._error = False, ""
            self._update = None
            self._allowed = self.let_in(request) and self._own_origin(request)
            if self._allowed:
                sketch = upload.name != "filesystem" or not self.takes_filesystems
                self._update = self.updater(request, sketch=sketch)
                self._fail(self._update.refuse())
        if self._update is None or self._error:
            return
        if upload.step is Step.WRITE and not await self._update.take(upload.data):
            self._fail(self._update.error)
        elif upload.step is Step.END:
            error = await self._update.finish()
            self._fail(error)
            if self._update.is_torn:
                self._error = ""  # `Update.end()` returned true, so nobody asked for the text
            self._update = None

    def _own_origin(self, request: Request) -> bool:
        own = f"http://{request.header('Host')}"
        return not self._minds_origin or request.header("Origin") == own

    @property
    def _minds_origin(self) -> bool:
        config, rule = self.board.config, self.config.origin_rule
        if rule is None:
            rule = config.generation is Generation.PBKDF2
        return rule and config.family is Family.ESP32

    def _fail(self, error: UpdateError | None) -> None:
        if error is not None:
            self._failed, self._error = True, error.printed


class EspEasy(UpdateServer):
    """The same with one field: ESPEasy's own copy for the ESP32 has no other."""

    takes_filesystems = False

    @property
    @override
    def _minds_origin(self) -> bool:
        return False


class WebUpdate(SketchPages):
    """The `WebUpdate` examples: two words, and no reasons."""

    @property
    @override
    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {("GET", "/"): self._page, ("POST", self.config.path): self._post}

    async def _page(self, request: Request) -> Response:
        form = (
            f"<form method='POST' action='{self.config.path}' enctype='multipart/form-data'>"
            "<input type='file' name='update'><input type='submit' value='Update'></form>"
        )
        return Response(body=form.encode())

    async def _post(self, request: Request) -> Response:
        update: PageUpdater | None = None
        failed = False
        async for upload in request.form():
            match upload.step:
                case Step.START:
                    update = self.updater(request, sketch=True)
                    failed = update.refuse() is not None
                case Step.WRITE if update is not None:
                    failed = not await update.take(upload.data) or failed
                case Step.END if update is not None:
                    failed = await update.finish() is not None
        if self.config.password and not self.let_in(request):
            return self.login()
        # The example restarts in both cases.
        return Response(kind="text/plain", body=b"FAIL" if failed else b"OK", restarts_after=0.5)
