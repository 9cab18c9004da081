"""The update pages of libraries: ElegantOTA, AsyncElegantOTA and PrettyOTA."""

from collections.abc import Mapping
import gzip
import hashlib
import json
from typing import override
import uuid

from .board import Board
from .chips import Family
from .errors import UpdateError
from .events import Seen
from .http_config import HttpConfig
from .http_dialects import Handler, SketchPages
from .http_updater import PageUpdater
from .http_wire import Request, Response, Step

_GZIPPED = {"Content-Encoding": "gzip"}
_OK = b"OK"
_MD5_LENGTH = 32
_RUNNING = UpdateError(15, ("ERROR[15]: Update already running\n",))
"""Said by ESP8266 cores after 3.1.2; all others say nothing."""


def _text(status: int, text: str) -> Response:
    return Response(status=status, kind="text/plain", body=text.encode())


class _Asynchronous(SketchPages):
    """What is common to pages on ESPAsyncWebServer: it answers whenever it likes."""

    @property
    @override
    def keeps_alive(self) -> bool:
        return False

    @staticmethod
    @override
    def login() -> Response:
        """Return the challenge, which asks for Digest but takes Basic too."""
        challenge = {"WWW-Authenticate": 'Digest realm="asyncesp", qop="auth", nonce="1"'}
        return Response(status=401, headers=challenge)


class ElegantOta(_Asynchronous):
    """ElegantOTA 3, which never checks the MD5 it asks for, except when it should not."""

    def __init__(self, board: Board, config: HttpConfig) -> None:
        super().__init__(board, config)
        self._update: PageUpdater | None = None
        """Stays when a host leaves in the middle: nothing ends it."""
        self._error = ""

    @property
    @override
    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", "/update"): self._page,
            ("GET", "/ota/start"): self._start,
            ("POST", "/ota/upload"): self._post,
        }

    async def _page(self, request: Request) -> Response:
        if not self.let_in(request):
            return self.login()
        page = b"<title>ElegantOTA Lite</title><script>fetch(`/ota/start?mode=${f}`)</script>"
        return Response(body=gzip.compress(page), headers=_GZIPPED)

    async def _start(self, request: Request) -> Response:
        if not self.let_in(request):
            return self.login()
        md5 = request.query.get("hash")
        if md5 is not None and len(md5) != _MD5_LENGTH:
            return _text(400, "MD5 parameter invalid")
        if self._update is not None:
            # `begin()` gives up before it clears the MD5: for once it will be checked.
            self._update.expected_md5 = md5
            error: UpdateError | None = None
            config = self.board.config
            if config.family is Family.ESP8266 and config.core_version > (3, 1, 2):
                error = _RUNNING
        else:
            size = request.content_length
            sketch = request.query.get("mode") != "fs"
            update = PageUpdater(self.board, sketch=sketch, request_size=size)
            error = update.refuse()
            self._update = update if error is None else None
        self._error = "" if error is None else error.printed
        return _text(400, self._error) if error is not None else _text(200, "OK")

    async def _post(self, request: Request) -> Response:
        update = self._update
        if self.config.asynchronous and not self.let_in(request):
            return self.login()  # in the middle of the body
        if update is not None:
            update.restart_on(request.content_length)
        async for upload in request.form():
            if update is None:
                continue
            if upload.step is Step.WRITE and not await update.take(upload.data):
                self._update = None
                self._error = update.error.printed if update.error else ""
                if self.config.asynchronous:
                    return _text(400, "Failed to write chunked data to free space")
            elif upload.step is Step.END and update.error is None:
                self._update = None
                error = await update.finish()
                self._error = "" if error is None else error.printed
        if not self.let_in(request):
            return self.login()
        if self._error:
            return _text(400, self._error + "\n")
        return Response(kind="text/plain", body=_OK, restarts_after=2.0)


class AsyncElegantOta(_Asynchronous):
    """AsyncElegantOTA 2, which restarts whatever came of the update."""

    @property
    @override
    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", "/update/identity"): self._identity,
            ("GET", "/update"): self._page,
            ("POST", "/update"): self._post,
        }

    async def _identity(self, request: Request) -> Response:
        if not self.let_in(request):
            return self.login()
        hardware = "ESP8266" if self.board.config.family is Family.ESP8266 else "ESP32"
        mac = bytes.fromhex(self.board.config.mac.replace(":", ""))
        own = str(int.from_bytes(mac[3:]))
        if hardware == "ESP32":
            own = f"{int.from_bytes(mac[:4], 'little'):X}"
        found = '{"id": "' + own + '", "hardware": "' + hardware + '"}'
        return Response(kind="application/json", body=found.encode())

    async def _page(self, request: Request) -> Response:
        if not self.let_in(request):
            return self.login()
        return Response(body=gzip.compress(b"<title>ElegantOTA</title>"), headers=_GZIPPED)

    async def _post(self, request: Request) -> Response:
        if not self.let_in(request):
            return self.login()  # in the middle of the body
        update: PageUpdater | None = None
        async for upload in request.form():
            if upload.step is Step.START:
                md5 = request.texts.get("MD5")
                if md5 is None:
                    return _text(400, "MD5 parameter missing")
                if len(md5) != _MD5_LENGTH:
                    return _text(400, "MD5 parameter invalid")
                update = self.updater(request, sketch=upload.filename != "filesystem")
                if update.refuse() is not None:
                    return _text(400, "OTA could not begin")
            if update is None:
                continue
            if upload.step is Step.WRITE and not await update.take(upload.data):
                return _text(400, "OTA could not begin")
            if upload.step is Step.END and await update.finish() is not None:
                return _text(400, "Could not end OTA")
        if update is None:
            return Response(status=500, kind="text/plain", body=b"FAIL", restarts_after=1.0)
        return Response(kind="text/plain", body=_OK, restarts_after=1.0)


class PrettyOta(SketchPages):
    """PrettyOTA: a session, a flag that says running, and an MD5 that counts."""

    def __init__(self, board: Board, config: HttpConfig) -> None:
        super().__init__(board, config)
        self._sessions: list[str] = []
        self._update: PageUpdater | None = None
        """Stays when a host leaves in the middle: only a restart ends it."""

    @property
    @override
    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", "/prettyota/queryPrettyOTAInfo"): self._info,
            ("GET", self.config.path): self._page,
            ("POST", "/login"): self._log_in,
            ("GET", "/prettyota/start"): self._start,
            ("POST", "/prettyota/upload"): self._post,
            ("GET", "/prettyota/queryInfo"): self._board_info,
            ("POST", "/prettyota/doRollback"): self._roll_back,
        }

    async def _info(self, request: Request) -> Response:
        info = {
            "prettyotaVersion": "1.1.3",
            "mainURL": self.config.path,
            "loginURL": "/login",
            "authenticationEnabled": bool(self.config.password),
        }
        return Response(kind="application/json", body=json.dumps(info).encode())

    async def _board_info(self, request: Request) -> Response:
        if not self._known(request):
            return _text(401, "Not authenticated")
        info = {
            "hardwareID": self.board.config.name,
            "rollbackPossible": self._update is None and self.board.other_image is not None,
            "firmwareVersion": self.board.version,
        }
        return Response(kind="application/json", body=json.dumps(info).encode())

    async def _roll_back(self, request: Request) -> Response:
        if not self._known(request):
            return _text(401, "Not authenticated")
        if self._update is not None:
            return _text(400, "Rollback is not possible while an update is running")
        if self.board.other_image is None:
            return _text(400, "No previous firmware for rollback has been found")
        self.board.switches_slot = True
        return Response(restarts_after=1.0)

    async def _page(self, request: Request) -> Response:
        if self._known(request):
            return Response(body=gzip.compress(b"<title>PrettyOTA</title>"), headers=_GZIPPED)
        return Response(status=302, headers={"Location": "/login"})

    async def _log_in(self, request: Request) -> Response:
        try:
            given = json.loads(await request.body())
        except ValueError:
            return _text(400, "Could not deserialize Json")
        password = self.config.password or ""
        wanted = (self.config.username, hashlib.md5(password.encode()).hexdigest())
        if (given.get("userId"), given.get("password")) != wanted:
            self.board.events.add(Seen.AUTH_FAILED)
            return _text(401, "Wrong username or password")
        session = f"sessionID={uuid.uuid4()}"
        self._sessions = [*self._sessions[-4:], session]
        return Response(headers={"Set-Cookie": session})

    def _known(self, request: Request) -> bool:
        return not self.config.password or request.header("Cookie") in self._sessions

    async def _start(self, request: Request) -> Response:
        if not self._known(request):
            return _text(401, "Not authenticated")
        if self._update is not None:
            return _text(400, "An update is already running")
        for name in ("mode", "reboot", "hash"):
            if name not in request.query:
                return _text(400, f"Missing parameter in URL: {name}")
        if len(request.query["hash"]) != _MD5_LENGTH:
            return _text(400, "ERROR_INVALID_HASH: Invalid MD5 hash")
        sketch = request.query["mode"] != "fs"
        update = PageUpdater(self.board, sketch=sketch, request_size=0)
        update.expected_md5 = request.query["hash"].lower()
        if update.refuse() is not None:
            return _text(400, "ERROR_NO_PARTITION: Partition could not be found")
        self._update = update
        return Response()

    async def _post(self, request: Request) -> Response:
        if not self._known(request):
            return _text(401, "Not authenticated")
        update = self._update
        if update is None:
            return _text(400, "No error")
        update.restart_on(request.content_length)
        async for upload in request.form():
            if upload.step is Step.WRITE and not await update.take(upload.data):
                return _text(400, self._words(update))  # in the middle; the flag stays
            if upload.step is Step.END and await update.finish() is not None:
                self._update = None
                return _text(400, self._words(update))
        self._update = None
        return Response(restarts_after=1.0)

    @staticmethod
    def _words(update: PageUpdater) -> str:
        said = str(update.error)
        return _PRETTY_WORDS.get(said, said)


_PRETTY_WORDS = {
    "Not Enough Space": "ERROR_NO_SPACE: Not enough free space",
    "MD5 Check Failed": "ERROR_HASH_MISMATCH: The firmware hash does not match the expected hash",
    "Wrong Magic Byte": "ERROR_MAGIC_BYTE: Magic byte is invalid",
    "Could Not Activate The Firmware": "ERROR_ACTIVATE: Could not activate target partition",
    "Flash Write Failed": "ERROR_WRITE: Could not write flash",
}
