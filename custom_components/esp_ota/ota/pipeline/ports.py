"""What one install needs from outside, so that it can be run without Home Assistant."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from ..causes import Cause
from ..exceptions import OtaError
from ..models import (
    Delivery,
    Image,
    InstallProgress,
    InstallResult,
    InstallStage,
    ModuleFacts,
    Payload,
    Sighting,
)
from ..preflight import Candidate
from ..transport import Transport


class SafeState(Protocol):
    """The equipment's condition in which an update may happen."""

    async def admit(self) -> None:
        """Raise InstallRefused while something forbids to begin."""

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Return what is held from before the turn until it is left.

        What else rests on the same equipment waits meanwhile; whoever holds a turn never does.
        """

    async def enter(self) -> None:
        """Bring it about and read it back; raises SafeStateError when that fails."""

    async def take_over(self) -> None:
        """Be in it as the Home Assistant that died was; nothing is done to the equipment."""

    def holds(self) -> bool:
        """Whether every condition is true right now."""

    def broken(self) -> str:
        """Return which conditions were untrue since it was entered, empty for none.

        What only cannot be told, while a module restarts that tells it, is none.
        """

    async def leave(self, result: InstallResult) -> bool:
        """Restore the equipment; return False where nothing can tell that it was restored.

        Raises SafeStateError when that fails.
        """


class Observer(Protocol):
    """What is heard of the module besides the transfer itself."""

    async def reachable(self) -> bool:
        """Whether the module answers now."""

    async def wait_gone(self, since: float, candidate: Candidate, before: ModuleFacts) -> float:
        """Return when the module went; raises VerifyError when it did not."""

    async def wait_back(self, since: float, candidate: Candidate, before: ModuleFacts) -> None:
        """Return once the module is back; raises VerifyError when it does not come."""

    async def wait_evidence(
        self, since: float, candidate: Candidate, before: ModuleFacts
    ) -> Sighting | None:
        """Return the best statement heard since then, None when nothing was said."""


class Turn(Protocol):
    """Its place in the queue of all installs; as a context manager the turn itself.

    The turn is given back on the way out, the place is kept until the install has ended.
    """

    async def __aenter__(self) -> object:
        """Wait for the turn, unless `up` has brought it already."""

    async def __aexit__(self, *_error: object) -> None:
        """Give the turn back."""

    async def up(self) -> None:
        """Return when it is its turn; whoever then has to wait for equipment gives it back."""

    def may_wait(self, err: OtaError) -> bool:
        """Whether a better time is waited for when this kept it from beginning."""

    async def better_time(self, err: OtaError) -> None:
        """Return when it may be tried again; raises OtaError when that took too long."""


type Probation = Callable[[Candidate, ModuleFacts], Awaitable[Sighting | None]]
"""Watches what was proven to run for a while: returns the best statement heard meanwhile, raises
VerifyError when it does not run as it should."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One image of an install, with its bytes as they are sent."""

    candidate: Candidate
    payload: Payload
    in_other_slot: bool = False
    """Whether the module may have it already, beside what runs: then it is only started. Where that
    is not offered it is sent, if there are bytes to send."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How often and how long the pipeline tries."""

    tries: int = 3
    """A second and third try help against a lost packet and a weak signal, no more do."""
    retry_pause: float = 5.0
    """Seconds; an ESP32 drops a dead connection after 4 s and only then hears us again."""
    watch_interval: float = 0.5
    """Seconds between looks at the safe state; a broken one must stop the send within 1 s."""


async def _stay(_failed: InstallResult) -> Sequence[Part]:
    return ()


async def _stay_there() -> None:
    pass


def _as_it_was(candidate: Candidate) -> Candidate:
    return candidate


async def _trust(_candidate: Candidate, _before: ModuleFacts) -> Sighting | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Ports:
    """What one install needs from outside."""

    facts: Callable[[], ModuleFacts]
    observer: Observer
    safe_state: SafeState
    transports: Sequence[Transport]
    """In the person's order; the next one is tried only when no payload byte was sent."""
    turn: Turn
    """Held from the second check to the end; the house limits how many hold it at once."""
    on_stage: Callable[[InstallStage], Awaitable[None]]
    """Awaited before a stage takes effect, so that a journal is never behind."""
    on_progress: Callable[[InstallProgress], None]
    find_module: Callable[[], Awaitable[object]] = _stay_there
    """Asked before the module is: it may have moved. Raises InstallRefused when another one is
    there; transports ask for themselves, before each connection."""
    confirm: Callable[[], Awaitable[None]] = _stay_there
    """Asked when it is its turn: who wants it may have changed that. Raises InstallRefused."""
    renewed: Callable[[Candidate], Candidate] = _as_it_was
    """Returns what is known of an image by now, before it is compared with the module."""
    on_fallback: Callable[[str, OtaError], None] = lambda _name, _err: None
    """Called with a transport that failed when another is tried after it."""
    on_delivered: Callable[[Image, Delivery], None] = lambda _image, _delivery: None
    """Called with each image that the module has from now on."""
    on_refused: Callable[[Image, Cause], None] = lambda _image, _cause: None
    """Called with an image that the module itself said no to."""
    go_back: Callable[[InstallResult], Awaitable[Sequence[Part]]] = _stay
    """Asked for what ran before when the module runs what it should not; nothing to stay so."""
    on_probation: Probation = _trust
    """Asked after the proof, with the equipment still safe."""
