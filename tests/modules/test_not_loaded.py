"""Modules whose entries are not loaded: nothing announced changes them, and then they are found."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import CONF_MOVED_FROM
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.exceptions import HomeAssistantError
from tests.house.test_newcomers import announced
from tests.kit.adding import assert_aborted, discover
from tests.kit.garden import Garden, until
from tests.kit.neighbours import ELSEWHERE, HERE, PUMP_MAC, VALVE_MAC, Neighbours
from tests.kit.three_doors import PAGE
from tests.virtual_module import HttpConfig, HttpDialect, HttpModule, Seen, VirtualModule

pytestmark = pytest.mark.slow

SERVICE = "garden-valve._arduino._tcp.local."
IDENTITIES: dict[str, dict[str, Any]] = {
    "by name": {},
    "by name, with a learnt MAC": {"mac": VALVE_MAC},
    "by MAC": {"unique_id": VALVE_MAC, "mac": VALVE_MAC},
    "by MAC alone": {"unique_id": VALVE_MAC, "mac": VALVE_MAC, "service_name": None},
}


async def add(neighbours: Neighbours, valve: VirtualModule, **known: Any) -> MockConfigEntry:
    """Add a module, of which maybe nothing but its MAC is known."""
    is_heard = known.pop("service_name", SERVICE) is not None
    entry = await neighbours.add(valve, **known)
    hass = neighbours.garden.hass
    if not is_heard:
        data = {**entry.data, "service_name": None, "name": HERE}
        hass.config_entries.async_update_entry(entry, data=data)
    flows = hass.config_entries.flow
    for flow in flows.async_progress():
        flows.async_abort(flow["flow_id"])
    return entry


async def disable(garden: Garden, entry: MockConfigEntry) -> None:
    """Disable an entry."""
    entries = garden.hass.config_entries
    assert await entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)


async def enable(garden: Garden, entry: MockConfigEntry) -> None:
    """Enable it again."""
    assert await garden.hass.config_entries.async_set_disabled_by(entry.entry_id, None)


def forget(garden: Garden) -> None:
    """Let those records expire that nobody asks for again while nobody wants them."""
    cache = garden.house.announcements._zeroconf.cache
    short = [record for records in cache.cache.values() for record in records if record.ttl <= 120]
    cache.async_remove_records(short)
    assert garden.house.announcements.facts(SERVICE) is None


@pytest.mark.parametrize("known", IDENTITIES.values(), ids=IDENTITIES)
async def test_one_that_moved_while_it_was_disabled_is_found_once_it_is_enabled(
    garden: Garden, neighbours: Neighbours, known: dict[str, Any]
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_mac="mac" in known)
    entry = await add(neighbours, valve, **known)
    await garden.release("1.1.0")
    await disable(garden, entry)
    before = dict(entry.data), entry.unique_id
    valve.will_be_at(ELSEWHERE)
    await valve.power_cycle()
    await valve.wait_for(Seen.BACK)

    told = announced("garden-valve", ELSEWHERE, valve.port, mac=known.get("mac"))
    assert_aborted(await discover(garden.hass, told), "already_configured")

    assert (dict(entry.data), entry.unique_id) == before
    assert not garden.hass.config_entries.flow.async_progress()
    forget(garden)
    await enable(garden, entry)
    await until(lambda: entry.data["host"] == ELSEWHERE, 40)
    assert entry.data[CONF_MOVED_FROM] == HERE
    await garden.install("1.1.0")
    assert valve.running_version == "1.1.0"
    assert CONF_MOVED_FROM not in entry.data


@pytest.mark.parametrize("known", IDENTITIES.values(), ids=IDENTITIES)
async def test_nothing_announced_changes_an_entry_that_is_not_loaded_nor_makes_a_second_card(
    garden: Garden, neighbours: Neighbours, known: dict[str, Any]
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_mac="mac" in known)
    entry = await add(neighbours, valve, **known)
    await disable(garden, entry)
    await valve.__aexit__(None, None, None)
    before = dict(entry.data), entry.unique_id
    stranger = await neighbours.start("other", ELSEWHERE, PUMP_MAC, advertise=False)

    mac, port = known.get("mac"), stranger.port
    said = [announced("garden-valve", ELSEWHERE, port, mac=mac)]
    said += [announced("terrace-valve", ELSEWHERE, port, mac=mac)] if mac else []
    said += [] if entry.unique_id == VALVE_MAC else [announced("garden-valve", HERE, port)]
    for info in said:
        assert_aborted(await discover(garden.hass, info), "already_configured")

    assert (dict(entry.data), entry.unique_id) == before
    assert not garden.hass.config_entries.flow.async_progress()


async def test_one_known_by_its_address_alone_is_named_by_nobody_while_it_is_not_loaded(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_mac=False)
    entry = await add(neighbours, valve, unique_id=None, service_name=None)
    await disable(garden, entry)
    before = dict(entry.data)

    told = announced("stranger", HERE, valve.port, mac=PUMP_MAC)
    assert_aborted(await discover(garden.hass, told), "already_configured")

    assert (dict(entry.data), entry.unique_id) == (before, None)


async def test_a_page_of_another_kind_is_shown_no_password_after_the_entry_was_not_loaded(
    garden: Garden, neighbours: Neighbours
) -> None:
    neighbours.kind = PAGE
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    page = {"upload_dialect": "update_server", "upload_password": "geheim"}
    entry = await neighbours.add(valve, mac=VALVE_MAC, **page)
    await garden.release("1.1.0")
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    await valve.__aexit__(None, None, None)
    other = await neighbours.start(
        "garden-valve", ELSEWHERE, VALVE_MAC, http=HttpConfig(dialect=HttpDialect.ELEGANT_OTA)
    )
    assert isinstance(other, HttpModule)

    await discover(garden.hass, announced("garden-valve", ELSEWHERE, other.port))
    assert entry.data["host"] == HERE
    assert await garden.hass.config_entries.async_setup(entry.entry_id)
    with pytest.raises(HomeAssistantError):
        await garden.install("1.1.0")

    assert entry.data["host"] == HERE
    heads = [line.lower() for head in other.request_heads for line in head]
    assert not any(line.startswith("authorization") for line in heads)
