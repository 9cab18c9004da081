"""What follows from how an install ended: it is learnt from, told, and the journal closed."""

from homeassistant.core import HomeAssistant

from ..const import CONF_REFUSED_BY
from ..helpers import spelled_out
from ..house import House, InstallNote
from ..issues import async_clear_update_issue, async_raise_module_issue
from ..library import Release
from ..modules import ModuleCoordinator, Outcome, Press, async_outcome, async_tell
from ..ota import Cause, Delivery, ImageKind, InstallResult, Verdict, leaves_open, same_version
from ..owners import Owner
from .loop_breaker import async_count
from .rollback import asks, to_put_back


async def async_finish(
    hass: HomeAssistant,
    coordinator: ModuleCoordinator,
    note: InstallNote,
    press: Press,
    result: InstallResult,
    *,
    touched: bool = False,
    has_image: bool | None = None,
) -> None:
    """See to everything that comes after one install; `touched` tells whether files were sent.

    `has_image` is whether the module may have all of the sketch, None where nobody knows any more.
    """
    entry = coordinator.config_entry
    coordinator.desk.dismiss()
    await coordinator.house.pace.turn()  # hundreds may end at once, when all are taken back
    if (release := coordinator.house.library.get(note["sha256"])) is not None:
        await async_count(hass, coordinator.house, entry, note, result)
        await _async_learn(coordinator, note, release, result, has_image=has_image)
    outcome = await async_tell_all(hass, coordinator, press, result)
    await coordinator.house.assignments.on_end(entry.entry_id, note, result, outcome.sentence)
    if result.cause is Cause.INTERRUPTED and result.restore_error is None:
        _ask_again(hass, coordinator, note)
    elif asks(entry) and (
        back := to_put_back(coordinator, result, note["sha256"], touched=touched)
    ):
        _ask_back(hass, coordinator, note, back)
    if result.cause in {Cause.WRONG_PASSWORD, Cause.PASSWORD_MISSING}:
        entry.async_start_reauth(hass, data={CONF_REFUSED_BY: result.transport})
    await async_close(hass, coordinator.house, entry, note, result, outcome.sentence)


async def _async_learn(
    coordinator: ModuleCoordinator,
    note: InstallNote,
    release: Release,
    result: InstallResult,
    *,
    has_image: bool | None,
) -> None:
    """Take what runs now, and that it runs well; or that nobody knows any more what runs."""
    journal, entry_id = coordinator.house.journal, coordinator.config_entry.entry_id
    replaced = note.get("replaces", "")
    if result.verdict is Verdict.ROLLED_BACK:
        if (back := coordinator.house.library.get(note.get("back_to", ""))) is not None:
            replaced, release = release.image.sha256, back
    elif not result.verdict.is_success:
        _doubt_files(coordinator, note, release, result)
        is_in_doubt = _doubt(coordinator, note, release, result, has_image=has_image)
        if is_in_doubt and replaced:  # what somebody wanted to go back from is not gone back to
            await journal.async_proved(entry_id, release.image.sha256, instead_of=replaced)
        if result.cause is Cause.DID_NOT_COME_BACK and coordinator.data.reachable:
            coordinator.presence.async_left()
        return
    if release.image.kind is ImageKind.FILESYSTEM:
        coordinator.async_delivered(release.image, Delivery.ACCEPTED)
        return
    stated = result.version
    coordinator.async_set_installed(
        stated or release.version, release.firmware, assumed=stated is None
    )
    await journal.async_proved(entry_id, release.image.sha256, instead_of=replaced)


def _doubt(
    coordinator: ModuleCoordinator,
    note: InstallNote,
    release: Release,
    result: InstallResult,
    *,
    has_image: bool | None,
) -> bool:
    """Take back what was only assumed to run, where the module may run another version now."""
    data = coordinator.data
    was_sent = result.cause is not Cause.INTERRUPTED or note.get("looks", False)
    is_other = not same_version(release.version, data.installed or "")
    is_sketch = release.image.kind is ImageKind.SKETCH
    may_run = was_sent and is_other and is_sketch and leaves_open(result, has_image=has_image)
    if may_run and data.assumed:
        coordinator.async_set_installed(None, None, assumed=False)
    return may_run


def _doubt_files(
    coordinator: ModuleCoordinator, note: InstallNote, release: Release, result: InstallResult
) -> None:
    """Forget which files a module has, where others were written over them in part."""
    is_assigned = coordinator.is_assigned(release)
    files = coordinator.house.library.companion(release, assigned=is_assigned)
    have = coordinator.facts().filesystem_sha256
    were_on_their_way = note.get("looks", False) and files and files.image.sha256 != have
    cancelled = result.cause is Cause.CANCELLED_FILES
    is_files = release.image.kind is ImageKind.FILESYSTEM
    left = result.cause is Cause.CANCELLED_LATE and is_files and have != release.image.sha256
    if result.files_incomplete or cancelled or left or were_on_their_way:
        coordinator.knowledge.files_doubted()


async def async_tell_all(
    hass: HomeAssistant, coordinator: ModuleCoordinator, press: Press, result: InstallResult
) -> Outcome:
    """Say it in the same words to everybody: card, event, repair, log, logbook."""
    outcome = await async_outcome(hass, coordinator.config_entry.title, press, result)
    coordinator.async_set_outcome(outcome)
    device = coordinator.device
    async_tell(hass, coordinator.config_entry, device.id if device else None, outcome)
    return outcome


def async_tell_interrupted(
    hass: HomeAssistant, coordinator: ModuleCoordinator, note: InstallNote
) -> None:
    """Say that a try of a safe state was interrupted."""
    entry = coordinator.config_entry
    placeholders = {"module": entry.title, "version": note["version"]}
    async_raise_module_issue(hass, entry.entry_id, "interrupted_try", placeholders)


def _ask_again(hass: HomeAssistant, coordinator: ModuleCoordinator, note: InstallNote) -> None:
    """Offer to run an install again that a dead Home Assistant left."""
    entry = coordinator.config_entry
    async_clear_update_issue(hass, entry.entry_id)  # this one says more
    async_raise_module_issue(
        hass,
        entry.entry_id,
        "interrupted",
        {"module": entry.title, "version": note["version"]},
        fix={"sha256": note["sha256"]},
    )


def _ask_back(
    hass: HomeAssistant, coordinator: ModuleCoordinator, note: InstallNote, back: Release
) -> None:
    """Offer to put back what ran before."""
    entry, outcome = coordinator.config_entry, coordinator.data.outcome
    assert outcome is not None
    async_clear_update_issue(hass, entry.entry_id)  # this one can do something about it
    async_raise_module_issue(
        hass,
        entry.entry_id,
        "roll_back",
        {
            "module": entry.title,
            "version": note["version"],
            "back_to": back.version,
            "sentence": outcome.sentence,
        },
        fix={"sha256": back.image.sha256, "replaces": note["sha256"]},
    )


async def async_close(
    hass: HomeAssistant,
    house: House,
    owner: Owner,
    note: InstallNote,
    result: InstallResult,
    sentence: str = "",
) -> None:
    """Close the journal, and tell when the equipment was not safe, or not restored."""
    if result.not_safe:
        placeholders = {"version": note["version"], "unmet": result.not_safe}
        async_raise_module_issue(
            hass, owner.entry_id, "not_safe", {"module": owner.title} | placeholders
        )
    if result.restore_error is not None:
        if hass.is_stopping:
            return  # no sequence runs any more; the open journal restores at the next start
        _tell_restore(hass, owner, result)
    await house.journal.async_close(owner.entry_id, result, sentence)


def _tell_restore(hass: HomeAssistant, owner: Owner, result: InstallResult) -> None:
    facts = spelled_out(hass, result.restore_facts, module=owner.title)
    stayed = result.restore_error is Cause.DID_NOT_COME_BACK
    async_raise_module_issue(
        hass,
        owner.entry_id,
        "stayed_safe" if stayed else "restore_failed",
        {"module": owner.title, "detail": facts.get("detail", "")},
    )
