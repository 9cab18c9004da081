"""Whether what Home Assistant told is what was true inside the module at that moment."""

from collections.abc import Callable, Iterator
from typing import Final

from .evil.kinds import LIARS
from .history import History, Told
from .plan import NEW, OLD, PULL, WAITS

SLACK: Final = 0.5
"""Seconds by which two processes on a busy machine may see the same moment apart."""
_RESTORES: Final = 2.5
"""Seconds from the evidence to the telling, at most: a restore has 2 s."""

type Lies = Callable[[History, Told], bool]


def the_verdict_is_the_truth(run: History) -> Iterator[str]:
    """Compare what was told with what the module ran then, and with what the wire had seen.

    Of a module that lies about itself nobody can know it.
    """
    if run.plan.evil in LIARS:
        return
    for told in run.told:
        judge = (_OF_CAUSE if told.verdict == "failed" else _OF_VERDICT).get(
            (told.cause if told.verdict == "failed" else told.verdict) or "", _runs_new_unharmed
        )
        if judge(run, told):
            ran, ends = sorted(map(str, _ran(run, told))), run.version_at_end
            yield f"told {told.verdict}({told.cause}) while it ran {ran}, and {ends} in the end"


def _ran(run: History, told: Told) -> set[str | None]:
    """Return what may be seen as running when it was told.

    What loses its power to move while its equipment is restored was heard before that.
    """
    since, moved = told.at - SLACK, run.moved_at
    if moved is not None and since - _RESTORES < moved < since:
        since = moved - 0.1
    return run.ran_within(since, told.at + 0.1)


def _says(run: History) -> bool:
    """Whether the module says of itself what it runs."""
    return bool(run.plan.config["txt_firmware"])


def _before(run: History, told: Told, name: str) -> list[float]:
    return [at for at in run.times(name) if at < told.at]


def _verified(run: History, told: Told) -> bool:
    return NEW not in _ran(run, told) or not _before(run, told, "installed")


def _unverified(run: History, told: Told) -> bool:
    ran = _ran(run, told)
    return ran == {None} or (_says(run) and ran == {OLD})


def _runs_old(run: History, told: Told) -> bool:
    return OLD not in _ran(run, told)


def _refused(run: History, told: Told) -> bool:
    return bool(_before(run, told, "first_byte")) and told.same_life and not run.deaths


def _cancelled(run: History, told: Told) -> bool:
    """Nothing more comes of it: the old firmware runs on, for good, or until another install."""
    late = told.cause in {"cancelled_late", "guest_cancelled_late"}
    anew = run.in_rollout and any(mark.at > told.at for mark in run.marked("begun"))
    return not late and not anew and run.version_at_end not in {OLD, None}


def _away(run: History, told: Told) -> bool:
    if run.plan.door == PULL:  # it may be there and not ask
        return False
    waited = run.ran_within(told.at - WAITS["back"] + SLACK, told.at - SLACK)
    return None not in waited


def _did_not_restart(run: History, told: Told) -> bool:
    """Of one that is not heard, a restart during the wait for its answer is not seen."""
    restarts = [at for at in run.times("restarted") if at < told.at - SLACK]
    heard = _says(run) and run.card is not None and run.card["installed_version"] == NEW
    return bool(restarts) and heard and NEW in run.ran_within(restarts[-1], told.at)


def _another_version(run: History, told: Told) -> bool:
    ran = _ran(run, told)
    return ran <= {NEW} or ran <= {OLD}


def _runs_only_new(run: History, told: Told) -> bool:
    return _ran(run, told) == {NEW}


def _interrupted(run: History, told: Told) -> bool:
    """Nothing was found out, although the new image had run long enough to be heard.

    After a restore that failed it is not looked: that is told first, and is no lie.
    """
    if told.restore_error is not None:
        return False
    backs = _before(run, told, "back")
    heard = bool(backs) and told.at - backs[-1] > WAITS["evidence"] + SLACK
    return _says(run) and heard and _ran(run, told) == {NEW}


def _broke(run: History, told: Told) -> bool:
    return True


def _runs_new_unharmed(run: History, told: Told) -> bool:
    """Whatever failed on the way, the new image does not run without anybody's knowing."""
    return _ran(run, told) == {NEW} and not run.deaths


_OF_VERDICT: Final[dict[str, Lies]] = {
    "verified": _verified,
    "unverified": _unverified,
    "unchanged": _runs_old,
    "rolled_back": _runs_old,
    "refused": _refused,
    "cancelled": _cancelled,
}
_OF_CAUSE: Final[dict[str, Lies]] = {
    "did_not_come_back": _away,
    "silent_after_download": _away,
    "did_not_restart": _did_not_restart,
    "no_result": _did_not_restart,
    "other_version_back": _another_version,
    "old_firmware_asks": _runs_only_new,
    "interrupted": _interrupted,
    "guest_other_version": _another_version,
    "internal": _broke,
}
"""What would make a failure a lie; each other one is judged by `_runs_new_unharmed`."""
