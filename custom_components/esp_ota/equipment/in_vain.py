"""Actions that are for something that is not there any more: Home Assistant passes them over.

A valve that got another name, a label that was taken from it, an area that it left: the sequence
ends well, and a condition on the flow may be true of a valve that nobody closed.
"""

from homeassistant.core import HomeAssistant

from ..helpers import async_said
from ..ota import Cause, SafeStateError
from .reach import Reach


def raise_if_in_vain(hass: HomeAssistant, reach: Reach, cause: Cause) -> None:
    """Raise SafeStateError where a sequence reaches nothing of all that it is for."""
    if reach.is_in_vain:
        said = [
            async_said(hass, "doubt_missing", {"entity": item}, module="")
            for item in sorted(reach.lost)
        ]
        raise SafeStateError(cause, detail=", ".join(said))
