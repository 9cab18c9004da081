"""Find out what kind of update page a module has, by looking only.

First the addresses that exist for one kind alone, then the page itself and its fields. Tasmota
names itself in every reply; its own page is not asked for, because that changes what the module
takes the next upload for. WiFiOTA is known by its port: it calls the sketch's `onStart` for any
visitor, and a sketch may switch its equipment off there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
import re
from typing import Final

from ..causes import Cause
from ..exceptions import ModuleAuthError, ModuleConnectionError
from ._dialects import UploadDialect
from ._http import Reply
from ._verdict import is_login, wants_password
from ._web import Web

WIFI_OTA_PORT: Final = 65280
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sign:
    """What tells one dialect: a text in what an address shows."""

    dialect: UploadDialect
    pattern: re.Pattern[bytes]


def _sign(dialect: UploadDialect, pattern: bytes) -> _Sign:
    return _Sign(dialect=dialect, pattern=re.compile(pattern))


_SERVER_SIGN: Final = re.compile(r"Tasmota/")
_PAGE_SIGNS: Final = (
    _sign(UploadDialect.ELEGANT_OTA, rb"/ota/start"),
    _sign(UploadDialect.UPDATE_SERVER, rb"name\s?=\s?['\"]?filesystem\b"),
    _sign(UploadDialect.ESP_EASY, rb"name\s?=\s?['\"]?firmware\b"),
    _sign(UploadDialect.WEB_UPDATE, rb"name\s?=\s?['\"]?update\b"),
)
_IDENTITIES: Final = {
    "/prettyota/queryPrettyOTAInfo": (_sign(UploadDialect.PRETTY_OTA, rb'"prettyotaVersion"'),),
    "/update/identity": (_sign(UploadDialect.ASYNC_ELEGANT_OTA, rb'"hardware"'),),
}


async def recognise_at(
    web: Web, port: int, *, path: str = "/update", password_known: bool
) -> UploadDialect:
    """Return the dialect of a web server; raises ModuleConnectionError or ModuleAuthError.

    `path` is where the update page is looked for, besides the front page.
    """
    if port == WIFI_OTA_PORT:
        return UploadDialect.WIFI_OTA
    seen: list[tuple[str, Reply]] = []
    for page, signs in (_IDENTITIES | {path: _PAGE_SIGNS, "/": _PAGE_SIGNS}).items():
        reply = await web.ask(page)
        if reply is None:
            raise ModuleConnectionError(Cause.HTTP_NO_ANSWER)
        if reply.status == _UNAUTHORIZED:
            raise wants_password(known=password_known)
        if _SERVER_SIGN.match(reply.headers.get("server", "")):
            return UploadDialect.TASMOTA
        for sign in signs:
            if reply.is_success and sign.pattern.search(reply.page):
                return sign.dialect
        if page == path and is_login(reply):
            raise ModuleAuthError(Cause.LOGIN_REQUIRED)
        seen.append((page, reply))
    raise ModuleConnectionError(Cause.UNKNOWN_DIALECT, text=", ".join(_told(seen)))


def _told(seen: list[tuple[str, Reply]]) -> Iterator[str]:
    """Say what was found where, the pages a person knows first."""
    for page, reply in reversed(seen):
        status = "?" if reply.status is None else reply.status
        what = "login" if is_login(reply) else f"{reply.text[:40]!r}"
        yield f"{page}: {status} {what}"
