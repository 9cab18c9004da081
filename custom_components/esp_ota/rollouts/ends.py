"""What became of one module of a rollout: by what its update ended as, or by what it has left."""

from homeassistant.core import HomeAssistant

from ..helpers import async_said, reason_of
from ..house import HOUSE, restored_result
from ..ota import InstallResult, MemberState, Verdict, same_version
from ..owners import is_guest
from .note import MemberNote, RolloutNote
from .selection import card_of, is_skipped, runtime_of

type End = tuple[MemberState, str, str | None]
"""How it stands, the sentence that says so, and a word for programs."""


def judged(result: InstallResult) -> MemberState:
    """Return what an install's end means for a rollout: a broken restore is always a failure."""
    if reason_of(result) is None:
        return MemberState.UPDATED
    if result.restore_error is not None or result.not_safe:
        return MemberState.FAILED
    endings = {
        Verdict.REFUSED: MemberState.REFUSED,
        Verdict.CANCELLED: MemberState.CANCELLED,
    }
    return endings.get(result.verdict, MemberState.FAILED)


def left_behind(hass: HomeAssistant, note: RolloutNote, member: MemberNote) -> End | None:
    """Return how an update ended of which nobody told us, None where it had not begun.

    What failed before the rollout began is for the loop breaker.
    """
    journal, entry_id, since = hass.data[HOUSE].journal, member["entry_id"], note["began"]
    if (end := journal.end_for(note["id"], entry_id)) and end["sha256"] == member["sha256"]:
        result = restored_result(end["result"])
        return judged(result), end["sentence"], str(result.cause) if result.cause else None
    failure = journal.failure(entry_id)
    is_its = failure is not None and failure["sha256"] == member["sha256"]
    if failure is not None and is_its and failure.get("started", since) >= since:
        return MemberState.FAILED, _said(hass, member, "rollout_ended_meanwhile"), None
    known = journal.known(entry_id)
    if known is not None and same_version(known["version"] or "", member["version"]):
        return MemberState.UPDATED, _said(hass, member, "verified"), None
    return None


def not_wanted(hass: HomeAssistant, member: MemberNote) -> End | None:
    """Return why a module that was planned is not updated now, None where it is.

    What the gate asks is asked by the install itself, as is whether a guest is there.
    """
    if is_guest(member["entry_id"]):
        return None
    entry = hass.config_entries.async_get_entry(member["entry_id"])
    if entry is None:
        return MemberState.REFUSED, _said(hass, member, "rollout_removed"), "removed"
    if (runtime := runtime_of(entry, is_starting=True)) is None:
        return MemberState.REFUSED, _said(hass, member, "rollout_left_out_not_loaded"), "not_loaded"
    if hass.data[HOUSE].library.get(member["sha256"]) is None:
        return MemberState.REFUSED, _said(hass, member, "rollout_release_gone"), "release_gone"
    if same_version(member["version"], runtime.coordinator.data.installed or ""):
        return MemberState.UPDATED, _said(hass, member, "rollout_left_out_has_it"), "has_it"
    if is_skipped(hass, card_of(hass, entry), member["version"]):
        return MemberState.REFUSED, _said(hass, member, "rollout_left_out_skipped"), "skipped"
    return None


def _said(hass: HomeAssistant, member: MemberNote, key: str) -> str:
    return async_said(hass, key, {"version": member["version"]}, module=member["module"])
