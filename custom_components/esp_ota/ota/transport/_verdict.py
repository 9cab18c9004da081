"""What an update page's answer means: status and body together.

The update servers of all cores answer 200 when they refuse an image, Tasmota does so in the
module's language, and the `WebUpdate` examples say `FAIL` and nothing else.
"""

import re
from typing import Final

from ..causes import Cause
from ..exceptions import (
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
    OtaError,
    TransferError,
)
from ..models import Delivery
from ._dialects import Manners
from ._http import Reply, plain
from ._replies import rejection

_UNAUTHORIZED: Final = 401
_NO_SUCH_PAGE: Final = {404, 405, 501}
_REFUSING: Final = {400, 409, 413, 414, 422, 500}
_BUSY: Final = 503
_REDIRECTS: Final = range(300, 400)

_BY_WORDS: Final = (
    ("wrong origin", Cause.WRONG_ORIGIN),
    ("already running", Cause.BUSY),
    ("not enough free space", Cause.NO_SPACE),
    ("too large", Cause.NO_SPACE),
    ("size wrong", Cause.BAD_SIZE),
    ("larger than real flash", Cause.FLASH_CONFIG),
    ("out_of_memory", Cause.OUT_OF_MEMORY),
    ("md5 parameter", Cause.REJECTED),
    ("hash does not match", Cause.MD5_MISMATCH),
    ("magic_byte", Cause.WRONG_MAGIC),
)
_ONLY_NO: Final = {
    "could not end ota",
    "error",
    "fail",
    "failed",
    "ota could not begin",
    "update error",
    "update fail",
    "update failed",
}
"""Nothing but no, in the words of `WebUpdate` and of AsyncElegantOTA."""
_NEGATIVE: Final = re.compile(
    r"fail|error|invalid|wrong|denied|refus|reject|abort|unable|could ?n[o']t|cannot|not enough",
    re.IGNORECASE,
)
_NO_WORDS: Final = "Update error:"
_PASSWORD_FIELD: Final = re.compile(rb"<input\b[^<>]*\btype\s*=\s*['\"]?password", re.IGNORECASE)


def wants_password(*, known: bool) -> ModuleAuthError:
    """Return the error for a module that did not let us in."""
    return ModuleAuthError(Cause.WRONG_PASSWORD if known else Cause.PASSWORD_MISSING)


def refusal(text: str) -> ModuleRejectedImage:
    """Return the error for the words of an update page."""
    lower = text.lower()
    if lower.strip(" .!") in _ONLY_NO:
        return ModuleRejectedImage(Cause.REJECTED_BY_PAGE, text=text)
    cause = next((cause for words, cause in _BY_WORDS if words in lower), None)
    if cause is not None:
        return ModuleRejectedImage(cause, text=text)
    return rejection(text.encode())


def admit(
    reply: Reply | None,
    path: str,
    manners: Manners,
    *,
    password_known: bool,
    shows: re.Pattern[bytes] | None = None,
) -> Reply:
    """Return the reply of a page that let us in, and shows what it has to.

    Raises the OtaError that says why it did not; no byte of an image has been sent then.
    """
    if reply is None:
        if manners.silence is Cause.WRONG_ORIGIN:
            raise ModuleRejectedImage(Cause.FOREIGN_ORIGIN)
        raise ModuleConnectionError(manners.silence)
    if reply.status == _UNAUTHORIZED:
        raise wants_password(known=password_known)
    if reply.status in _NO_SUCH_PAGE:
        raise ModuleConnectionError(Cause.PAGE_NOT_FOUND, path=path)
    if reply.status in _REFUSING and path != manners.check:
        raise refusal(_own_words(reply, manners))
    if reply.is_success and (shows is None or shows.search(reply.page)):
        return reply
    if is_login(reply):
        raise ModuleAuthError(Cause.LOGIN_REQUIRED)
    cause = Cause.UNKNOWN_DIALECT if reply.is_success else Cause.HTTP_ERROR
    raise ModuleConnectionError(cause, text=reply.text or f"HTTP {reply.status}")


def is_login(reply: Reply) -> bool:
    """Tell whether a page is there to ask for a password, or leads to one that does."""
    if reply.status in _REDIRECTS:
        return "login" in reply.headers.get("location", "").lower()
    return reply.is_success and _PASSWORD_FIELD.search(reply.page) is not None


def delivery(reply: Reply, path: str, manners: Manners, *, password_known: bool) -> Delivery:
    """Tell what the answer to a whole upload means; raises the OtaError that says why not."""
    if reply.status is None:
        return Delivery.UNCONFIRMED
    if reply.is_success and manners.accepted.search(reply.page):
        return Delivery.ACCEPTED
    error = _refused(reply, path, manners, password_known=password_known)
    if error is not None:
        raise error
    # Words of the sketch's own author. Every byte arrived: the evidence decides.
    return Delivery.UNCONFIRMED


def _refused(reply: Reply, path: str, manners: Manners, *, password_known: bool) -> OtaError | None:
    if reply.status == _UNAUTHORIZED:
        return wants_password(known=password_known)
    if reply.status in _NO_SUCH_PAGE:
        return ModuleRejectedImage(Cause.PAGE_NOT_FOUND, path=path)
    if reply.status == _BUSY:
        return ModuleRejectedImage(Cause.BUSY, text=reply.text)
    if is_login(reply):
        return ModuleAuthError(Cause.LOGIN_REQUIRED)
    words = _own_words(reply, manners)
    if reply.is_success and _complains(reply, manners) and plain(reply.page) == _NO_WORDS:
        # `Update.end(true)` of an ESP8266 stages an image whose last sector it could not write.
        return TransferError(Cause.END_NOT_WRITTEN)
    if reply.is_success and not (_complains(reply, manners) or _NEGATIVE.search(words)):
        return None
    error = refusal(words)
    if error.cause is manners.leftovers:
        # The module has dropped them now, so the next try can succeed.
        return TransferError(error.cause, **error.facts)
    return error


def _complains(reply: Reply, manners: Manners) -> bool:
    """Tell whether a page without the sign of success has the place for the module's words."""
    return manners.said is not None and manners.said[0] in reply.page


def _own_words(reply: Reply, manners: Manners) -> str:
    """Return what the module itself said, without the page around it."""
    page = reply.page
    if manners.said is not None and (at := page.find(manners.said[0])) >= 0:
        end = page.find(manners.said[1], at) if manners.said[1] else len(page)
        page = page[at : end if end >= 0 else len(page)]
    return plain(page).removeprefix("Update error:").strip() or reply.text
