"""The versions that a person skipped, over the time in which they are not on offer.

Home Assistant forgets a skip as soon as another version is the latest, so a release that is
withdrawn for a minute, or refused for one, would come back as if nobody had said no.
"""

from collections.abc import Iterable
from typing import Final

from ..ota import same_version

_MOST: Final = 10
"""Versions kept; nobody skips more without installing one."""


class Skipped:
    """Belongs to one card; told before each time that it is shown."""

    def __init__(self) -> None:
        """Start with nothing skipped."""
        self.versions: list[str] = []
        self._shown: str | None = None
        """What the card showed as skipped last."""

    def restore(self, versions: Iterable[object]) -> None:
        """Take what was skipped before a restart."""
        for version in versions:
            if isinstance(version, str):
                self._add(version)

    def look(self, latest: str | None, installed: str | None, skipped: str | None) -> None:
        """Compare with what Home Assistant takes for skipped now.

        Who clears the skip of what is on offer means it; else it was only forgotten.
        """
        if skipped is not None:
            self._add(skipped)
        elif self._shown is not None and self._shown == latest:
            self._forget(latest)
        if installed is not None:
            self._forget(installed)
        self._shown = skipped

    def holds(self, version: str | None) -> bool:
        """Whether a version was skipped, however it is spelt now."""
        return version is not None and any(same_version(version, item) for item in self.versions)

    def _add(self, version: str) -> None:
        self._forget(version)
        self.versions = [*self.versions, version][-_MOST:]

    def _forget(self, version: str) -> None:
        self.versions = [item for item in self.versions if not same_version(item, version)]
