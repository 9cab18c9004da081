"""What happened inside a module, for tests to look at and to wait for."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
import time


class Seen(StrEnum):
    """The kinds of event."""

    UP = "up"
    IGNORED = "ignored"
    SWALLOWED = "swallowed"
    INVITED = "invited"
    CHALLENGED = "challenged"
    AUTH_OK = "auth_ok"
    AUTH_FAILED = "auth_failed"
    AUTH_MALFORMED = "auth_malformed"
    REPLIED = "replied"
    BEGIN_FAILED = "begin_failed"
    CONNECTING = "connecting"
    CONNECT_FAILED = "connect_failed"
    CONNECTED = "connected"
    FIRST_BYTE = "first_byte"
    REACKED = "reacked"
    COMPLETE = "complete"
    REJECTED = "rejected"
    ABORTED = "aborted"
    INSTALLED = "installed"
    OK_SENT = "ok_sent"
    CLOSED = "closed"
    DIED = "died"
    CRASHED = "crashed"
    RESTARTED = "restarted"
    BRICKED = "bricked"
    ADVERTISED = "advertised"
    BACK = "back"
    POLLING = "polling"
    ANSWERED = "answered"
    NO_UPDATE = "no_update"
    VERSION_TOLD = "version_told"
    PULL_FAILED = "pull_failed"
    ASLEEP = "asleep"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    time: float
    """Seconds of `time.monotonic()`."""
    name: Seen
    details: dict[str, object] = field(default_factory=dict)


class EventLog(list[Event]):
    """All events so far, oldest first."""

    def __init__(self) -> None:
        """Start empty, with nobody listening."""
        super().__init__()
        self.listeners: list[Callable[[Event], None]] = []
        self._waiting: set[asyncio.Future[None]] = set()
        self.on_failure: Callable[[], None] = lambda: None
        self._failure: BaseException | None = None

    def add(self, name: Seen, **details: object) -> None:
        """Record an event and wake who waits."""
        event = Event(time.monotonic(), name, details)
        self.append(event)
        for listener in self.listeners:
            listener(event)
        self._wake()

    def fail(self, failure: BaseException) -> None:
        """Let everybody who waits know that the module itself broke."""
        self._failure = failure
        self.on_failure()
        self._wake()

    def count_of(self, name: Seen | str) -> int:
        """Return how often something happened."""
        return sum(event.name == name for event in self)

    def names(self) -> list[str]:
        """Return the names alone, in order."""
        return [event.name.value for event in self]

    def last(self, name: Seen | str) -> Event:
        """Return the newest event of a kind."""
        for event in reversed(self):
            if event.name == name:
                return event
        raise LookupError(f"no {name} among {self.names()}")

    async def wait_for(self, name: Seen | str, timeout: float, count: int = 1) -> Event:
        """Wait until something has happened `count` times, counted from the start."""
        name = Seen(name)
        try:
            async with asyncio.timeout(timeout):
                while self.count_of(name) < count:
                    if self._failure is not None:
                        raise RuntimeError("the virtual module broke") from self._failure
                    woken = asyncio.get_running_loop().create_future()
                    self._waiting.add(woken)
                    try:
                        await woken
                    finally:
                        self._waiting.discard(woken)
        except TimeoutError:
            raise TimeoutError(
                f"{count} times {name} did not come in {timeout} s: {self.names()}"
            ) from None
        return [event for event in self if event.name == name][count - 1]

    def _wake(self) -> None:
        for woken in self._waiting:
            if not woken.done():
                woken.set_result(None)
