"""Whose install it is: a module, by its config entry, or a guest of another integration.

The key of a guest is made from the id of the update entity in Home Assistant's registry, which
outlives that another name is given to it, and that its integration removes and adds it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

_GUEST: Final = "guest "


class Owner(Protocol):
    """Whose install it is: a module, by its config entry, or a guest."""

    @property
    def entry_id(self) -> str:
        """What the journal and the queue know it by."""

    @property
    def title(self) -> str:
        """Its name, for people."""

    @property
    def options(self) -> Mapping[str, Any]:
        """What a person configured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestOwner:
    """A guest as the journal knows it."""

    entry_id: str
    title: str
    options: Mapping[str, Any]

    @classmethod
    def noted(cls, key: str, note: Mapping[str, Any]) -> Self:
        """Return whom a note is about, with the safe state that it was begun with."""
        kept = note.get("guest", {})
        options = kept.get("options")
        return cls(
            entry_id=key,
            title=str(kept.get("name") or guest_id(key)),
            options=options if isinstance(options, Mapping) else {},
        )


def is_guest(key: str) -> bool:
    """Whether a key is that of a guest, and not of an entry."""
    return key.startswith(_GUEST)


def guest_id(key: str) -> str:
    """Return the id of a guest's entity in the registry, or its entity id where it has none."""
    return key.removeprefix(_GUEST)


def guest_key(hass: HomeAssistant, entity_id: str) -> str:
    """Return the key of a guest; one that is in no registry has its entity id."""
    entry = er.async_get(hass).async_get(entity_id)
    return _GUEST + (entry.id if entry else entity_id)


def guest_entity_id(hass: HomeAssistant, key: str) -> str:
    """Return what the update entity of a guest is called now, or was when it was there."""
    known = guest_id(key)
    return er.async_resolve_entity_id(er.async_get(hass), known) or known


def guest_place(hass: HomeAssistant, key: str) -> tuple[str | None, set[str]]:
    """Return the area and the labels of a guest: of its entity, and of its device."""
    entry = er.async_get(hass).async_get(guest_entity_id(hass, key))
    if entry is None:
        return None, set()
    device = dr.async_get(hass).async_get(entry.device_id) if entry.device_id else None
    area = entry.area_id or (device.area_id if device else None)
    return area, entry.labels | (device.labels if device else set())
