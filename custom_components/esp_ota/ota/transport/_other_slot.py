"""PrettyOTA's own way back: start the sketch in the slot that the last update did not touch.

It only asks whether something there can boot (`ESPUpdateManager.cpp`); what that is, the module
says after the restart.
"""

from collections.abc import Callable
import json
import re
from typing import Final

from ..causes import Cause
from ..exceptions import InstallRefused
from ..models import Delivery
from ._dialects import Manners
from ._verdict import admit, delivery
from ._web import Web

_INFO: Final = "/prettyota/queryInfo"
_SWITCH: Final = "/prettyota/doRollback"
_POSSIBLE: Final = re.compile(rb'"rollbackPossible"')


async def switch_back(
    web: Web, manners: Manners, before_switch: Callable[[], None], *, password_known: bool
) -> Delivery:
    """Let the module start its other slot; raises the OtaError that says why it does not."""
    info = admit(
        await web.ask(_INFO), _INFO, manners, password_known=password_known, shows=_POSSIBLE
    )
    if not _is_possible(info.page):
        raise InstallRefused(Cause.NO_OTHER_SLOT)
    before_switch()
    answer = await web.ask(_SWITCH, method="POST")
    if answer is None:
        return Delivery.UNCONFIRMED
    return delivery(answer, _SWITCH, manners, password_known=password_known)


def _is_possible(page: bytes) -> bool:
    try:
        found = json.loads(page)
    except ValueError, RecursionError:
        return False
    return isinstance(found, dict) and found.get("rollbackPossible") is True
