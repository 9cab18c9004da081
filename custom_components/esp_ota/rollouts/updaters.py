"""What updates one member of a rollout: a module's installer, or the integration of a guest."""

from typing import Protocol

from homeassistant.core import Context, HomeAssistant

from ..guests import GUESTS, Guest
from ..house import HOUSE
from ..installs import Asked, ModuleRuntime
from ..ota import InstallResult, is_newer, same_version
from ..owners import is_guest
from .note import MemberNote, RolloutNote
from .selection import runtime_of


class Begun(Protocol):
    """An update of a module, or of a guest."""

    @property
    def result(self) -> InstallResult:
        """What it ended as."""

    @property
    def is_put_aside(self) -> bool:
        """Whether it ended in the middle, for the next start."""


class Updater(Protocol):
    """Of one member that is there."""

    @property
    def is_running(self) -> bool:
        """Whether an update of it runs, waits, or is yet to be picked up."""

    @property
    def is_waiting(self) -> bool:
        """Whether an update of it waits for its turn."""

    def begin(self, note: RolloutNote, member: MemberNote, asked: Asked) -> Begun | None:
        """Begin to update it, None where what is rolled out is not there any more.

        Raises HomeAssistantError when Home Assistant stops.
        """

    async def async_cancel(self) -> None:
        """Take its update back; raises HomeAssistantError when that has ended meanwhile."""

    def sentence(self) -> str | None:
        """Return how its last update ended."""


class ModuleUpdater:
    """Of one of our modules."""

    def __init__(self, hass: HomeAssistant, runtime: ModuleRuntime) -> None:
        """Take what its entry holds."""
        self._hass = hass
        self._runtime = runtime

    @property
    def is_running(self) -> bool:
        """Whether an update of it runs, waits, or is yet to be picked up."""
        return self._runtime.installer.is_running

    @property
    def is_waiting(self) -> bool:
        """Whether an update of it waits for its turn."""
        return self._runtime.installer.is_waiting

    def begin(self, note: RolloutNote, member: MemberNote, asked: Asked) -> Begun | None:
        """Begin to install its release."""
        if (release := self._hass.data[HOUSE].library.get(member["sha256"])) is None:
            return None
        installer = self._runtime.installer
        installer.raise_if_running()
        context = Context(user_id=note["user"])
        chosen = note["chosen"] and not self._went_further(member)
        return installer.async_begin(release, context, chosen=chosen, asked=asked)

    def _went_further(self, member: MemberNote) -> bool:
        """Whether it runs something newer that it did not run when it was planned: by a person.

        Then nobody wants the older version on it, though it was named for all of them.
        """
        installed, before = self._runtime.coordinator.data.installed or "", member["before"] or ""
        if same_version(installed, before):
            return False
        return is_newer(installed, member["version"]) is True

    async def async_cancel(self) -> None:
        """End its install."""
        await self._runtime.installer.async_cancel(None)

    def sentence(self) -> str | None:
        """Return what its card says."""
        return self._runtime.installer.last_sentence()


class GuestUpdater:
    """Of a guest."""

    def __init__(self, hass: HomeAssistant, key: str) -> None:
        """Take its key."""
        self._hass = hass
        self._guests = hass.data[GUESTS]
        self._key = key

    @property
    def is_running(self) -> bool:
        """Whether an update of it runs, waits, or is yet to be picked up."""
        return self._guests.is_running(self._key)

    @property
    def is_waiting(self) -> bool:
        """Whether an update of it waits for its turn."""
        run = self._guests.find(self._key)
        return run is not None and run.is_waiting

    def begin(self, note: RolloutNote, member: MemberNote, asked: Asked) -> Begun | None:
        """Begin to have it updated by its integration."""
        guest = Guest(self._hass, self._key, answer=note.get("guest_equipment"))
        context = Context(user_id=note["user"])
        return self._guests.async_begin(guest, member["version"], context, asked=asked)

    async def async_cancel(self) -> None:
        """End its update."""
        await self._guests.async_cancel(self._key)

    def sentence(self) -> str | None:
        """Return how the last one ended."""
        return self._guests.sentence(self._key)


def updater_of(hass: HomeAssistant, entry_id: str) -> Updater | None:
    """Return what updates a member, None for a module that is not loaded."""
    if is_guest(entry_id):
        return GuestUpdater(hass, entry_id)
    runtime = runtime_of(hass.config_entries.async_get_entry(entry_id))
    return ModuleUpdater(hass, runtime) if runtime is not None else None
