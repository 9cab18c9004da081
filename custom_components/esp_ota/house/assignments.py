"""What servers that run many houses have assigned to modules of this one.

It is only known here, so that whoever installs or shows something can ask; what servers say is
followed in the room of the servers, which is above.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..ota import InstallResult
from .install_note import InstallNote


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """What a server wants one of its modules to run."""

    sha256: str | None
    """The content of the sketch; None for nothing new."""


type Confirm = Callable[[str, str], Awaitable[None]]
"""Called with a module (entry id) and a content, in the moment before it is installed; raises
InstallRefused where the server does not want it any more."""
type Ended = Callable[[str, InstallNote, InstallResult, str], Awaitable[None]]
"""Called with a module, its install, how that ended, and the sentence of it."""


async def _nobody(*_args: object) -> None:
    return


class Assignments:
    """Of all modules; a module that no server decides about has none."""

    def __init__(self) -> None:
        """Know of none."""
        self._of: dict[str, Assignment] = {}
        self.confirm: Confirm = _nobody
        self.on_end: Ended = _nobody

    def of(self, entry_id: str) -> Assignment | None:
        """Return what a module's server says, None where none decides about it."""
        return self._of.get(entry_id)

    def assign(self, entry_id: str, sha256: str | None) -> None:
        """Take what a module's server says: a content, or nothing new."""
        self._of[entry_id] = Assignment(sha256=sha256)

    def dismiss(self, entry_id: str) -> None:
        """Take that no server decides about a module any more."""
        self._of.pop(entry_id, None)

    def held(self) -> set[str]:
        """Return the contents that are assigned (sha256)."""
        return {item.sha256 for item in self._of.values() if item.sha256 is not None}
