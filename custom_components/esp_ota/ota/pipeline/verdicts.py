"""What an install ended as, all in all: cancelled at some point, or a way back to what ran."""

from dataclasses import replace
from typing import Final

from ..causes import Cause
from ..models import InstallResult, ModuleFacts, Verdict

CANCELLED: Final = InstallResult(verdict=Verdict.CANCELLED, cause=Cause.CANCELLED)
GOES_BACK: Final = frozenset(
    {Cause.OTHER_VERSION_BACK, Cause.SOAK_RESTARTED, Cause.SOAK_UNAVAILABLE}
)
"""The module is there and runs what it should not: sending what ran before can help."""
_LEAVES_OPEN: Final = frozenset(
    {
        Cause.CANCELLED_LATE,
        Cause.DID_NOT_COME_BACK,
        Cause.DID_NOT_RESTART,
        Cause.INTERRUPTED,
        Cause.NO_RESULT,
        Cause.OTHER_IMAGE_BACK,
        Cause.ROLLBACK_FAILED,
        Cause.SILENT_AFTER_DOWNLOAD,
        Cause.SOAK_RESTARTED,
        Cause.SOAK_UNAVAILABLE,
    }
)
"""The module may have all of the image: it runs it now, or from its next restart on."""
_MAY_LEAVE_OPEN: Final = frozenset({Cause.INTERNAL, Cause.SAFE_STATE_BROKEN, Cause.WRONG_MODULE})
"""They end an install wherever it is; they leave it open when all of the image had left."""
FILES_REFUSED: Final = frozenset({Cause.FILES_ASKED_AGAIN, Cause.FILES_NO_RESTART})
"""All of the files went there, and it did not take them."""


def goes_back(result: InstallResult, *, files_touched: bool) -> bool:
    """Whether something is to be put back: what ran before, or the files that came before it.

    A module that is back with its old sketch runs what it should already.
    """
    return result.cause in GOES_BACK or (files_touched and result.verdict is Verdict.UNCHANGED)


def leaves_open(result: InstallResult, *, has_image: bool | None) -> bool:
    """Whether an image that was sent may run, now or later, without anybody's having heard it.

    `has_image` is whether the module may have all of it, None where only the result is known.
    """
    if has_image is False or result.verdict not in {Verdict.FAILED, Verdict.CANCELLED}:
        return False
    return result.cause in (_LEAVES_OPEN | _MAY_LEAVE_OPEN if has_image else _LEAVES_OPEN)


def cancelled_with(version: str, *, has_image: bool, files_touched: bool) -> InstallResult:
    """Return what it is when somebody ends it now: what the module has, it may run."""
    if has_image:
        return replace(CANCELLED, cause=Cause.CANCELLED_LATE, facts={"version": version})
    if files_touched:
        return replace(CANCELLED, cause=Cause.CANCELLED_FILES, facts={"version": version})
    return CANCELLED


def undone(result: InstallResult, failed: InstallResult, back_to: str) -> InstallResult:
    """Return what an install is that went back to `back_to` because of a failure.

    Without a cause of the failure a person wanted it: then its own trouble is the answer.
    """
    facts = {"failed": failed.facts.get("version", ""), "back_to": back_to}
    if result.verdict.is_success:
        facts |= failed.facts
        return replace(result, verdict=Verdict.ROLLED_BACK, cause=failed.cause, facts=facts)
    if failed.cause is None:
        return result
    facts = result.facts | facts | {"because": str(result.cause)}
    return replace(result, verdict=Verdict.FAILED, cause=Cause.ROLLBACK_FAILED, facts=facts)


def found_out(result: InstallResult, before: ModuleFacts) -> InstallResult:
    """Return what is told of an install whose image was on its way when Home Assistant died.

    Another version than the wanted one says something only where it is known what ran before.
    """
    known = before.version is not None or before.sketch_md5 is not None
    if result.verdict is Verdict.VERIFIED or (known and result.cause in GOES_BACK):
        return result
    return InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERRUPTED)
