"""How the update of a guest stands, flat and in few words: what a page shows of it."""

from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..helpers import queue_sentence
from ..ota import InstallProgress, InstallStage
from .run import GuestRun

_WITH_ITS_INTEGRATION: Final = {InstallStage.SENDING, InstallStage.VERIFYING}


def standing(hass: HomeAssistant, run: GuestRun) -> dict[str, Any]:
    """Return what an update does: its stage, how far it is (percent), or what it waits for."""
    guest = run.guest
    progress = run.turn.shown(InstallProgress(stage=run.stage))
    waits = None
    if progress.place is not None:
        waits = queue_sentence(hass, progress, guest.title)
    percent = guest.state().percent if run.stage in _WITH_ITS_INTEGRATION else None
    return {
        "name": guest.title,
        "entity": guest.entity_id,
        "stage": run.stage,
        "percent": None if percent is None else round(percent),
        "place": progress.place,
        "waits": waits,
    }
