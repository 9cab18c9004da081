"""Weeks of a module: what was skipped, what failed, and what is kept, over restarts."""

import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.restore_state import async_get as async_get_restored
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, TALKING, Garden, assert_nothing_sent, options_for, patience
from tests.virtual_module import Fault, Seen

pytestmark = pytest.mark.slow


async def restart(garden: Garden, entry: MockConfigEntry) -> None:
    """Start anew with what is on disk, as after a power failure.

    What Home Assistant keeps of states it had not written yet, or forgot: it keeps them for a week.
    """
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    async_get_restored(garden.hass).last_states.clear()
    garden.hass.states.async_remove(CARD)
    await garden.house.journal.async_load()
    assert await garden.hass.config_entries.async_setup(entry.entry_id)
    await garden.hass.async_block_till_done()


async def press_at_night(garden: Garden) -> HomeAssistantError | None:
    """Do what the automation of the documentation does; return what it writes into the log."""
    return await garden.press() if garden.card.state == "on" else None


def stored(storage: dict[str, Any]) -> int:
    """Return how many bytes ESP OTA keeps."""
    ours = [item for key, item in storage.items() if key.startswith("esp_ota")]
    return sum(len(json.dumps(item)) for item in ours)


async def test_a_skip_holds_over_weeks_of_power_failures(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    garden.house.patience = TALKING
    entry = await garden.add(entry_for(module, options=options_for()))
    await garden.runs("1.0.0")
    await garden.release("1.1.0")
    await garden.hass.async_block_till_done()
    await garden.hass.services.async_call("update", "skip", {"entity_id": CARD}, blocking=True)

    for _ in range(21):
        await restart(garden, entry)
        assert garden.card.state == "off"
        assert garden.card.attributes["skipped_version"] == "1.1.0"
        assert await press_at_night(garden) is None
    assert_nothing_sent(module)

    clear = {"entity_id": CARD}
    await garden.hass.services.async_call("update", "clear_skipped", clear, blocking=True)
    await restart(garden, entry)
    assert garden.card.state == "on"


async def test_a_module_that_fails_each_night_is_sent_to_twice_in_three_weeks(
    garden: Garden, start_module: StartModule
) -> None:
    garden.house.patience = patience(evidence=1.0, go=1.0)
    module = await start_module(advertise=True, faults=[Fault.OLD_SKETCH_BACK])
    entry = await garden.add_talking(module, patience=garden.house.patience)

    causes: list[str | None] = []
    for _ in range(21):
        await garden.runs("1.0.0")
        error = await press_at_night(garden)
        causes.append(error.translation_key if error else None)
        await restart(garden, entry)

    assert causes == ["old_version_back"] * 2 + ["offered_twice"] * 19
    assert module.events.count_of(Seen.FIRST_BYTE) == 2


async def test_what_is_kept_does_not_grow_with_the_nights(
    garden: Garden, start_module: StartModule, hass_storage: dict[str, Any]
) -> None:
    module = await start_module(advertise=True)
    entry = await garden.add_talking(module)
    sizes: list[int] = []
    for number in range(1, 13):
        if number > 1:
            await garden.release(f"1.{number}.0")
        assert await press_at_night(garden) is None
        await garden.runs(f"1.{number}.0")
        await restart(garden, entry)
        garden.hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)  # what may wait as well
        await garden.hass.async_block_till_done()
        sizes.append(stored(hass_storage))

    assert len(garden.house.library.releases) == 5
    # The removed releases stay listed while nobody knows whether they lie in the folder.
    assert sizes[-1] - sizes[5] < 6 * 150
    assert sizes[-1] < 10_000
