"""Modules of the neighbour's integration in a test's yard, and updates of them as guests."""

from collections.abc import Mapping
from typing import Any

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    mock_integration,
    mock_platform,
)

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.guests import GUESTS, Guests
from custom_components.esp_ota.ota import GuestLimits
from custom_components.esp_ota.owners import guest_key
from homeassistant.core import Context, HomeAssistant
from tests import neighbour
from tests.kit.garden import Garden
from tests.neighbour import config_flow, update
from tests.neighbour.update import NeighbourUpdate

SHORT = GuestLimits(quiet=0.6, in_progress=1.0, failed=0.4, all_in_all=5.0)
"""For waits that are meant to run out."""


async def move_in(hass: HomeAssistant, *manners: Mapping[str, Any]) -> MockConfigEntry:
    """Set up modules of the neighbour, each a name and how it behaves."""
    NeighbourUpdate.calls.clear()
    NeighbourUpdate.runs.clear()
    mock_integration(
        hass,
        MockModule(
            neighbour.DOMAIN,
            async_setup_entry=neighbour.async_setup_entry,
            async_unload_entry=neighbour.async_unload_entry,
        ),
        built_in=False,
    )
    mock_platform(hass, f"{neighbour.DOMAIN}.update", update, built_in=False)
    mock_platform(hass, f"{neighbour.DOMAIN}.config_flow", config_flow, built_in=False)
    entry = MockConfigEntry(
        domain=neighbour.DOMAIN, data={"modules": [dict(manner) for manner in manners]}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def card(name: str) -> str:
    return f"update.{name}_firmware"


def installed(hass: HomeAssistant, name: str) -> str | None:
    """Return what the card of a guest says."""
    state = hass.states.get(card(name))
    value = state.attributes.get("installed_version") if state else None
    return None if value is None else str(value)


def calls() -> list[tuple[str, str | None]]:
    """Return each install that reached a guest: who, and the version that was named."""
    return list(NeighbourUpdate.calls)


async def update_guests(
    garden: Garden, *names: str, user: str | None = None, **data: Any
) -> dict[str, dict[str, Any]]:
    """Have guests updated, and return what became of each."""
    data.setdefault("guest_equipment", "nothing")
    answer = await garden.hass.services.async_call(
        DOMAIN,
        "update_guests",
        {"entity_id": [card(name) for name in names], **data},
        blocking=True,
        return_response=True,
        context=Context(user_id=user),
    )
    assert answer is not None
    lines: Any = [*answer["guests"], *answer["left_out"]]  # type: ignore[misc]
    return {line["module"]: line for line in lines}


async def start_again(garden: Garden) -> None:
    """Begin another life of the guests, with what the disk says."""
    await garden.house.journal.async_load()
    again = garden.hass.data[GUESTS] = Guests(garden.hass)
    again._async_pick_up(garden.hass)


def guests_of(hass: HomeAssistant) -> Guests:
    return hass.data[GUESTS]


def key_of(hass: HomeAssistant, name: str) -> str:
    return guest_key(hass, card(name))
