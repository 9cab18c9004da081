"""Push through a module's own update page: recognise it, knock, send the form, read the answer.

The bytes go over a plain socket and not through an aiohttp session, for three reasons. Progress
shall be what the module's TCP has acknowledged, which needs the socket and a small send buffer
set before it connects; aiohttp counts what it has queued. A module may answer in the middle of
the body, and resets the connection right after its answer: both are regular here and errors
there. And what such servers say is not always HTTP, but must always end in a named cause.

Credentials go along unasked, as Basic. All known servers take them so, even those that ask for
Digest (`authenticate()` of all web server libraries looks at what came, not at what it would
have asked for); a Digest of our own would need a challenge first, and is left out.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import logging
import re
from typing import Final, override

from ..causes import Cause
from ..exceptions import InstallRefused, ModuleConnectionError, OtaError, TransferError
from ..models import Delivery, Payload, ProgressCallback
from ._board import raise_for_other_board
from ._dialects import DIALECTS, IDENTITY, Form, Manners, UploadDialect
from ._exchange import Upload, UploadLimits
from ._http import request_head
from ._login import log_in
from ._multipart import around_file, boundary_for
from ._other_slot import switch_back
from ._recognise import recognise_at
from ._verdict import admit, delivery
from ._web import Web
from ._whereabouts import Address, Fixed, Whereabouts
from .protocol import Push

__all__ = ["HttpUpload", "UploadDialect", "UploadLimits", "recognise"]

_LOGGER: Final = logging.getLogger(__name__)
_PATH: Final = re.compile(r"/[!-~]*")
_USUAL_USERNAME: Final = "admin"
_MOST_PAGES: Final = 8
"""Pages asked before an upload at most: four to recognise it, four to log in and begin."""


async def recognise(
    host: str,
    port: int,
    *,
    username: str | None = None,
    password: str | None = None,
    limits: UploadLimits | None = None,
) -> UploadDialect:
    """Find out what kind of update page a module has, without changing anything on it.

    Raises ModuleConnectionError, whose text says what was seen, or ModuleAuthError.
    """
    upload = HttpUpload(Fixed(host, port), username=username, password=password, limits=limits)
    return await upload.recognise()


class HttpUpload(Push):
    """Uploads images to one module."""

    name = "http_upload"

    def __init__(
        self,
        where: Whereabouts,
        *,
        dialect: UploadDialect | None = None,
        path: str | None = None,
        username: str | None = None,
        password: str | None = None,
        mac: str | None = None,
        on_recognised: Callable[[UploadDialect], None] = lambda _dialect: None,
        limits: UploadLimits | None = None,
    ) -> None:
        """Upload to where the page is. Without a dialect it is recognised anew for each image.

        `path` is that of the update page where the sketch chose another than the usual one;
        `mac` is compared with what a page says of its board.
        """
        if path is not None and not self.is_path(path):
            raise ValueError(f"not the path of a page: {path!r}")
        self._where = where
        self._web_at: Web | None = None
        self._dialect = dialect
        self._path = path
        self._username = username
        self._password = password
        self._mac = mac
        self._on_recognised = on_recognised
        self._limits = limits or UploadLimits()

    @staticmethod
    def is_path(text: str) -> bool:
        """Whether a text can be the path of a page."""
        return _PATH.fullmatch(text) is not None

    async def recognise(self) -> UploadDialect:
        """Return the module's dialect, see `recognise`."""
        with self._placed():
            return await self._recognise()

    async def look(self) -> UploadDialect:
        """Look at its page with our credentials, without changing anything; return its kind.

        Raises the OtaError that says why it does not let us in. PrettyOTA's login would be kept in
        the module's flash, and WiFiOTA tells the sketch of any visitor: they are not asked.
        """
        with self._placed():
            dialect = self._dialect or await self._recognise()
            if self._dialect is None and dialect is not UploadDialect.TASMOTA:
                return dialect  # its pages let us in; Tasmota names itself to everybody
            manners = DIALECTS[dialect]
            if self._path is not None:
                manners = manners.at(self._path)
            if (page := manners.looks or manners.check) is None:
                return dialect
            web = await self._web()
            await self._show_credentials(web, manners)
            known = self._password is not None
            admit(await web.ask(page), page, manners, password_known=known)
            return dialect

    def longest(self, payload: Payload) -> float:
        """Return how long all its pages, the image and the answer may take; see `Transport`."""
        limits = self._limits
        before = _MOST_PAGES * (limits.connect + limits.answer)
        return before + limits.connect + limits.longest(len(payload.data))

    async def send(
        self,
        payload: Payload,
        *,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
    ) -> Delivery:
        """Upload one payload; see `Transport.send`."""
        with self._placed():
            dialect = self._dialect or await self._recognise()
            manners = DIALECTS[dialect]
            if self._path is not None:
                manners = manners.at(self._path)
            if payload.kind not in manners.forms:
                raise InstallRefused(Cause.NO_FILESYSTEM_UPLOAD, dialect=manners.title)
            return await self._send(manners, payload, before_first_byte, on_progress)

    @override
    async def switch_back(self, *, before_switch: Callable[[], None]) -> Delivery:
        """Start what ran before, where this kind of page offers it; see `Transport`."""
        with self._placed():
            manners = DIALECTS[self._dialect or await self._recognise()]
            if not manners.switches:
                raise InstallRefused(Cause.NO_OTHER_SLOT)
            web = await self._web()
            await self._show_credentials(web, manners)
            known = self._password is not None
            return await switch_back(web, manners, before_switch, password_known=known)

    @contextmanager
    def _placed(self) -> Iterator[None]:
        """Add to errors what every sentence wants to name: where the module was looked for."""
        try:
            yield
        except OtaError as err:
            at = self._at
            err.facts = {"host": at.host, "port": str(at.port)} | err.facts
            raise

    @property
    def _at(self) -> Address:
        """Where the module was at the last connection."""
        return self._web_at.at if self._web_at is not None else Address("?", 0)

    async def _web(self) -> Web:
        web = self._web_at = Web(self._where, self._limits)
        await web.find()
        return web

    async def _recognise(self) -> UploadDialect:
        web = await self._web()
        if self._password is not None:
            web.authorise(self._username or _USUAL_USERNAME, self._password)
        dialect = await recognise_at(
            web,
            web.at.port,
            path=self._path or "/update",
            password_known=self._password is not None,
        )
        _LOGGER.debug("%s has an update page like %s", self._at, dialect)
        self._on_recognised(dialect)
        return dialect

    async def _send(
        self,
        manners: Manners,
        payload: Payload,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
    ) -> Delivery:
        known = self._password is not None
        form = manners.forms[payload.kind]
        web = await self._web()
        await self._show_credentials(web, manners)
        for template, shows in manners.steps:
            page = _filled(template, form, payload)
            answer = await web.ask(page)
            if answer is None and manners.looks is not None:
                await _raise_if_away(web, manners.looks)
            reply = admit(answer, page, manners, password_known=known, shows=shows)
            if page == IDENTITY:
                raise_for_other_board(reply.page, self._mac)
        path = _filled(form.path, form, payload)
        async with await web.connect() as exchange:
            upload = _upload(web, form, path, payload, md5_part=manners.md5_part)
            web.confirm()
            before_first_byte()
            outcome = await exchange.upload(upload, on_progress)
        taken = Delivery.UNCONFIRMED
        if outcome.reply is not None:
            taken = delivery(outcome.reply, path, manners, password_known=known)
        total = len(payload.data)
        if not outcome.handed:
            cause = Cause.REBOOTED if outcome.restarted else Cause.CONNECTION_LOST
            raise TransferError(cause, sent=outcome.sent, total=total)
        if outcome.sent < total:
            on_progress(total, total)
        _LOGGER.debug("%s took the image: %s", self._at, taken)
        return taken

    async def _show_credentials(self, web: Web, manners: Manners) -> None:
        username = self._username or manners.username
        if manners.logs_in:
            await log_in(web, manners, username, self._password)
        elif self._password is not None or manners.always_authorised:
            web.authorise(username, self._password or "")


async def _raise_if_away(web: Web, page: str) -> None:
    """Raise ModuleConnectionError where the page that everybody may see is not answered either.

    Only from a module that is there can silence mean something: it may have lost its power.
    """
    if await web.ask(page) is None:
        raise ModuleConnectionError(Cause.HTTP_NO_ANSWER)


def _filled(path: str, form: Form, payload: Payload) -> str:
    """Return a path of the table with the facts of this image in it."""
    facts = {"{mode}": form.mode, "{md5}": payload.md5, "{size}": str(len(payload.data))}
    for name, fact in facts.items():
        path = path.replace(name, fact)
    return path


def _upload(web: Web, form: Form, path: str, payload: Payload, *, md5_part: bool) -> Upload:
    """Return all bytes of the one request that carries the image."""
    headers = web.headers()
    before = behind = b""
    if form.field is not None:
        boundary = boundary_for(payload.data)
        texts = {"MD5": payload.md5} if md5_part else {}
        before, behind = around_file(boundary, form.field, form.filename, texts)
        headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
    size = len(before) + len(payload.data) + len(behind)
    headers["Content-Length"] = str(size)
    head = request_head("POST", path, headers)
    return Upload(before=head + before, image=payload.data, behind=behind)
