"""A safe state as it is configured when the turn of an install comes.

An install may wait for days, for its window say, and a person think of the valve meanwhile. So it
is made anew as long as nothing rests on it; from its turn on it stays what it is until it is left.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from ..ota import InstallResult, SafeState


class Kept(SafeState, Protocol):
    """A safe state of which the journal keeps something."""

    @property
    def kept(self) -> Mapping[str, object]:
        """What the journal keeps of it, fit for JSON."""


class CurrentSafeState:
    """Of one install, from the press on."""

    def __init__(self, said: Callable[[], object], make: Callable[[], Kept]) -> None:
        """Make it, and make it anew once `said` returns something else.

        What `make` raises is raised here, and wherever it is made anew.
        """
        self._said = said
        self._make = make
        self._made_of = said()
        self._made = make()
        self._is_alone = False

    def _look(self) -> None:
        if (said := self._said()) != self._made_of:
            self._made, self._made_of = self._make(), said

    @property
    def kept(self) -> Mapping[str, object]:
        """What the journal keeps of it, fit for JSON."""
        return self._made.kept

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Wait until nobody else rests on the same equipment, and keep them out."""
        return self._alone()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        while True:
            self._look()
            async with self._made.alone():
                if self._said() != self._made_of:
                    continue  # it was waited for what is not needed any more
                self._is_alone = True
                try:
                    yield
                finally:
                    self._is_alone = False
                return

    async def admit(self) -> None:
        """Raise InstallRefused while something forbids to begin."""
        if not self._is_alone:
            self._look()
        await self._made.admit()

    async def enter(self) -> None:
        """Bring it about and read it back."""
        await self._made.enter()

    async def take_over(self) -> None:
        """Be in it, as the Home Assistant that died was."""
        await self._made.take_over()

    def holds(self) -> bool:
        """Whether every condition is true right now."""
        return self._made.holds()

    def broken(self) -> str:
        """Return which conditions were untrue since it was entered."""
        return self._made.broken()

    async def leave(self, result: InstallResult) -> bool:
        """Restore the equipment; return whether anything has told that it was."""
        return await self._made.leave(result)
