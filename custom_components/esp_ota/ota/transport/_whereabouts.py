"""Where a module is: asked before each connection, because addresses change hands."""

from typing import NamedTuple, Protocol


class Address(NamedTuple):
    """Where something of a module listens."""

    host: str
    port: int


class Whereabouts(Protocol):
    """The one who knows where one module is."""

    async def now(self) -> Address:
        """Return where it is at this moment, with its identity proven as well as can be.

        Raises InstallRefused when another module is there, or one that cannot be told from it.
        """

    def confirm(self, address: Address) -> None:
        """Return when nothing that was heard meanwhile speaks against it being there.

        Raises ModuleConnectionError where something does: the next try asks `now` again.
        """


class Fixed:
    """The address that a person typed, of something that nothing else is known of."""

    def __init__(self, host: str, port: int) -> None:
        """Take the address."""
        self._address = Address(host, port)

    async def now(self) -> Address:
        """Return the address."""
        return self._address

    def confirm(self, address: Address) -> None:
        """Know nothing better."""


__all__ = ["Address", "Fixed", "Whereabouts"]
