"""Which of our datagrams a module has read by now: what its answers can be about.

An ESP32 reads one datagram per `handle()`, in their order, however many wait (`ArduinoOTA.cpp`).
One that waits for a proof takes the next datagram for it: an invitation is swallowed then, and
ends the waiting. A proof that meets nobody who waits is ignored. Datagrams may be lost: then the
module has read more than is taken for read here, never less.
"""

from enum import Enum, auto


class _Sent(Enum):
    INVITATION = auto()
    PROOF = auto()
    DOUBTFUL_PROOF = auto()
    """It may meet another challenge than the one it was made for."""


class Reading:
    """Follows one module through the datagrams of one invitation."""

    def __init__(self) -> None:
        """Start with nothing sent."""
        self._unread: list[_Sent] = []
        self._waits = False
        """Whether the module waited for a proof when it was heard last."""

    def __len__(self) -> int:
        """Return how many datagrams it may not have read yet."""
        return len(self._unread)

    @property
    def waits_in_the_end(self) -> bool:
        """Whether it will wait for a proof once it has read all."""
        waits = self._waits
        for sent in self._unread:
            waits = not waits and sent is _Sent.INVITATION
        return waits

    def invited(self) -> None:
        """Take note of an invitation that left."""
        self._unread.append(_Sent.INVITATION)

    def proved(self) -> None:
        """Take note of a proof for the newest challenge.

        One datagram ends the waiting for it, and a second one makes another challenge.
        """
        doubtful = len(self._unread) > 1
        self._unread.append(_Sent.DOUBTFUL_PROOF if doubtful else _Sent.PROOF)

    def challenged(self) -> None:
        """Take note of a challenge, to the first invitation that can have led to it."""
        if self._waits:
            del self._unread[:1]
        if _Sent.INVITATION in self._unread:
            del self._unread[: self._unread.index(_Sent.INVITATION) + 1]
        self._waits = True

    def refused(self) -> bool:
        """Take note of a refused proof; tell whether it met its own challenge beyond doubt."""
        self._waits = False
        while self._unread:
            sent = self._unread.pop(0)
            if sent is not _Sent.INVITATION:
                return sent is _Sent.PROOF
        return False
