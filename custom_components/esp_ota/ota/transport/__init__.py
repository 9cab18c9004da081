"""Ways to bring an image to a module. A transport sends; it never gates, retries or waits."""

from collections.abc import Callable
from typing import Protocol

from ..models import Delivery, Payload, ProgressCallback


class Transport(Protocol):
    """One way to bring an image to one module."""

    name: str

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


__all__ = ["Transport"]
