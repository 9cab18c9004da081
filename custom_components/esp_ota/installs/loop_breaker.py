"""The loop breaker: an image that failed twice in a row on a module is not sent a third time.

Whatever brings it there. An automation that updates at night, or a module that asks again after
each restart, would do so for ever, wearing out its flash with the equipment shut off. A guest is
not told a third time either: of it the version stands for the image.
"""

from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN, TRANSPORT_PULL
from ..house import Failure, House, InstallNote
from ..issues import GUEST_TRIED_TWICE, OFFERED_TWICE, async_raise_module_issue
from ..ota import Cause, InstallRefused, InstallResult, Verdict
from ..owners import Owner, is_guest

TRIES: Final = 2
_BROKEN_OFF: Final = {
    Cause.CONNECTION_LOST,
    Cause.DOWNLOAD_DECLINED,
    Cause.LENGTH_LOST,
    Cause.REBOOTED,
    Cause.STALLED,
}
"""A pull that breaks off was begun twice within the same install already."""
_DELIVERED: Final = {
    Cause.OLD_FIRMWARE_ASKS,
    Cause.OLD_FIRMWARE_BACK,
    Cause.OLD_VERSION_BACK,
    Cause.FILES_ASKED_AGAIN,
    Cause.FILES_NO_RESTART,
    Cause.OTHER_IMAGE_BACK,
    Cause.OTHER_VERSION_BACK,
    Cause.SILENT_AFTER_DOWNLOAD,
    Cause.DID_NOT_RESTART,
    Cause.DID_NOT_COME_BACK,
    Cause.NO_RESULT,
    Cause.TOO_SLOW,
    Cause.SOAK_RESTARTED,
    Cause.SOAK_UNAVAILABLE,
    Cause.GUEST_FAILED,
    Cause.GUEST_GONE,
    Cause.GUEST_OTHER_VERSION,
    Cause.GUEST_TOO_SLOW,
    Cause.GUEST_UNCHANGED,
}
"""The module had the image, or took of it for as long as its equipment may be shut off; or the
integration of a guest was told."""
_ONE_CAUSE: Final = {
    Cause.OLD_FIRMWARE_ASKS: Cause.OLD_FIRMWARE_BACK,
    Cause.OLD_VERSION_BACK: Cause.OLD_FIRMWARE_BACK,
    Cause.OTHER_IMAGE_BACK: Cause.OLD_FIRMWARE_BACK,
    Cause.OTHER_VERSION_BACK: Cause.OLD_FIRMWARE_BACK,
    Cause.GUEST_FAILED: Cause.GUEST_UNCHANGED,
    Cause.GUEST_OTHER_VERSION: Cause.GUEST_UNCHANGED,
}
"""The image does not run, in other words: what else runs is the old firmware the next time."""
_NOT_WANTED: Final = {
    Cause.BAD_SIZE,
    Cause.BOOT_STRAP,
    Cause.COULD_NOT_ACTIVATE,
    Cause.FLASH_CONFIG,
    Cause.FLASH_FAILED,
    Cause.MD5_MISMATCH,
    Cause.NO_SPACE,
    Cause.NO_SPACE_FILES,
    Cause.REJECTED,
    Cause.REJECTED_BY_PAGE,
    Cause.SIGNATURE,
    Cause.WRONG_MAGIC,
}
"""The module's own no; once bytes had left it will be the same to the same bytes."""


def raise_for_third_try(hass: HomeAssistant, house: House, owner: Owner, note: InstallNote) -> None:
    """Raise InstallRefused when this image failed twice in a row on this module, or guest.

    Unless a person pressed Fix in the repair: then it is sent once more.
    """
    failure = house.journal.failure(owner.entry_id)
    if _is_enough(failure, note) and not note.get("once_more"):
        _ask(hass, owner, note)
        raise InstallRefused(Cause(_key(owner)), version=note["version"])


async def async_count(
    hass: HomeAssistant, house: House, owner: Owner, note: InstallNote, result: InstallResult
) -> None:
    """Count what an install ended as; the second failure in a row is for the person to look at."""
    journal, entry_id = house.journal, owner.entry_id
    failure = journal.failure(entry_id)
    if _is_good(failure, note, result):
        await journal.async_forget_failure(entry_id)
        _take_back(hass, owner)
        return
    if (counted := _counted(failure, note, result)) is not None:
        failure = counted
        await journal.async_keep_failure(entry_id, failure)
        if not _is_enough(failure, note):
            _take_back(hass, owner)
    if _is_enough(failure, note):
        _ask(hass, owner, note)


def _is_enough(failure: Failure | None, note: InstallNote) -> bool:
    if failure is None or failure["sha256"] != note["sha256"]:
        return False
    return max(failure["tries"], failure.get("put_back", 0)) >= TRIES


def _is_good(failure: Failure | None, note: InstallNote, result: InstallResult) -> bool:
    """Whether what failed before may be sent again: it runs now, or another one was installed.

    Who goes back from an image has not mended it.
    """
    if result.verdict is Verdict.ROLLED_BACK:
        is_its = failure is not None and failure["sha256"] == note["sha256"]
        return result.cause is None and is_its
    return result.verdict.is_success


def _counted(failure: Failure | None, note: InstallNote, result: InstallResult) -> Failure | None:
    """Return what is to be kept, None for an ending that says nothing about the image.

    Nor for one that was counted already, before a crash that kept the journal from knowing.
    """
    if failure is not None and failure.get("started") == note["started"]:
        return None
    put_back = 0
    cause: Cause | None = result.cause
    if "undoes" in note:  # what ran before was sent, with success or without
        put_back, cause = 1, Cause(note["undoes"]["cause"])
    if cause is None or not (tries := put_back or _tries(result)):
        return None
    cause = _ONE_CAUSE.get(cause, cause)
    sha256 = note["sha256"]
    if failure is not None and failure["sha256"] == sha256:
        put_back += failure.get("put_back", 0)
        if failure.get("cause", cause) == cause:
            tries += failure["tries"]
    return {
        "sha256": sha256,
        "tries": tries,
        "cause": str(cause),
        "put_back": put_back,
        "started": note["started"],
    }


def _tries(result: InstallResult) -> int:
    """Return how often the module got the image for nothing in one install."""
    if result.cause in _BROKEN_OFF:
        return TRIES * (result.transport == TRANSPORT_PULL)
    refused = result.verdict is Verdict.FAILED and result.cause in _NOT_WANTED
    return int(refused or result.cause in _DELIVERED)


def _ask(hass: HomeAssistant, owner: Owner, note: InstallNote) -> None:
    """Raise the repair whose Fix sends the image once more."""
    fix = {"sha256": note["sha256"]}
    if (answer := note.get("guest", {}).get("answer")) is not None:
        fix["answer"] = str(answer)
    async_raise_module_issue(
        hass,
        owner.entry_id,
        _key(owner),
        {"module": owner.title, "version": note["version"]},
        fix=fix,
    )


def _take_back(hass: HomeAssistant, owner: Owner) -> None:
    ir.async_delete_issue(hass, DOMAIN, f"{_key(owner)}_{owner.entry_id}")


def _key(owner: Owner) -> str:
    return GUEST_TRIED_TWICE if is_guest(owner.entry_id) else OFFERED_TWICE
