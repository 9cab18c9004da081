"""What is kept of each module at its server: what it assigned, and what it has yet to be told."""

from typing import Any, NotRequired, TypedDict, cast

from ..ota import Finished
from ..stored import fits


class AssignedNote(TypedDict):
    """What a server wants a module to run, and what is here for it."""

    action: str
    query: str
    """What its link says besides, which changes when its terms do."""
    mark: str
    sha256: str
    """The content of the sketch."""
    version: str
    """As the release is called."""
    said: str | None
    """As the server calls it."""
    is_on_hold: bool
    """Whether the server does not want it to be installed now."""


class ClosingNote(TypedDict):
    """How an update ended that its server has yet to be told."""

    action: str
    mark: str
    finished: str
    details: list[str]
    is_sent: bool
    """Whether it was sent, and nobody knows whether it was heard."""
    version: NotRequired[str]
    """What runs since then."""
    said: NotRequired[str | None]


class SpeltNote(TypedDict):
    """A version that runs, as the release and as the server call it."""

    version: str
    said: str


class TargetNote(TypedDict, total=False):
    """One module."""

    attributes: str
    """Stands for what the server was told last of what the module is."""
    assigned: AssignedNote
    closing: ClosingNote
    spelt: SpeltNote
    refused: str
    """Mark of what was refused, and told: it is not fetched again while it is on offer."""


type Notes = dict[str, dict[str, TargetNote]]
"""By server (subentry) and module (entry)."""


def readable(stored: Any) -> tuple[Notes, bool]:
    """Return what can be read, and whether that is all."""
    notes: Notes = {}
    is_whole = isinstance(stored, dict)
    for server, modules in (stored if isinstance(stored, dict) else {}).items():
        kept = notes.setdefault(server, {})
        is_whole = is_whole and isinstance(modules, dict)
        for entry_id, item in (modules if isinstance(modules, dict) else {}).items():
            if fits(item, TargetNote) and _is_known(item):
                kept[entry_id] = cast("TargetNote", item)
            else:
                is_whole = False
    return notes, is_whole


def _is_known(item: TargetNote) -> bool:
    closing = item.get("closing")
    return closing is None or closing["finished"] in set(Finished)
