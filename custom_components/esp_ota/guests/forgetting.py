"""What is learnt of guests is given up once Home Assistant itself knows their entities no more.

It remembers one that was removed for 30 days and gives it the same id when it is added again
(`ORPHANED_ENTITY_KEEP_SECONDS` of 2026.10), as long as it may come back with its config entry.
"""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_time_interval

from ..const import LOGGER
from ..house import House
from ..issues import async_clear_module_issues
from ..owners import guest_id

_EVERY: Final = timedelta(days=1)


class Forgetting:
    """Looks when Home Assistant has started, and once a day."""

    def __init__(self, hass: HomeAssistant, house: House) -> None:
        """Nobody is missed yet."""
        self._hass = hass
        self._house = house
        self._missed: set[str] = set()

    async def async_start(self, _hass: HomeAssistant) -> None:
        """Look now, and again."""
        async_track_time_interval(
            self._hass,
            self.async_look,
            _EVERY,
            name="ESP OTA forgets guests",
            cancel_on_shutdown=True,
        )
        await self.async_look()

    async def async_look(self, _now: datetime | None = None) -> None:
        """Forget who is gone for good; one that is open is not forgotten.

        An entity that is in no registry must be missed twice: its integration may only be late.
        """
        registry, house = er.async_get(self._hass), self._house
        removed = {entry.id for entry in registry.deleted_entities.values()}
        missed, gone = set[str](), set[str]()
        for key in house.journal.guests | house.history.guests:
            known = guest_id(key)
            if house.journal.open_install(key) is not None or known in removed:
                continue
            if "." not in known:
                if registry.entities.get_entry(known) is None:
                    gone.add(key)
            elif self._is_missed(registry, known):
                (gone if key in self._missed else missed).add(key)
        self._missed = missed
        for key in gone:
            LOGGER.info("What was known of %s is given up: its entity is gone", guest_id(key))
            await house.journal.async_forget(key)
            house.history.async_forget(key)
            async_clear_module_issues(self._hass, key)

    @callback
    def _is_missed(self, registry: er.EntityRegistry, entity_id: str) -> bool:
        """Whether an entity is not there; what is registered by now is known by another key."""
        return registry.async_get(entity_id) is not None or self._hass.states.get(entity_id) is None
