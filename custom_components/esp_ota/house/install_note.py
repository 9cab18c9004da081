"""What the journal keeps of an install that has not ended."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NotRequired, TypedDict

from ..ota import Cause, InstallResult, Verdict


class Against(TypedDict):
    """What ran when an image was sent: the evidence after the restart is compared with it."""

    version: str | None
    sketch_md5: str | None


class InstallNote(TypedDict):
    """One install that has not ended."""

    stage: str
    sha256: str
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
    tried: NotRequired[dict[str, Any]]
    """The options of a safe state that was only tried; they may never have been stored."""


def stored_result(result: InstallResult) -> dict[str, Any]:
    """Return a result's form in the store."""
    return asdict(result)


def restored_result(stored: Mapping[str, Any]) -> InstallResult:
    """Return a result from its stored form."""
    causes = {
        key: Cause(stored[key]) for key in ("cause", "restore_error") if stored.get(key) is not None
    }
    return InstallResult(**{**stored, **causes, "verdict": Verdict(stored["verdict"])})
