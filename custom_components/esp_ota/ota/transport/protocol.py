"""Ways to bring an image to a module. A transport sends; it never gates or retries."""

from collections.abc import Callable
from typing import Protocol

from ..causes import Cause
from ..exceptions import InstallRefused, OtaError
from ..models import Delivery, ImageKind, Payload, ProgressCallback


class Transport(Protocol):
    """One way to bring an image to one module."""

    name: str
    waits: bool
    """Whether the module comes to us: then nothing is known of it before it asks."""
    tries: int
    """How often a transfer that broke may be begun at most."""

    async def wait_ready(self, payload: Payload) -> None:
        """Return when a send can begin; at once where we go to the module.

        Raises InstallRefused when the module did not ask in time.
        """

    async def send(
        self,
        payload: Payload,
        *,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
    ) -> Delivery:
        """Bring the image there and return how it was taken.

        `before_first_byte` is called in the moment before the first payload byte leaves and may
        raise to stop it. Raises an OtaError when the module refused or the network failed.
        Cancelling frees the module at once and leaves its old sketch running.
        """

    def longest(self, payload: Payload) -> float:
        """Return after how many seconds one `send` is given up, whatever the module does."""

    async def why_unreachable(self) -> OtaError | None:
        """Return what can be found out of a module that does not answer, None for no more."""

    async def switch_back(self, *, before_switch: Callable[[], None]) -> Delivery:
        """Let the module start the sketch in its other slot, which ran before.

        Raises InstallRefused where the module or the transport does not offer it.
        """

    def restarts_after(self, kind: ImageKind) -> bool:
        """Whether the module restarts when it has taken an image of this kind."""

    async def confirm_files(self) -> None:
        """Hear what the module says next of files that it has; raises VerifyError for a no."""


class NoSwitch:
    """What transports say that can only bring images."""

    async def confirm_files(self) -> None:
        """Know no more than what was answered to them."""

    async def switch_back(self, *, before_switch: Callable[[], None]) -> Delivery:  # noqa: ARG002
        """Raise InstallRefused."""
        raise InstallRefused(Cause.NO_OTHER_SLOT)


class Push(NoSwitch):
    """What transports that go to the module have in common."""

    waits = False
    tries = 3
    """A second and third try help against a lost packet and a weak signal, no more do."""

    async def wait_ready(self, payload: Payload) -> None:
        """Begin at once."""

    async def why_unreachable(self) -> OtaError | None:
        """Know no more."""
        return None

    def restarts_after(self, kind: ImageKind) -> bool:  # noqa: ARG002 - part of the protocol
        """All of them restart, after a filesystem image as well (`ArduinoOTA.cpp`)."""
        return True


__all__ = ["NoSwitch", "Push", "Transport"]
