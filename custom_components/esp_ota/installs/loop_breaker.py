"""The loop breaker: an image that failed twice in a row on a module is not sent a third time.

Whatever brings it there. An automation that updates at night, or a module that asks again after
each restart, would do so for ever, wearing out its flash with the equipment shut off.
"""

from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN, TRANSPORT_PULL
from ..house import Failure, InstallNote
from ..issues import OFFERED_TWICE, async_raise_module_issue
from ..library import Release
from ..modules import ModuleCoordinator
from ..ota import Cause, InstallRefused, InstallResult, Verdict

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
    Cause.OTHER_VERSION_BACK,
    Cause.SILENT_AFTER_DOWNLOAD,
    Cause.DID_NOT_RESTART,
    Cause.DID_NOT_COME_BACK,
    Cause.NO_RESULT,
    Cause.TOO_SLOW,
    Cause.SOAK_RESTARTED,
    Cause.SOAK_UNAVAILABLE,
}
"""The module had the image, or took of it for as long as its equipment may be shut off."""
_ONE_CAUSE: Final = {
    Cause.OLD_FIRMWARE_ASKS: Cause.OLD_FIRMWARE_BACK,
    Cause.OLD_VERSION_BACK: Cause.OLD_FIRMWARE_BACK,
    Cause.OTHER_VERSION_BACK: Cause.OLD_FIRMWARE_BACK,
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


def raise_for_third_try(
    hass: HomeAssistant, coordinator: ModuleCoordinator, release: Release, note: InstallNote
) -> None:
    """Raise InstallRefused when this image failed twice in a row on this module.

    Unless a person pressed Fix in the repair: then it is sent once more.
    """
    failure = coordinator.house.journal.failure(coordinator.config_entry.entry_id)
    if _is_enough(failure, release) and not note.get("once_more"):
        _ask(hass, coordinator, release)
        raise InstallRefused(Cause.OFFERED_TWICE, version=release.version)


async def async_count(
    hass: HomeAssistant,
    coordinator: ModuleCoordinator,
    release: Release,
    note: InstallNote,
    result: InstallResult,
) -> None:
    """Count what an install ended as; the second failure in a row is for the person to look at."""
    journal, entry_id = coordinator.house.journal, coordinator.config_entry.entry_id
    failure = journal.failure(entry_id)
    if _is_good(failure, release, result):
        await journal.async_forget_failure(entry_id)
        _take_back(hass, coordinator)
        return
    if (counted := _counted(failure, release, note, result)) is not None:
        failure = counted
        await journal.async_keep_failure(entry_id, failure)
        if not _is_enough(failure, release):
            _take_back(hass, coordinator)
    if _is_enough(failure, release):
        _ask(hass, coordinator, release)


def _is_enough(failure: Failure | None, release: Release) -> bool:
    if failure is None or failure["sha256"] != release.image.sha256:
        return False
    return max(failure["tries"], failure.get("put_back", 0)) >= TRIES


def _is_good(failure: Failure | None, release: Release, result: InstallResult) -> bool:
    """Whether what failed before may be sent again: it runs now, or another one was installed.

    Who goes back from an image has not mended it.
    """
    if result.verdict is Verdict.ROLLED_BACK:
        is_its = failure is not None and failure["sha256"] == release.image.sha256
        return result.cause is None and is_its
    return result.verdict.is_success


def _counted(
    failure: Failure | None, release: Release, note: InstallNote, result: InstallResult
) -> Failure | None:
    """Return what is to be kept, None for an ending that says nothing about the image."""
    put_back = 0
    cause: Cause | None = result.cause
    if "undoes" in note:  # what ran before was sent, with success or without
        put_back, cause = 1, Cause(note["undoes"]["cause"])
    if cause is None or not (tries := put_back or _tries(result)):
        return None
    cause = _ONE_CAUSE.get(cause, cause)
    sha256 = release.image.sha256
    if failure is not None and failure["sha256"] == sha256:
        put_back += failure.get("put_back", 0)
        if failure.get("cause", cause) == cause:
            tries += failure["tries"]
    return {"sha256": sha256, "tries": tries, "cause": str(cause), "put_back": put_back}


def _tries(result: InstallResult) -> int:
    """Return how often the module got the image for nothing in one install."""
    if result.cause in _BROKEN_OFF:
        return TRIES * (result.transport == TRANSPORT_PULL)
    refused = result.verdict is Verdict.FAILED and result.cause in _NOT_WANTED
    return int(refused or result.cause in _DELIVERED)


def _ask(hass: HomeAssistant, coordinator: ModuleCoordinator, release: Release) -> None:
    """Raise the repair whose Fix sends the image once more."""
    entry = coordinator.config_entry
    async_raise_module_issue(
        hass,
        entry.entry_id,
        OFFERED_TWICE,
        {"module": entry.title, "version": release.version},
        fix={"sha256": release.image.sha256},
    )


def _take_back(hass: HomeAssistant, coordinator: ModuleCoordinator) -> None:
    issue_id = f"{OFFERED_TWICE}_{coordinator.config_entry.entry_id}"
    ir.async_delete_issue(hass, DOMAIN, issue_id)
