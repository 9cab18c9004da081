"""The loop breaker of pulls: an image that failed twice in a row is not offered a third time.

A module that asks fetches whatever it is offered, restarts, and asks again. One whose new image
does not start would do so for ever, wearing out its flash with the equipment shut off.
"""

from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN, TRANSPORT_PULL
from ..library import Release
from ..modules import ModuleCoordinator
from ..ota import Cause, InstallRefused, InstallResult

TRIES: Final = 2
_TRIED_TWICE: Final = {
    Cause.CONNECTION_LOST,
    Cause.DOWNLOAD_DECLINED,
    Cause.LENGTH_LOST,
    Cause.REBOOTED,
    Cause.STALLED,
}
"""A download that breaks off was begun again within the same install already."""
_TRIED_ONCE: Final = {
    Cause.OLD_FIRMWARE_ASKS,
    Cause.OLD_VERSION_BACK,
    Cause.FILES_ASKED_AGAIN,
    Cause.FILES_NO_RESTART,
    Cause.OTHER_VERSION_BACK,
    Cause.SILENT_AFTER_DOWNLOAD,
    Cause.DID_NOT_RESTART,
    Cause.DID_NOT_COME_BACK,
    Cause.NO_RESULT,
}
ISSUE: Final = "offered_twice"


def issue_id(entry_id: str) -> str:
    """Return the id of a module's repair."""
    return f"{ISSUE}_{entry_id}"


def raise_for_third_offer(
    hass: HomeAssistant, coordinator: ModuleCoordinator, release: Release
) -> None:
    """Raise InstallRefused when this image failed twice in a row on this module."""
    entry_id = coordinator.config_entry.entry_id
    tries = coordinator.house.journal.failed_offers(entry_id, release.image.sha256)
    if coordinator.transports == [TRANSPORT_PULL] and tries >= TRIES:
        _ask(hass, coordinator, release)
        raise InstallRefused(Cause.OFFERED_TWICE, version=release.version)


async def async_count(
    hass: HomeAssistant, coordinator: ModuleCoordinator, release: Release, result: InstallResult
) -> None:
    """Count what a pull ended as; the second failure in a row is for the person to look at."""
    journal, entry = coordinator.house.journal, coordinator.config_entry
    if result.verdict.is_success:
        await journal.async_forget_offers(entry.entry_id)
        ir.async_delete_issue(hass, DOMAIN, issue_id(entry.entry_id))
        return
    tries = TRIES * (result.cause in _TRIED_TWICE) or int(result.cause in _TRIED_ONCE)
    if result.transport != TRANSPORT_PULL or not tries:
        return
    failed = await journal.async_count_offer(entry.entry_id, release.image.sha256, tries)
    if failed >= TRIES:
        _ask(hass, coordinator, release)


def _ask(hass: HomeAssistant, coordinator: ModuleCoordinator, release: Release) -> None:
    """Raise the repair whose Fix lets the image be offered again."""
    entry = coordinator.config_entry
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id(entry.entry_id),
        data={"entry_id": entry.entry_id},
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=ISSUE,
        translation_placeholders={"module": entry.title, "version": release.version},
    )
