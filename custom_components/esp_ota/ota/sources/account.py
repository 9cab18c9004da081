"""Who asks a service, and how often one without an account may."""

from collections import deque
from dataclasses import dataclass
import time

from yarl import URL

from ..causes import Cause
from ..exceptions import SourceError
from .listing import web_address


def minutes(seconds: float) -> int:
    """Return whole minutes, one at least."""
    return max(1, round(seconds / 60 + 0.499))


class CallBudget:
    """How often a service without an account may be asked; GitHub counts 60 calls an hour."""

    def __init__(self, calls: int = 60, seconds: float = 3600.0) -> None:
        """Start with nothing spent."""
        self._seconds = seconds
        self._spent: deque[float] = deque(maxlen=calls)
        self._blocked_until = 0.0

    def take(self, now: float | None = None) -> None:
        """Spend one call; raises SourceError when none is left."""
        now = time.monotonic() if now is None else now
        full = len(self._spent) == self._spent.maxlen
        free_at = max(self._blocked_until, self._spent[0] + self._seconds if full else 0.0)
        if now < free_at:
            raise SourceError(Cause.SOURCE_BUSY, minutes=minutes(free_at - now))
        self._spent.append(now)

    def block(self, seconds: float, now: float | None = None) -> None:
        """Spend nothing for a while, because the service said so."""
        now = time.monotonic() if now is None else now
        self._blocked_until = max(self._blocked_until, now + seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Who asks a service: with a token, or as one of many whose calls are counted."""

    host: str
    """Address of the service; nobody else hears the token."""
    token: str | None = None
    scheme: str = "Bearer"
    """What is written before the token."""
    budget: CallBudget | None = None
    """What calls without a token are taken from."""

    def headers_for(self, url: URL) -> dict[str, str]:
        """Return what a call carries besides; raises SourceError when no call is left."""
        home = web_address(self.host)
        if home is None or url.origin() != home.origin():
            return {}
        if self.token:
            return {"Authorization": f"{self.scheme} {self.token}"}
        if self.budget is not None:
            self.budget.take()
        return {}
