"""What the entities of one module show."""

from dataclasses import dataclass
from datetime import datetime

from .ota import ImageKind, InstallProgress, InstallResult
from .telling import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleState:
    """What the entities of one module show."""

    firmware: str | None = None
    installed: str | None = None
    """The version that runs: stated by the module, else known from the last install."""
    assumed: bool = False
    """Nothing but our own install says so."""
    progress: InstallProgress | None = None
    installing: ImageKind = ImageKind.SKETCH
    """What the progress is about."""
    outcome: Outcome | None = None
    """How the last install since the start ended."""
    last_seen: datetime | None = None
    """When it last said something by itself, since the start."""
    left: bool = False
    """Whether the last it said was goodbye."""

    @property
    def result(self) -> InstallResult | None:
        """What the last install since the start ended as."""
        return self.outcome.result if self.outcome else None
