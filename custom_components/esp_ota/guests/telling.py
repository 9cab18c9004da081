"""How an update of a guest is told: log, logbook, event and repairs, in the words of all others."""

from homeassistant.core import HomeAssistant

from ..issues import async_raise_module_issue
from ..modules import Press, async_outcome, async_tell
from ..ota import Cause, InstallResult, Verdict
from .guest import Guest


async def async_end(hass: HomeAssistant, guest: Guest, press: Press, result: InstallResult) -> str:
    """Tell how it ended and close the journal; return the sentence."""
    outcome = await async_outcome(hass, guest.title, press, result)
    device = guest.device
    async_tell(hass, guest, device.id if device else None, outcome)
    if result.not_safe:
        placeholders = {"module": guest.title, "version": press.version}
        async_raise_module_issue(
            hass, guest.entry_id, "not_safe", placeholders | {"unmet": result.not_safe}
        )
    if result.restore_error is not None:
        if hass.is_stopping:
            return outcome.sentence  # the open journal restores at the next start
        stayed = result.restore_error is Cause.DID_NOT_COME_BACK
        async_raise_module_issue(
            hass,
            guest.entry_id,
            "stayed_safe" if stayed else "restore_failed",
            {"module": guest.title, "detail": result.restore_facts.get("detail", "")},
        )
    await _async_remember(guest, press, result)
    await guest.house.journal.async_close(guest.entry_id)
    return outcome.sentence


async def _async_remember(guest: Guest, press: Press, result: InstallResult) -> None:
    """Keep how it ended, for a rollout that a crash has kept from hearing it."""
    journal, key = guest.house.journal, guest.entry_id
    if result.verdict.is_success:
        await journal.async_remember(
            key, {"version": press.version, "firmware": press.firmware, "assumed": False}
        )
        await journal.async_forget_failure(key)
    elif result.verdict in {Verdict.FAILED, Verdict.UNCHANGED}:
        cause = str(result.cause)
        await journal.async_keep_failure(key, {"sha256": press.version, "tries": 1, "cause": cause})
