"""The update entities of modules that are guests: they say and do what the world does."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, override

import attr

from homeassistant.components.update import (
    DATA_COMPONENT,
    DOMAIN as UPDATE_DOMAIN,
    UpdateEntity,
    UpdateEntityFeature,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.setup import async_setup_component

from .link import Link, Message
from .points import id_of

type Reach = Callable[[str, str | None], None]


def guest_card(guest: str) -> str:
    """Return the update entity of a guest."""
    return f"update.{guest}_guest"


class GuestUpdate(UpdateEntity):
    """One guest's."""

    _attr_should_poll = False
    _attr_supported_features = UpdateEntityFeature.INSTALL | UpdateEntityFeature.PROGRESS

    def __init__(self, guests: Guests, guest: str, says: Mapping[str, Any]) -> None:
        """Say what the world says."""
        self._guests = guests
        self._guest = guest
        self._attr_unique_id = self._attr_name = guest
        self.entity_id = guest_card(guest)
        self.take(says)

    def take(self, says: Mapping[str, Any]) -> None:
        """Take what it says from now on."""
        self._attr_installed_version = says["installed"]
        self._attr_latest_version = says["latest"]
        self._attr_in_progress = says["in_progress"]
        self._attr_available = says["available"]

    @override
    async def async_install(self, version: str | None, backup: bool, **kwargs: Any) -> None:
        """Have the world install, as its integration would."""
        await self._guests.install(self._guest)


class Guests:
    """One life's."""

    def __init__(self, hass: HomeAssistant, link: Link, reach: Reach) -> None:
        """Nobody is there yet."""
        self._hass = hass
        self._link = link
        self._reach = reach
        self._ids = count(1)
        self._calls: dict[int, asyncio.Future[Message]] = {}
        self.cards: dict[str, GuestUpdate] = {}

    async def add(self, guests: Mapping[str, Any], areas: Mapping[str, str]) -> None:
        """Show them, with ids that every life gives them."""
        if not guests:
            return
        assert await async_setup_component(self._hass, UPDATE_DOMAIN, {})
        registry = er.async_get(self._hass)
        for guest, says in guests.items():
            object_id = guest_card(guest).partition(".")[2]
            entry = registry.async_get_or_create(
                UPDATE_DOMAIN, UPDATE_DOMAIN, guest, suggested_object_id=object_id
            )
            if entry.id != id_of(guest):
                registry.entities[entry.entity_id] = attr.evolve(entry, id=id_of(guest))
            if (area := areas.get(guest)) is not None:
                place = ar.async_get(self._hass).async_get_or_create(area)
                registry.async_update_entity(entry.entity_id, area_id=place.id)
            self.cards[guest] = GuestUpdate(self, guest, says)
        await self._hass.data[DATA_COMPONENT].async_add_entities(self.cards.values())

    async def install(self, guest: str) -> None:
        """Tell the world, and return or raise when the call is to end."""
        number = next(self._ids)
        answer = self._calls[number] = self._hass.loop.create_future()
        self._link.tell("install", id=number, module=guest)
        self._reach("guest_told", guest)
        said = await answer
        if said["how"] == "refused":
            raise ServiceValidationError(said["words"])
        if said["how"] == "failed":
            raise HomeAssistantError(said["words"])

    def take(self, message: Message) -> None:
        """Take what the world says of one, or of a call."""
        if message["do"] == "guest":
            card = self.cards[message["module"]]
            card.take(message["says"])
            card.async_write_ha_state()
        elif not (answer := self._calls.pop(message["id"])).done():
            answer.set_result(message)
