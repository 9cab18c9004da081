"""Which names of firmware a source may publish: those that were given to it, by a person.

Whoever runs a list could else offer a 99.0.0 to the modules of another one. What a person types as
the name of a source is given; so is what a new source lists, unless somebody else has that name
already; everything later is asked about.
"""

from collections.abc import Callable, Mapping

from ..ota import Cause, LibraryError, Listing, same_name
from .release import Release
from .source_memory import SourceMemory

type Owners = Callable[[str], list[str]]
"""Answers who else has a name."""


class GivenNames:
    """Of one source, kept in its memory."""

    def __init__(self, memory: SourceMemory, typed: str | None, owners: Owners) -> None:
        """`typed` is what the person calls all files of the source."""
        self._memory = memory
        self._typed = typed
        self._owners = owners

    def adopt(self, taken: list[Release]) -> None:
        """Take what a source brought that was there before names were given."""
        if self._memory.taken and self._memory.names_open:
            self._memory.names_open = False
            for release in taken:
                if not self._owners(release.firmware):
                    self._give(release.firmware)

    def check(self, firmware: str, url: str) -> None:
        """Raise LibraryError for a name that was not given.

        Free ones are given to files that the source listed when it was new.
        """
        known = [self._typed, *self._memory.given]
        if any(name and same_name(firmware, name) for name in known):
            return
        is_new = self._memory.names_open or url in self._memory.promised
        if not is_new or self._owners(firmware):
            raise LibraryError(Cause.NAME_NOT_GIVEN, firmware=firmware)
        self._give(firmware)

    def _give(self, firmware: str) -> None:
        if firmware not in self._memory.given:
            self._memory.given.append(firmware)

    def withhold(self, key: str, firmware: str) -> None:
        """Keep that a listed file waits for its name to be given."""
        self._memory.withheld[key] = firmware

    def close(self, listing: Listing) -> None:
        """End the first look, and forget what is not listed any more, or has come."""
        memory = self._memory
        missing = {item.url for item in listing.files if item.key not in memory.taken}
        promised = missing if memory.names_open else missing & set(memory.promised)
        memory.promised, memory.names_open = sorted(promised), False
        listed = {item.key for item in listing.files}
        memory.withheld = {key: name for key, name in memory.withheld.items() if key in listed}

    def give(self, names: list[str]) -> None:
        """Give names to the source, because a person wants it."""
        for name in names:
            self._give(name)
        kept = {key: name for key, name in self._memory.withheld.items() if name not in names}
        self._memory.withheld = kept

    @property
    def wanted(self) -> Mapping[str, list[str]]:
        """What a person has to decide: names, and who has them already."""
        names = dict.fromkeys(self._memory.withheld.values())
        return {name: self._owners(name) for name in names}
