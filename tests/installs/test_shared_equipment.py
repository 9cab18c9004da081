"""Two modules whose own safe states use one valve: never is it opened under the other."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.ota import InstallResult, Verdict
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from tests.installs.test_recovery import crashed
from tests.kit.entries import StartModule, entry_for
from tests.kit.equipment import is_free, taken
from tests.kit.garden import (
    CARD,
    CLOSED_AND_OPENED,
    UNTOUCHED,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
    patience,
    until,
)
from tests.kit.rehearsal import choose, outcome, shown_now
from tests.kit.sentences import assert_error_is_whole, assert_issue_is_whole
from tests.virtual_module import VirtualModule, build_image

pytestmark = pytest.mark.slow

SLOW = {"loop_time": 5}
NEW = build_image("esp8266", version="1.1.0", size=48 * 1024)


def named(module: VirtualModule, name: str, **safe_state: Any) -> MockConfigEntry:
    """Return the entry of a module with a name of its own, which switches the valve."""
    entry = entry_for(
        module,
        options=options_for(safe_state),
        unique_id=name,
        name=name,
        service_name=f"{name}._arduino._tcp.local.",
    )
    object.__setattr__(entry, "title", name)
    return entry


def card_of(hass: HomeAssistant, name: str) -> str:
    return next(
        state.entity_id
        for state in hass.states.async_all("update")
        if name.replace("-", "_") in state.entity_id
    )


async def press(hass: HomeAssistant, name: str) -> None:
    data = {"entity_id": card_of(hass, name)}
    await hass.services.async_call("update", "install", data, blocking=True)


def waits_for(hass: HomeAssistant, name: str) -> Any:
    card = hass.states.get(card_of(hass, name))
    assert card is not None
    return card.attributes["stage"], card.attributes["waits_for"]


async def two(garden: Garden, start_module: StartModule, **second: Any) -> list[VirtualModule]:
    """Set up two modules that switch one valve; `second` changes the safe state of the other."""
    await garden.release("1.1.0")
    modules = []
    for name, changes in (("one", {}), ("two", second)):
        module = await start_module(hostname=name, **SLOW)
        await garden.add(named(module, name, **changes))
        modules.append(module)
    return modules


async def script(hass: HomeAssistant) -> None:
    from homeassistant.setup import async_setup_component

    closes = {"action": "input_boolean.turn_off", "target": {"entity_id": VALVE}}
    config = {"script": {"close_main": {"sequence": [closes]}}}
    assert await async_setup_component(hass, "script", config)


OTHER_CONDITION = [{"condition": "template", "value_template": "{{ true }}"}]
SHARED: dict[str, dict[str, Any]] = {
    "both tell it": {},
    "one only looks at it": {
        "actions": [],
        "conditions": [{"condition": "state", "entity_id": VALVE, "state": ["off", "on"]}],
        "restore": [],
    },
    "one tells it by a script": {
        "actions": [{"action": "script.close_main"}],
        "conditions": OTHER_CONDITION,
    },
}


@pytest.mark.parametrize("second", SHARED.values(), ids=SHARED)
async def test_who_shares_a_valve_is_updated_one_after_the_other(
    garden: Garden, start_module: StartModule, second: dict[str, Any]
) -> None:
    hass = garden.hass
    await script(hass)
    modules = await two(garden, start_module, **second)
    first = asyncio.create_task(press(hass, "one"))
    await until(lambda: garden.valve == ["off"])
    then = asyncio.create_task(press(hass, "two"))

    await until(lambda: waits_for(hass, "two") == ("queued", "one"))
    await first
    opened_after = modules[1].running_version
    await then

    assert opened_after == "1.0.0"
    assert [module.running_version for module in modules] == ["1.1.0", "1.1.0"]
    expected = CLOSED_AND_OPENED * (1 if second.get("restore") == [] else 2)
    if second.get("restore") != []:
        assert garden.valve == expected
    assert waits_for(hass, "two") == (None, None)
    assert is_free(hass)


async def test_who_shares_nothing_is_updated_beside_it(
    garden: Garden, start_module: StartModule
) -> None:
    hass = garden.hass
    hass.states.async_set("switch.pump", "off")
    pump = [{"condition": "state", "entity_id": "switch.pump", "state": "off"}]
    _one, other = await two(garden, start_module, actions=[], conditions=pump, restore=[])
    with taken(hass):
        await press(hass, "two")

    assert other.running_version == "1.1.0"


async def test_who_waits_for_equipment_holds_no_turn(
    garden: Garden, start_module: StartModule
) -> None:
    """With a limit of one, the third goes on although the second waits before it."""
    hass = garden.hass
    hass.states.async_set("switch.pump", "off")
    pump = [{"condition": "state", "entity_id": "switch.pump", "state": "off"}]
    house = MockConfigEntry(
        domain=DOMAIN, unique_id="house", data={"kind": "house"}, options={"parallel_installs": 1}
    )
    await garden.add(house)
    modules = await two(garden, start_module, actions=[], conditions=pump, restore=[])
    with taken(hass):
        waiting = asyncio.create_task(press(hass, "one"))
        await until(lambda: waits_for(hass, "one") == ("queued", "Greenhouse"))
        await press(hass, "two")
        await until(lambda: modules[1].running_version == "1.1.0")
        assert modules[0].running_version == "1.0.0"
    await waiting

    assert modules[0].running_version == "1.1.0"


async def test_who_waits_for_equipment_can_be_cancelled(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.add_valve(module)
    with taken(garden.hass):
        install = asyncio.create_task(garden.refused("cancelled"))
        await until(lambda: garden.card.attributes["waits_for"] == "Greenhouse")
        await garden.hass.services.async_call(DOMAIN, "cancel", {"entity_id": CARD}, blocking=True)
        await install

    assert garden.valve == UNTOUCHED
    assert_nothing_sent(module)
    assert is_free(garden.hass)
    await garden.install()


async def test_a_try_waits_as_an_update_does(garden: Garden, start_module: StartModule) -> None:
    module = await start_module()
    entry = await garden.add_valve(module)
    with taken(garden.hass):
        shown = await choose(garden.hass, entry, "try_safe_state")
        await until(lambda: shown_now(garden.hass, shown)["progress_action"] == "turn")
        assert garden.valve == UNTOUCHED
    form = await outcome(garden.hass, shown)

    assert form["errors"] == {}
    assert garden.valve == CLOSED_AND_OPENED


# After a restart of Home Assistant


async def test_a_restore_that_is_left_over_waits_for_a_module_that_restarts_with_the_same_valve(
    garden: Garden, start_module: StartModule
) -> None:
    """Both were open when Home Assistant died, as only older releases left them."""
    hass = garden.hass
    away = await start_module(hostname="two", image=NEW, advertise=True)
    there = await start_module(hostname="one")
    one, two_ = named(there, "one"), named(away, "two")
    await crashed(garden, one, "sending")
    await crashed(garden, two_, "restarting", against={"version": "1.0.0", "sketch_md5": None})
    garden.house.patience = patience(evidence=1.5, go=0.2, back=5.0)
    garden.valve.clear()

    two_.add_to_hass(hass)
    await garden.add(one)
    await until(lambda: waits_for(hass, "one") == ("restoring", "two"))
    await asyncio.sleep(0.3)
    assert garden.valve == UNTOUCHED
    assert await hass.config_entries.async_setup(two_.entry_id)
    journal = garden.house.journal
    await until(lambda: not any(journal.open_install(item.entry_id) for item in (one, two_)), 30)

    assert garden.valve == ["on"]
    assert is_free(hass)


async def test_an_update_waits_for_equipment_that_a_dead_home_assistant_left_safe(
    garden: Garden, start_module: StartModule
) -> None:
    hass = garden.hass
    there = await start_module(hostname="one")
    left = named(await start_module(hostname="two"), "two")
    await crashed(garden, left, "restarting")
    left.add_to_hass(hass)
    await garden.add(named(there, "one"))
    garden.valve.clear()

    update = asyncio.create_task(press(hass, "one"))
    await until(lambda: waits_for(hass, "one") == ("queued", "two"))
    assert garden.valve == UNTOUCHED
    await hass.services.async_call("input_boolean", "turn_on", {"entity_id": VALVE})
    await garden.house.journal.async_close(left.entry_id, InstallResult(verdict=Verdict.VERIFIED))
    await update

    assert there.running_version == "1.1.0"


# What nothing can stop any more


async def test_a_break_while_the_module_restarts_is_told(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    hass = garden.hass
    module = await start_module(advertise=True, offline_time=8)
    entry = await garden.add_talking(module)
    install = asyncio.create_task(
        garden.hass.services.async_call("update", "install", {"entity_id": CARD}, blocking=True)
    )
    await until(lambda: garden.card.attributes["stage"] == "restarting")
    for service in ("turn_on", "turn_off"):  # over at once: the water has flowed
        await hass.services.async_call("input_boolean", service, {"entity_id": VALVE})
    with pytest.raises(HomeAssistantError) as caught:
        await install

    assert caught.value.translation_key == "not_safe_all_the_time"
    assert_error_is_whole(caught.value)
    verdict = hass.states.get("sensor.garden_valve_last_update")
    assert verdict is not None
    assert verdict.state == "verified"
    assert VALVE in verdict.attributes["sentence"]
    issue = issue_registry.async_get_issue(DOMAIN, f"not_safe_{entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)
    assert "valve" in str(issue.translation_placeholders)


async def test_what_only_cannot_be_told_while_the_module_restarts_is_no_break(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    """The valve is the module's own: it is unavailable until it is back."""
    hass = garden.hass
    hass.states.async_set("valve.own", "closed")
    own = {"condition": "state", "entity_id": "valve.own", "state": "closed"}
    module = await start_module(advertise=True, offline_time=8)
    entry = await garden.add_talking(module, options=options_for({"conditions": [own]}))
    install = asyncio.create_task(garden.install())
    await until(lambda: garden.card.attributes["stage"] == "restarting")
    hass.states.async_set("valve.own", "unavailable")
    await asyncio.sleep(0.1)
    hass.states.async_set("valve.own", "closed")
    await install

    assert issue_registry.async_get_issue(DOMAIN, f"not_safe_{entry.entry_id}") is None


async def test_a_break_is_remembered_over_a_reload(
    garden: Garden, start_module: StartModule
) -> None:
    hass = garden.hass
    module = await start_module(advertise=True, offline_time=15)
    entry = await garden.add_talking(module)
    install = asyncio.create_task(garden.refused("suspended"))
    await until(lambda: garden.card.attributes["stage"] == "restarting")
    for service in ("turn_on", "turn_off"):
        await hass.services.async_call("input_boolean", service, {"entity_id": VALVE})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await install
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None, 30)
    await hass.async_block_till_done()

    verdict = hass.states.get("sensor.garden_valve_last_update")
    assert verdict is not None
    assert VALVE in verdict.attributes["sentence"]
