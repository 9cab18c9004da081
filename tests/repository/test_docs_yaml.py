"""The YAML of the documentation, taken by a real Home Assistant."""

from datetime import timedelta
from typing import Any

import pytest
import yaml

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.equipment import Conditions
from homeassistant.components.automation.config import async_validate_config_item
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, service
from homeassistant.helpers.script import async_validate_actions_config
from homeassistant.util import dt as dt_util
from tests.kit.docs import Block, blocks
from tests.kit.entries import StartModule, entry_for
from tests.kit.forms import filled_in
from tests.kit.garden import Garden
from tests.kit.yard import Yard

OTHERS = {"services", "logger"}
"""Docker Compose, and a component that has nothing to do with us."""


def kind_of(block: Block) -> str:
    """Return what a block is by its first key."""
    content = yaml.safe_load(block.text)
    first = next(iter(content)) if isinstance(content, dict) else "action"
    if isinstance(content, list):
        first = next(iter(content[0]))
    return str(first)


def those(*kinds: str) -> list[Any]:
    found = [block for block in blocks("yaml") if kind_of(block) in kinds]
    return [pytest.param(block, id=block.id) for block in found]


def test_each_block_is_tested() -> None:
    known = {"triggers", "actions", "action", "equipment", *OTHERS}
    assert {kind_of(block) for block in blocks("yaml")} == known


@pytest.mark.parametrize("block", those("triggers"))
async def test_an_automation_is_taken(hass: HomeAssistant, esp_ota: None, block: Block) -> None:
    config = yaml.safe_load(block.text) | {"alias": "Example"}
    taken = await async_validate_config_item(hass, "example", config)
    assert taken is not None
    assert taken.validation_status == "ok", taken.validation_error


@pytest.mark.parametrize("block", those("action", "actions"))
async def test_actions_are_taken_with_their_data(
    hass: HomeAssistant, esp_ota: None, block: Block
) -> None:
    content = yaml.safe_load(block.text)
    steps = content.get("actions", content)
    steps = cv.SCRIPT_SCHEMA(steps if isinstance(steps, list) else [steps])
    for step in await async_validate_actions_config(hass, steps):
        domain, _, name = step["action"].partition(".")
        if domain == DOMAIN:
            schema = hass.services.async_services_for_domain(DOMAIN)[name].schema
            call = service.async_prepare_call_from_config(hass, step)
            assert schema is None or schema(call["service_data"] | (call["target"] or {}))


@pytest.mark.slow
@pytest.mark.parametrize("block", those("equipment"))
async def test_a_recipe_is_taken_by_the_form(
    garden: Garden, start_module: StartModule, block: Block
) -> None:
    entry = await garden.add(entry_for(await start_module(), options={}))
    options = garden.hass.config_entries.options
    menu = await options.async_init(entry.entry_id)
    form = await options.async_configure(menu["flow_id"], {"next_step_id": "safe_state"})
    recipe = filled_in(form, yaml.safe_load(block.text))
    result = await options.async_configure(menu["flow_id"], recipe)
    assert result.get("errors") in (None, {}), result
    if result["type"] == "form":  # what has nothing to read the restore back is asked about
        raise AssertionError(result["step_id"])
    assert entry.options["safe_state"]["conditions"]


@pytest.mark.slow
async def test_the_rollout_of_the_page_is_planned(
    garden: Garden, start_module: StartModule
) -> None:
    yard = Yard(garden, start_module)
    await yard.open()
    await yard.add("a", "b", "c")
    [block, *_] = [item for item in blocks("yaml") if "start_rollout" in item.text]
    data = yaml.safe_load(block.text)["data"]
    del data["label_id"]
    plan = await garden.hass.services.async_call(
        DOMAIN, "plan_rollout", data, blocking=True, return_response=True
    )
    assert plan is not None
    assert plan["modules"] == 3


@pytest.mark.parametrize(
    ("motion", "minutes", "forbids"), [("on", 0, True), ("off", 1, True), ("off", 6, False)]
)
async def test_the_recipe_of_a_gate_forbids_while_somebody_was_near(
    hass: HomeAssistant, esp_ota: None, motion: str, minutes: int, forbids: bool
) -> None:
    [block] = [item for item in blocks("yaml") if "cover.gate" in item.text]
    since = (dt_util.utcnow() - timedelta(minutes=minutes)).timestamp()
    hass.states.async_set("binary_sensor.driveway_motion", motion, timestamp=since)
    hass.states.async_set("binary_sensor.gate_light_barrier", "off")
    conditions = await Conditions.load(hass, yaml.safe_load(block.text)["inhibit"])
    assert bool(conditions.standing({})) is forbids
    conditions.unload()
