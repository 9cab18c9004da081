"""Modules that a new sketch has given another name, and strangers that say to be such a one."""

from dataclasses import replace
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import CONF_MOVED_FROM, CONF_NAMED_BEFORE, DOMAIN
from custom_components.esp_ota.modules.names import async_rename
from homeassistant.components.repairs.const import DOMAIN as REPAIRS
from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.kit.entries import entry_for
from tests.kit.garden import Garden, assert_nothing_sent, until
from tests.kit.neighbours import ELSEWHERE, HERE, PUMP_MAC, VALVE_MAC, Neighbours
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.three_doors import PAGE
from tests.virtual_module import HttpConfig, ModuleConfig, Seen, VirtualModule

pytestmark = pytest.mark.slow

OLD, NEW = "garden-valve._arduino._tcp.local.", "terrace-valve._arduino._tcp.local."


def renamed_issue(garden: Garden) -> ir.IssueEntry | None:
    """Return the repair that asks whether a module has another name."""
    issues = ir.async_get(garden.hass).issues.values()
    return next((one for one in issues if one.translation_key == "module_renamed"), None)


async def rename(module: VirtualModule, name: str = "terrace-valve", host: str = HERE) -> None:
    """Give it a sketch with another host name."""
    module.config = module.board.config = replace(module.config, hostname=name, host=host)
    back = module.events.count_of(Seen.BACK)
    await module.power_cycle()
    await module.wait_for(Seen.BACK, count=back + 1)


async def add(neighbours: Neighbours, module: VirtualModule, **changes: Any) -> MockConfigEntry:
    """Add a module from its card, which is gone then."""
    entry = await neighbours.add(module, **changes)
    flows = neighbours.garden.hass.config_entries.flow
    for flow in flows.async_progress():
        flows.async_abort(flow["flow_id"])
    return entry


async def answer(garden: Garden, choice: str) -> None:
    """Press Fix on the repair, and choose."""
    assert await async_setup_component(garden.hass, REPAIRS, {})
    issue = renamed_issue(garden)
    assert issue is not None
    assert_issue_is_whole(issue)
    manager: Any = garden.hass.data[REPAIRS]["flow_manager"]
    flow = await manager.async_init(DOMAIN, data={"issue_id": issue.issue_id})
    assert flow["type"] is FlowResultType.MENU
    result = await manager.async_configure(flow["flow_id"], {"next_step_id": choice})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert renamed_issue(garden) is None


@pytest.mark.parametrize("host", [HERE, ELSEWHERE], ids=["same address", "another address"])
async def test_a_module_with_a_new_name_is_followed_where_its_mac_is_known(
    garden: Garden, neighbours: Neighbours, host: str
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await add(neighbours, valve, mac=VALVE_MAC, unique_id=VALVE_MAC)
    await garden.release("1.1.0")

    await rename(valve, host=host)
    await until(lambda: entry.data["service_name"] == NEW, 30)

    assert (entry.title, entry.data["name"]) == ("garden-valve", "terrace-valve")
    assert (entry.data["host"], entry.unique_id) == (host, VALVE_MAC)
    assert entry.data[CONF_NAMED_BEFORE] == OLD
    assert renamed_issue(garden) is None
    assert not garden.hass.config_entries.flow.async_progress()
    await garden.install("1.1.0")
    assert valve.running_version == "1.1.0"
    assert garden.card.attributes["last_verdict"] == "verified"


async def test_a_new_name_of_the_time_in_which_nobody_listened_is_found(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await add(neighbours, valve, mac=VALVE_MAC, unique_id=VALVE_MAC)
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    await rename(valve)
    await until(lambda: garden.house.announcements.facts(NEW))
    await until(lambda: not garden.hass.config_entries.flow.async_progress())

    assert await garden.hass.config_entries.async_setup(entry.entry_id)

    await until(lambda: entry.data["service_name"] == NEW, 40)
    await garden.runs("1.0.0")


async def test_a_name_that_it_had_before_is_followed_back(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await add(neighbours, valve, mac=VALVE_MAC, unique_id=VALVE_MAC)
    await rename(valve)
    await until(lambda: entry.data["service_name"] == NEW, 30)

    await rename(valve, "garden-valve")

    await until(lambda: entry.data["service_name"] == OLD, 30)


@pytest.mark.parametrize(("choice", "name"), [("renamed", NEW), ("stays", OLD)])
async def test_without_a_mac_a_person_says_whether_it_is_called_anew(
    garden: Garden, neighbours: Neighbours, choice: str, name: str
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_mac=False)
    entry = await add(neighbours, valve)
    await garden.release("1.1.0")

    await rename(valve)
    await until(lambda: renamed_issue(garden), 30)
    assert entry.data["service_name"] == OLD
    assert (await garden.refused("wrong_module", "1.1.0"))["found"] == "terrace-valve"
    await answer(garden, choice)

    assert entry.data["service_name"] == name
    if choice == "renamed":
        assert entry.unique_id == "terrace-valve"
        await garden.install("1.1.0")
        assert valve.running_version == "1.1.0"
    else:
        await garden.refused("wrong_module", "1.1.0")
        assert_nothing_sent(valve)


async def test_a_name_that_another_entry_is_known_by_becomes_nobody_s_id_twice(
    garden: Garden,
) -> None:
    ignored = MockConfigEntry(domain=DOMAIN, unique_id="terrace-valve", source=SOURCE_IGNORE)
    ignored.add_to_hass(garden.hass)
    entry = await garden.add(entry_for(VirtualModule(ModuleConfig())))

    async_rename(garden.hass, entry, NEW)

    assert entry.data["service_name"] == NEW
    assert (entry.unique_id, ignored.unique_id) == ("garden-valve", "terrace-valve")


async def test_the_question_of_another_start_is_taken_back_when_the_old_name_speaks(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_mac=False)
    entry = await add(neighbours, valve)
    await rename(valve)
    await until(lambda: renamed_issue(garden), 30)

    await garden.hass.config_entries.async_reload(entry.entry_id)
    assert renamed_issue(garden) is not None  # what a cache still says is no answer
    await rename(valve, "garden-valve")

    await until(lambda: renamed_issue(garden) is None, 30)
    assert entry.data["service_name"] == OLD


async def test_nobody_is_followed_while_the_old_name_answers(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await add(neighbours, valve, mac=VALVE_MAC, unique_id=VALVE_MAC)
    names = entry.runtime_data.coordinator.names
    stranger = await neighbours.start("terrace-valve", ELSEWHERE, VALVE_MAC)
    await until(lambda: garden.house.announcements.facts(NEW))
    facts = garden.house.announcements.facts(NEW)
    assert facts is not None

    assert await names.async_look(NEW, facts) is False
    assert await names.async_look(NEW, replace(facts, host=HERE)) is False

    assert (entry.data["service_name"], entry.data["host"]) == (OLD, HERE)
    assert_nothing_sent(stranger)


async def test_a_person_is_asked_where_the_old_address_still_answers(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await add(neighbours, valve, mac=VALVE_MAC, unique_id=VALVE_MAC)
    await garden.release("1.1.0")
    assert valve._advert is not None
    valve._advert.silence()

    stranger = await neighbours.start("terrace-valve", ELSEWHERE, VALVE_MAC)
    await until(lambda: renamed_issue(garden), 30)

    assert (entry.data["service_name"], entry.data["host"]) == (OLD, HERE)
    await garden.install("1.1.0")
    assert valve.running_version == "1.1.0"
    assert_nothing_sent(stranger)
    await until(lambda: renamed_issue(garden) is None, 60)  # it spoke when it came back


async def test_nobody_is_followed_whose_page_is_of_another_kind_at_the_same_address(
    garden: Garden, neighbours: Neighbours
) -> None:
    neighbours.kind = PAGE
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    page = {"upload_dialect": "update_server"}
    entry = await add(neighbours, valve, mac=VALVE_MAC, unique_id=VALVE_MAC, **page)
    await valve.__aexit__(None, None, None)
    await neighbours.start("terrace-valve", HERE, VALVE_MAC, http=HttpConfig(dialect="elegant_ota"))
    await until(lambda: garden.house.announcements.facts(NEW))
    facts = garden.house.announcements.facts(NEW)
    assert facts is not None

    assert await entry.runtime_data.coordinator.names.async_look(NEW, facts) is False

    assert entry.data["service_name"] == OLD


async def test_another_mac_is_another_module_whatever_its_name(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await add(neighbours, valve, mac=VALVE_MAC, unique_id=VALVE_MAC)
    await valve.__aexit__(None, None, None)
    await neighbours.start("terrace-valve", HERE, PUMP_MAC)
    await until(lambda: garden.house.announcements.facts(NEW))
    facts = garden.house.announcements.facts(NEW)
    assert facts is not None

    assert await entry.runtime_data.coordinator.names.async_look(NEW, facts) is False
    assert renamed_issue(garden) is None


async def test_one_that_is_back_where_it_was_is_believed_once_nobody_else_answers(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await add(neighbours, valve, mac=VALVE_MAC, unique_id=VALVE_MAC)
    assert valve._advert is not None
    valve._advert.silence()
    await valve._stop()
    impostor = await neighbours.start("terrace-valve", ELSEWHERE, VALVE_MAC)
    await until(lambda: entry.data["service_name"] == NEW, 40)
    assert (entry.data["host"], entry.data[CONF_MOVED_FROM]) == (ELSEWHERE, HERE)

    await valve.power_cycle()
    await until(lambda: renamed_issue(garden), 30)
    assert (entry.data["service_name"], entry.data["host"]) == (NEW, ELSEWHERE)
    assert_nothing_sent(impostor)

    await impostor.__aexit__(None, None, None)
    await valve.power_cycle()
    await until(lambda: entry.data["service_name"] == OLD, 30)
    assert entry.data["host"] == HERE
    await garden.release("1.1.0")
    await garden.install("1.1.0")
    assert valve.running_version == "1.1.0"
