"""Another board in a module's place, under the same name."""

from typing import Any

import pytest

from custom_components.esp_ota.modules import ModuleCoordinator
from custom_components.esp_ota.ota import Chip, ChipFamily, PullRequest
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import TALKING, Garden, assert_nothing_sent, options_for
from tests.kit.hearing import coordinator_of, hear
from tests.virtual_module import VirtualModule

pytestmark = pytest.mark.slow

MAC = "5c:cf:7f:a1:b2:c3"


@pytest.fixture
async def module(start_module: StartModule) -> VirtualModule:
    """Switch on a module that announces nothing."""
    return await start_module()


async def replaced(garden: Garden, module: VirtualModule, was: str) -> ModuleCoordinator:
    """Set a module up that was another board when it was added, and says so by now."""
    garden.house.patience = TALKING
    coordinator = await coordinator_of(garden, module, board=was, options=options_for())
    await garden.runs("1.0.0")
    return coordinator


async def test_an_image_for_the_board_that_was_there_before_is_not_sent(
    garden: Garden, start_module: StartModule
) -> None:
    """An ESP8266 takes that of an ESP32, and never comes back."""
    module = await start_module(board="generic", advertise=True, txt_mac=False)
    await replaced(garden, module, "esp32")
    await garden.release("1.1.0", "esp32")

    await garden.refused("not_certain_chip", "1.1.0")

    assert garden.card.attributes["latest_version"] == "1.0.0"
    assert_nothing_sent(module)
    assert garden.valve == []


async def test_a_board_that_names_no_chip_is_not_taken_for_the_one_before_it(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(chip="esp32", board="d1_mini32", advertise=True, txt_mac=False)
    coordinator = await replaced(garden, module, "nodemcuv2")
    await garden.release("1.1.0")

    await garden.refused("not_certain_chip", "1.1.0")

    assert_nothing_sent(module)
    device = coordinator.device
    assert device is not None
    assert device.model == "d1_mini32"
    await garden.hass.config_entries.async_reload(coordinator.config_entry.entry_id)
    assert coordinator.config_entry.data["board"] == "d1_mini32"


@pytest.mark.parametrize(
    ("announced", "chip", "family"),
    [
        (None, None, ChipFamily.ESP8266),
        ({"board": "esp32", "chip": Chip.ESP32, "family": ChipFamily.ESP32}, None, None),
        ({"board": "d1_mini", "chip": Chip.ESP8266}, Chip.ESP8266, ChipFamily.ESP8266),
    ],
    ids=["it only asks", "it says otherwise", "it says the same"],
)
async def test_a_request_of_another_family_is_not_one_of_the_board_before(
    garden: Garden,
    module: VirtualModule,
    announced: dict[str, Any] | None,
    chip: Chip | None,
    family: ChipFamily | None,
) -> None:
    coordinator = await coordinator_of(garden, module, board="esp32")
    if announced is not None:
        hear(coordinator, **announced)
    headers = {
        "user-agent": "ESP8266-http-Update",
        "x-esp8266-sta-mac": MAC,
        "x-esp8266-mode": "sketch",
    }
    request = PullRequest.parse(headers)
    assert request is not None
    assert await coordinator.asking.async_asked(request, "127.0.0.1", own=True)

    assert coordinator.facts().chip is chip
    assert coordinator.facts().family is family


async def test_what_the_board_before_it_taught_is_forgotten(
    garden: Garden, module: VirtualModule
) -> None:
    """Its files are on the board that is in a drawer now, and its slot was smaller."""
    entry = entry_for(module, board="nodemcuv2", options=options_for())
    learnt = {
        "slots": [{"size": 300_000, "source": "refusal", "at": 1.0}],
        "filesystem_sha256": "a" * 64,
        "filesystem_area": 1 << 20,
    }
    await garden.house.journal.async_learn(entry.entry_id, learnt)
    await garden.add(entry)
    coordinator: ModuleCoordinator = entry.runtime_data.coordinator

    hear(coordinator, board="d1_mini", chip=Chip.ESP8266)
    assert coordinator.facts().slot_size == 300_000

    hear(coordinator, board="esp32", chip=Chip.ESP32, slot_size=1_310_720)
    facts = coordinator.facts()
    assert (facts.slot_size, facts.filesystem_sha256) == (1_310_720, None)
    await garden.hass.async_block_till_done()
    kept = garden.house.journal.learnt(entry.entry_id)
    assert kept["filesystem_sha256"] is None
    assert [slot["size"] for slot in kept["slots"]] == [1_310_720]
