"""What an install ended as, in the same words everywhere: card, event, repair, log and logbook."""

from dataclasses import dataclass
from datetime import datetime
import logging
import time
from typing import Any

from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import EVENT_UPDATE_ENDED, LOGGER
from ..helpers import async_remarks, async_sentence, reason_of
from ..house import Ended, InstallNote, Past
from ..issues import async_clear_update_issue, async_raise_update_issue
from ..library import Release
from ..ota import Cause, InstallResult, Verdict
from ..owners import Owner

_OWN_DIALOG = {Cause.WRONG_PASSWORD, Cause.PASSWORD_MISSING}
"""Home Assistant asks for the password, and raises a repair of its own for it."""
_NOTHING_TO_FIX = {Cause.SAME_IMAGE, Cause.DOWNGRADE, Cause.NOT_CERTAIN_VERSION, Cause.INTERNAL}
"""The module is as it should be, or only its log and our hands can help."""
_OWN_ISSUE = {Cause.INTERRUPTED}
"""The installer raises one that says how far it came."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Press:
    """Who wanted an install of what, and when."""

    firmware: str
    version: str
    before: str | None
    """The version that ran then, as the card showed it."""
    began: datetime
    context: Context

    @classmethod
    def now(cls, release: Release, before: str | None, context: Context) -> Press:
        """Return a press of this moment."""
        return cls(
            firmware=release.firmware,
            version=release.version,
            before=before,
            began=dt_util.utcnow(),
            context=context,
        )

    @classmethod
    def noted(cls, note: InstallNote, firmware: str) -> Press:
        """Return the press of an install that outlived Home Assistant."""
        return cls(
            firmware=firmware,
            version=note["version"],
            before=note["before"],
            began=dt_util.parse_datetime(note["started"], raise_on_error=True),
            context=Context(user_id=note.get("user")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One install that has ended, and the sentence that says how."""

    press: Press
    result: InstallResult
    sentence: str
    seconds: int
    pressed_by: str | None
    """The name of the person; None when an automation or a restart began it."""

    @property
    def is_good(self) -> bool:
        """Whether who pressed may carry on."""
        return reason_of(self.result) is None

    @property
    def attributes(self) -> dict[str, Any]:
        """Return what automations want to know besides the verdict."""
        result, press = self.result, self.press
        return {
            "cause": result.cause,
            "sentence": self.sentence,
            "firmware": press.firmware,
            "version": press.version,
            "previous_version": press.before,
            "transport": result.transport,
            "seconds": self.seconds,
            "restore_error": result.restore_error,
            "restore_unread": result.restore_unread,
            "not_safe": result.not_safe or None,
            "pressed_by": self.pressed_by,
            "user_id": press.context.user_id,
        }

    def past(self, stages: dict[str, float]) -> Past:
        """Return what is kept of it; `stages` are the seconds that it was in each."""
        return {
            "ended": round(time.time(), 1),
            "seconds": self.seconds,
            "verdict": str(self.result.verdict),
            "cause": str(self.result.cause) if self.result.cause else None,
            "sentence": self.sentence,
            "firmware": self.press.firmware,
            "version": self.press.version,
            "before": self.press.before,
            "transport": self.result.transport,
            "who": self.pressed_by,
            "stages": stages,
        }

    @property
    def ended(self) -> Ended:
        """Return what of it is shown until the next one ends."""
        return Ended(
            verdict=str(self.result.verdict),
            cause=str(self.result.cause) if self.result.cause else None,
            sentence=self.sentence,
            version=self.press.version,
            previous_version=self.press.before,
        )


async def async_outcome(
    hass: HomeAssistant, module: str, press: Press, result: InstallResult
) -> Outcome:
    """Put into words what an install ended as."""
    if reason := reason_of(result):
        cause, facts = reason
        sentence = await async_sentence(hass, cause, facts, module=module)
    else:
        facts = {"version": press.version}
        files = result.of_files and result.verdict is Verdict.UNVERIFIED
        key = "unverified_files" if files else result.verdict
        sentence = await async_sentence(hass, key, facts, module=module)
    sentence = f"{sentence} {await async_remarks(hass, result, module=module)}".rstrip()
    user_id = press.context.user_id
    user = await hass.auth.async_get_user(user_id) if user_id else None
    return Outcome(
        press=press,
        result=result,
        sentence=sentence,
        seconds=round((dt_util.utcnow() - press.began).total_seconds()),
        pressed_by=user.name if user else None,
    )


@callback
def async_tell(hass: HomeAssistant, entry: Owner, device_id: str | None, outcome: Outcome) -> None:
    """Tell the log, the repairs, the logbook and the automations."""
    result, press = outcome.result, outcome.press
    cancelled = result.verdict is Verdict.CANCELLED
    LOGGER.log(
        logging.INFO if outcome.is_good or cancelled else logging.WARNING,
        "%s: update to %s %s ended after %s s as %s%s: %s",
        entry.title,
        press.firmware,
        press.version,
        outcome.seconds,
        result.verdict,
        f" ({result.cause})" if result.cause else "",
        outcome.sentence,
    )
    _tell_repairs(hass, entry, outcome)
    ended = "update_cancelled" if cancelled else "update_failed"
    hass.bus.async_fire(
        EVENT_UPDATE_ENDED,
        {
            "type": "update_succeeded" if outcome.is_good else ended,
            "device_id": device_id,
            "module": entry.title,
            "verdict": result.verdict,
            **outcome.attributes,
        },
        context=press.context,
    )


@callback
def _tell_repairs(hass: HomeAssistant, entry: Owner, outcome: Outcome) -> None:
    """Have one repair for an update that failed, until one succeeds; none for what has another."""
    result = outcome.result
    if result.verdict is Verdict.CANCELLED:
        return  # it says nothing about what was wrong before
    if result.verdict.is_success or result.cause is None:
        async_clear_update_issue(hass, entry.entry_id)
        return
    stayed_safe = result.restore_error is Cause.DID_NOT_COME_BACK
    if stayed_safe or result.cause in _OWN_DIALOG | _NOTHING_TO_FIX | _OWN_ISSUE:
        async_clear_update_issue(hass, entry.entry_id)
        return
    async_raise_update_issue(
        hass,
        entry.entry_id,
        result.cause,
        {
            "module": entry.title,
            "version": outcome.press.version,
            "sentence": outcome.sentence,
        },
        sent=result.verdict is not Verdict.REFUSED,
    )
