"""A change of the library is shown by all modules, and holds the event loop for none of them."""

import asyncio
from collections import Counter
from itertools import pairwise
import time

import pytest

from custom_components.esp_ota.house import HOUSE
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from tests.kit.entries import entry_for
from tests.kit.garden import Garden
from tests.virtual_module import ModuleConfig, VirtualModule

MANY = 200


class Shown:
    """Many who show what the library has, each as slowly as a card does."""

    def __init__(self, hass: HomeAssistant, count: int) -> None:
        """Let so many be told."""
        self.told: Counter[int] = Counter()
        cards = hass.data[HOUSE].cards
        self.stops = [cards.async_add(self._card(number)) for number in range(count)]

    def _card(self, number: int) -> CALLBACK_TYPE:
        @callback
        def tell() -> None:
            time.sleep(0.0005)
            self.told[number] += 1

        return tell


async def test_a_small_house_shows_a_change_at_once(hass: HomeAssistant, esp_ota: None) -> None:
    shown = Shown(hass, 8)

    hass.data[HOUSE].library.async_changed()

    assert shown.told == Counter(range(8))


async def test_of_many_some_show_a_change_at_once_and_all_soon(
    hass: HomeAssistant, esp_ota: None
) -> None:
    shown = Shown(hass, MANY)

    hass.data[HOUSE].library.async_changed()

    assert 8 <= len(shown.told) < MANY
    await hass.async_block_till_done()
    assert shown.told == Counter(range(MANY))


async def test_between_the_cards_of_many_the_loop_serves_others(
    hass: HomeAssistant, esp_ota: None
) -> None:
    shown, turns = Shown(hass, MANY), []

    async def serve_others() -> None:
        while len(shown.told) < MANY:
            turns.append(len(shown.told))
            await asyncio.sleep(0)

    hass.data[HOUSE].library.async_changed()
    await serve_others()

    # Each takes half a millisecond, so that a slice of three has seven of them, or at least eight.
    assert max(after - before for before, after in pairwise(turns)) <= 8


async def test_a_change_that_comes_meanwhile_is_shown_by_all_as_well(
    hass: HomeAssistant, esp_ota: None
) -> None:
    shown, library = Shown(hass, MANY), hass.data[HOUSE].library

    library.async_changed()
    first = set(shown.told)
    library.async_changed()
    await hass.async_block_till_done()

    assert shown.told == Counter([*range(MANY), *first])


async def test_who_is_gone_before_its_turn_is_not_told(hass: HomeAssistant, esp_ota: None) -> None:
    shown = Shown(hass, MANY)

    hass.data[HOUSE].library.async_changed()
    shown.stops[-1]()
    await hass.async_block_till_done()

    assert MANY - 1 not in shown.told
    assert len(shown.told) == MANY - 1


async def test_the_cards_of_several_modules_all_show_a_release(
    garden: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.esp_ota.house.cards._AT_LEAST", 1)
    monkeypatch.setattr("custom_components.esp_ota.house.cards._SLICE", 0.0)
    for number in range(3):
        entry = entry_for(VirtualModule(ModuleConfig()), unique_id=str(number), service_name=None)
        await garden.add(entry)

    await garden.release("1.1.0")
    await garden.hass.async_block_till_done()

    cards = garden.hass.states.async_all("update")
    assert [card.attributes["latest_version"] for card in cards] == ["1.1.0"] * 3


async def test_a_module_that_is_only_seen_again_does_not_ask_the_gate_again(
    garden: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await garden.add(entry_for(VirtualModule(ModuleConfig())))
    coordinator = entry.runtime_data.coordinator
    coordinator.async_set_installed("1.0.0", "garden-valve", assumed=False)
    shown = garden.card.last_reported

    coordinator.presence.async_heard()

    assert coordinator.data.last_seen is not None
    assert garden.card.last_reported == shown
    coordinator.async_table_read(100)  # by which a card may offer something else
    assert garden.card.last_reported > shown
