"""PrettyOTA's own login: a session cookie for the MD5 of the password (`PrettyOTA.cpp`)."""

import hashlib
import json
import re
from typing import Any, Final

from ..causes import Cause
from ..exceptions import ModuleConnectionError
from ._dialects import Manners
from ._verdict import admit, wants_password
from ._web import Web

_INFO: Final = "/prettyota/queryPrettyOTAInfo"
_LOGIN: Final = "/login"
_VERSION: Final = re.compile(rb'"prettyotaVersion"')
_PATH: Final = re.compile(r"/[!-~]{0,100}")


async def log_in(web: Web, manners: Manners, username: str, password: str | None) -> None:
    """Get a session where the module wants one; raises ModuleAuthError when it gives none.

    The module keeps five sessions, in its flash, and drops the oldest for a new one.
    """
    known = password is not None
    reply = admit(await web.ask(_INFO), _INFO, manners, password_known=known, shows=_VERSION)
    info = _json(reply.page)
    if not info.get("authenticationEnabled"):
        return
    if password is None:
        raise wants_password(known=False)
    page = info.get("loginURL")
    path = page if isinstance(page, str) and _PATH.fullmatch(page) else _LOGIN
    digest = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    body = json.dumps({"userId": username, "password": digest}).encode()
    answer = await web.ask(path, method="POST", body=body, kind="application/json")
    session = admit(answer, path, manners, password_known=True)
    # The module compares the whole header: exactly this one cookie, without its attributes.
    cookie = session.headers.get("set-cookie", "").partition(";")[0]
    if not cookie:
        raise ModuleConnectionError(Cause.HTTP_ERROR, text=f"{path}: {session.text}")
    web.carry(cookie)


def _json(page: bytes) -> dict[str, Any]:
    try:
        found = json.loads(page)
    except ValueError, RecursionError:
        return {}
    return found if isinstance(found, dict) else {}
