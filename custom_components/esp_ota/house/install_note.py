"""What the journal keeps of an install that has not ended."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final, NotRequired, TypedDict, cast

from homeassistant.util import dt as dt_util

from ..ota import Cause, InstallResult, InstallStage, Verdict
from ..stored import fits, sound_part

_UNKNOWN_STAGE: Final = InstallStage.SENDING
"""What an install counts as whose stage cannot be read: its equipment is restored, nothing is sent
again, and it is looked what became of the module."""


class Against(TypedDict):
    """What ran when an image was sent: the evidence after the restart is compared with it."""

    version: str | None
    sketch_md5: str | None


class Queued(TypedDict):
    """Where an install stands in the queue of the house, to stand there again."""

    priority: int
    order: float


class InstallNote(TypedDict):
    """One install that has not ended."""

    stage: str
    sha256: str
    """Of a guest the version: nobody here knows its image."""
    version: str
    before: str | None
    """The version that ran when it began."""
    started: str
    against: NotRequired[Against]
    user: NotRequired[str | None]
    """Id of who pressed."""
    chosen: NotRequired[bool]
    """Whether the person named this very version."""
    once_more: NotRequired[bool]
    """Whether a person pressed Fix in the repair of an image that had failed twice."""
    queued: NotRequired[Queued]
    now: NotRequired[bool]
    """Whether a person wants it whatever its window says."""
    ways: NotRequired[list[str]]
    """The transports that alone may be used."""
    rollout: NotRequired[str]
    """The id of the rollout that it belongs to."""
    window: NotRequired[dict[str, Any]]
    """`start`, `end` and `days` of the rollout, beside the window of the module."""
    replaces: NotRequired[str]
    """The image that ran when somebody wanted to go back from it."""
    result: NotRequired[dict[str, Any]]
    """What it ended as, once that is decided."""
    again: NotRequired[bool]
    """Whether the queue is entered once more after the restore."""
    looks: NotRequired[bool]
    """Whether it is only found out what became of an image that was on its way in a crash."""
    undoes: NotRequired[dict[str, Any]]
    """The failure because of which what ran before is put back; then `back_to` says what."""
    back_to: NotRequired[str]
    equipment: NotRequired[dict[str, Any]]
    """What its safe state has to know to read back the restore, and to tell what broke."""
    guest: NotRequired[dict[str, Any]]
    """Of a guest: its `name`, the `answer` that was given for its equipment in the call, and the
    `options` of its safe state when it was begun."""
    tried: NotRequired[dict[str, Any]]
    """The options of a safe state that was only tried; they may never have been stored."""


class InstallEnd(TypedDict):
    """How an update that belongs to a rollout has ended, until the rollout has noted that."""

    rollout: str
    sha256: str
    result: dict[str, Any]
    sentence: str


def stored_result(result: InstallResult) -> dict[str, Any]:
    """Return a result's form in the store."""
    return asdict(result)


def restored_result(stored: Mapping[str, Any]) -> InstallResult:
    """Return a result from its stored form."""
    causes = {
        key: Cause(stored[key]) for key in ("cause", "restore_error") if stored.get(key) is not None
    }
    return InstallResult(**{**stored, **causes, "verdict": Verdict(stored["verdict"])})


def readable_note(item: Any) -> InstallNote:
    """Return an open install as far as it can be read: it is never forgotten."""
    note: dict[str, Any] = {
        "stage": _UNKNOWN_STAGE,
        "sha256": "",
        "version": "?",
        "before": None,
        "started": dt_util.utcnow().isoformat(),
    }
    note |= {key: value for key, value in sound_part(item, InstallNote).items() if value != ""}
    if note["stage"] not in set(InstallStage):
        note["stage"] = _UNKNOWN_STAGE
    if dt_util.parse_datetime(note["started"]) is None:
        note["started"] = dt_util.utcnow().isoformat()
    for key in ("result", "undoes"):
        if key in note and not _is_result(note[key], key):
            del note[key]
    return cast("InstallNote", note)


def readable_end(item: Any) -> InstallEnd | None:
    """Return how an update ended, None for what makes no sense."""
    if not fits(item, InstallEnd) or not _is_result(item["result"], "result"):
        return None
    return cast("InstallEnd", item)


def _is_result(stored: dict[str, Any], key: str) -> bool:
    """Whether a result can be read; what is undone has a cause."""
    with suppress(KeyError, TypeError, ValueError):
        return restored_result(stored).cause is not None or key == "result"
    return False
