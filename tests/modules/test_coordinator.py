"""What is known of one module, and from whom."""

from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.ota import Chip, ChipFamily
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_state_change_event
from tests.kit.entries import StartModule
from tests.kit.garden import (
    CARD,
    CLOSED_AND_OPENED,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
    until,
)
from tests.kit.hearing import coordinator_of, hear, said
from tests.virtual_module import Event, Seen, VirtualModule

pytestmark = pytest.mark.slow

MAC = "5c:cf:7f:a1:b2:c3"
OTHER_MAC = "5c:cf:7f:00:00:01"


@pytest.fixture
async def module(start_module: StartModule) -> VirtualModule:
    """Switch on a module that announces nothing."""
    return await start_module()


async def test_a_mac_that_is_announced_later_is_kept_and_links_the_device(
    garden: Garden, start_module: StartModule, device_registry: dr.DeviceRegistry
) -> None:
    module = await start_module(advertise=True)
    coordinator = await coordinator_of(garden, module)
    entry = coordinator.config_entry

    await until(lambda: entry.data["mac"] == MAC)

    device = device_registry.async_get_device_by_connection(
        (dr.CONNECTION_NETWORK_MAC, MAC), entry.entry_id
    )
    assert device is not None
    assert device.identifiers == {(DOMAIN, "garden-valve")}
    await until(lambda: coordinator.data.installed)
    device = device_registry.async_get(device.id)
    assert device is not None
    assert device.sw_version == "1.0.0"


async def test_a_mac_that_a_later_sketch_announces_links_the_device_without_a_reload(
    garden: Garden, module: VirtualModule, device_registry: dr.DeviceRegistry
) -> None:
    coordinator = await coordinator_of(garden, module)
    [device] = dr.async_entries_for_config_entry(device_registry, coordinator.config_entry.entry_id)
    assert device.connections == set()

    coordinator._heard(said(mac=MAC))

    assert coordinator.config_entry.data["mac"] == MAC
    after = device_registry.async_get(device.id)
    assert after is not None
    assert after.connections == {(dr.CONNECTION_NETWORK_MAC, MAC)}


async def test_what_another_module_says_under_the_same_name_is_not_believed(
    garden: Garden, module: VirtualModule
) -> None:
    coordinator = await coordinator_of(garden, module, mac=MAC, options=options_for())
    hear(coordinator, mac=MAC, version="1.0.0", chip=Chip.ESP8266)
    await garden.release("1.1.0")

    hear(coordinator, mac=OTHER_MAC, version="7.0.0", firmware="pump", chip=Chip.ESP32)

    assert coordinator.config_entry.data["mac"] == MAC
    assert coordinator.facts().mac == MAC
    assert coordinator.facts().chip is Chip.ESP8266
    assert garden.card.attributes["installed_version"] == "1.0.0"

    facts = await garden.refused("wrong_module")
    assert (facts["expected"], facts["found"]) == (MAC, OTHER_MAC)
    assert_nothing_sent(module)

    hear(coordinator, mac=MAC, version="1.0.0", chip=Chip.ESP8266)
    await garden.install()
    assert garden.valve == CLOSED_AND_OPENED


async def test_an_address_that_another_module_has_got_meanwhile_is_not_sent_to(
    garden: Garden, start_module: StartModule
) -> None:
    """A router gives the address of a module that is off to the next one that asks."""
    pump = await start_module(hostname="pump", mac=OTHER_MAC, advertise=True)
    await garden.release("1.1.0")
    await coordinator_of(garden, pump, options=options_for())
    await until(lambda: garden.house.announcements.find("127.0.0.1", pump.port))

    facts = await garden.refused("wrong_module")

    assert (facts["expected"], facts["found"]) == ("garden-valve", "pump")
    assert_nothing_sent(pump)
    assert garden.valve == []


async def test_an_address_that_changed_hands_a_moment_ago_is_not_sent_to(
    garden: Garden, start_module: StartModule
) -> None:
    """After a power cut, what the module announced before is still in the cache."""
    valve = await start_module(advertise=True)
    await garden.release("1.1.0")
    coordinator = await coordinator_of(garden, valve, options=options_for())
    await until(lambda: coordinator.data.installed)
    await valve.__aexit__(None, None, None)
    pump = await start_module(hostname="pump", mac=OTHER_MAC, advertise=True, port=valve.port)
    announcements = garden.house.announcements
    await until(lambda: announcements.find("127.0.0.1", pump.port) == "pump._arduino._tcp.local.")
    assert announcements.facts("garden-valve._arduino._tcp.local.")

    facts = await garden.refused("wrong_module")

    assert (facts["expected"], facts["found"]) == ("garden-valve", "pump")
    assert_nothing_sent(pump)
    assert garden.valve == []


async def test_another_module_that_turns_up_while_the_valve_closes_is_not_even_invited(
    garden: Garden, module: VirtualModule
) -> None:
    """An invitation alone makes a sketch stop what it does."""
    coordinator = await coordinator_of(garden, module, mac=MAC, options=options_for())
    hear(coordinator, mac=MAC, version="1.0.0", chip=Chip.ESP8266)
    await garden.release("1.1.0")

    @callback
    def turn_up(_event: object) -> None:
        hear(coordinator, mac=OTHER_MAC, version="1.0.0", chip=Chip.ESP8266)

    async_track_state_change_event(garden.hass, [VALVE], turn_up)

    facts = await garden.refused("wrong_module")

    assert (facts["expected"], facts["found"]) == (MAC, OTHER_MAC)
    assert_nothing_sent(module)
    garden.assert_at_rest(coordinator.config_entry, CLOSED_AND_OPENED)


async def test_a_module_that_was_swapped_during_the_restart_is_noticed(
    garden: Garden, module: VirtualModule
) -> None:
    coordinator = await coordinator_of(garden, module, mac=MAC, options=options_for())
    hear(coordinator, mac=MAC, version="1.0.0", chip=Chip.ESP8266)
    await garden.release("1.1.0")

    def swap(event: Event) -> None:
        if event.name is Seen.BACK:
            hear(coordinator, mac=OTHER_MAC, version="1.1.0", chip=Chip.ESP8266)

    module.events.listeners.append(swap)

    facts = await garden.refused("wrong_module")

    assert (facts["expected"], facts["found"]) == (MAC, OTHER_MAC)
    assert garden.valve == CLOSED_AND_OPENED


@pytest.mark.parametrize(
    ("changes", "announced", "chip", "family"),
    [
        ({"board": None}, None, None, None),
        ({"board": "nodemcuv2"}, None, Chip.ESP8266, ChipFamily.ESP8266),
        ({"board": None, "port": 3232}, None, None, None),
        (
            {"board": None, "port": 3232, "service_name": None, "transports": ["http_pull"]},
            None,
            None,
            ChipFamily.ESP32,
        ),
        ({"board": "nodemcuv2"}, {"chip": Chip.ESP32}, Chip.ESP32, ChipFamily.ESP32),
        ({"board": None}, {"family": ChipFamily.RP2}, None, ChipFamily.RP2),
        (
            {"board": "nodemcuv2", "options": {"chip": "esp32c3"}},
            {"chip": Chip.ESP32},
            Chip.ESP32_C3,
            ChipFamily.ESP32,
        ),
    ],
    ids=["nobody", "stored board", "port", "asked", "announced", "announced family", "chosen"],
)
async def test_the_chip_is_what_was_chosen_else_announced_else_stored(
    garden: Garden,
    module: VirtualModule,
    changes: dict[str, Any],
    announced: dict[str, Any] | None,
    chip: Chip | None,
    family: ChipFamily | None,
) -> None:
    coordinator = await coordinator_of(garden, module, **changes)
    if announced is not None:
        coordinator._heard(said(**announced))

    assert coordinator.facts().chip is chip
    assert coordinator.facts().family is family


async def test_a_sketch_that_asks_for_a_version_is_answered_in_its_own_spelling(
    garden: Garden, module: VirtualModule
) -> None:
    await garden.release("v1.0.0_ESP8266")
    coordinator = await coordinator_of(garden, module)
    assert coordinator.asking.version_for_query() == "v1.0.0_ESP8266"
    coordinator.async_set_installed("1.0.0", None, assumed=False)
    assert coordinator.asking.version_for_query() == "1.0.0"
    await garden.release("1.1.0")
    assert coordinator.asking.version_for_query() == "1.1.0"


async def test_a_chosen_firmware_wins_over_the_announced_name(
    garden: Garden, module: VirtualModule
) -> None:
    coordinator = await coordinator_of(garden, module, options={"firmware": "chosen"})
    coordinator._heard(said(version="1.0.0", firmware="announced"))
    assert coordinator.facts().firmware == "chosen"


async def test_an_announced_firmware_needs_no_choice(garden: Garden, module: VirtualModule) -> None:
    await garden.release("1.1.0")
    coordinator = await coordinator_of(garden, module, options={"equipment": "nothing"})
    assert coordinator.releases == []

    coordinator._heard(said(version="1.0.0", firmware="garden-valve", chip=Chip.ESP8266))

    assert coordinator.offered is not None
    assert coordinator.offered.version == "1.1.0"


async def test_a_module_without_announcements_is_neither_listened_to_nor_asked(
    garden: Garden, module: VirtualModule
) -> None:
    await garden.release("1.1.0")
    coordinator = await coordinator_of(garden, module, service_name=None)
    assert not garden.house.announcements._listeners

    await garden.install()  # where the module is asked for what it runs

    assert garden.card.attributes["last_verdict"] == "unverified"
    assert coordinator.data.installed == "1.1.0"


async def test_a_module_is_not_listened_to_once_its_entry_is_unloaded(
    garden: Garden, module: VirtualModule
) -> None:
    coordinator = await coordinator_of(garden, module)
    assert garden.house.announcements._listeners

    await garden.hass.config_entries.async_unload(coordinator.config_entry.entry_id)

    assert not garden.house.announcements._listeners


async def test_what_was_announced_before_the_entry_was_loaded_is_known_at_once(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    name = "garden-valve._arduino._tcp.local."
    await until(lambda: garden.house.announcements.facts(name))

    await coordinator_of(garden, module)

    assert garden.card.attributes["installed_version"] == "1.0.0"
    state = garden.hass.states.get(CARD)
    assert state is not None


async def test_the_same_words_again_write_no_state(garden: Garden, module: VirtualModule) -> None:
    coordinator = await coordinator_of(garden, module)
    coordinator._heard(said(version="1.0.0"))
    before = garden.card

    coordinator._heard(said(version="1.0.0"))
    await garden.hass.async_block_till_done()

    assert garden.card is before


async def test_the_same_words_again_count_against_what_was_assumed_since(
    garden: Garden, module: VirtualModule
) -> None:
    coordinator = await coordinator_of(garden, module)
    coordinator._heard(said(version="1.0.0"))
    coordinator.async_set_installed("1.1.0", None, assumed=True)

    coordinator._heard(said(version="1.0.0"))

    assert (coordinator.data.installed, coordinator.data.assumed) == ("1.0.0", False)


async def test_accepted_checks_are_read_from_the_options(
    garden: Garden, module: VirtualModule
) -> None:
    coordinator = await coordinator_of(garden, module, options={"accepted_checks": ["packing"]})
    assert coordinator.accepted == {"packing"}
