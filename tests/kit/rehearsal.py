"""A person who tries a safe state in its form."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from tests.kit.forms import filled_in
from tests.kit.garden import Garden, until
from tests.kit.sentences import assert_form_is_whole
from tests.kit.steps import VALVE_OPEN

KEY = "esp_ota.journal"
"""Under which the journal is stored."""
SLOW = {"delay": {"milliseconds": 400}}
ALL_STEPS = {"restore_conditions": [VALVE_OPEN]}
"""A safe state that leaves no step out, beside the usual ones."""
STEPS = ("inhibit", "actions", "conditions", "stable", "restore", "restore_conditions")


def have_failing_action(hass: HomeAssistant) -> None:
    """Have an action that fails, with a text that would break a table."""

    @callback
    def fail(call: ServiceCall) -> None:
        raise HomeAssistantError("the | bus\nis down")

    hass.services.async_register("test", "fail", fail)


async def choose(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> dict[str, Any]:
    """Open the menu and choose."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    assert menu["type"] is FlowResultType.MENU
    if step != "try_safe_state":
        return await send(hass, menu, {"next_step_id": step})
    return await send(hass, await send(hass, menu, {"next_step_id": "ask_try"}), {})


async def send(
    hass: HomeAssistant, shown: dict[str, Any], said: dict[str, Any] | None
) -> dict[str, Any]:
    result: dict[str, Any] = await hass.config_entries.options.async_configure(
        shown["flow_id"], said if said is None else filled_in(shown, said)
    )
    return result


def shown_now(hass: HomeAssistant, shown: dict[str, Any]) -> dict[str, Any]:
    """Return what the window of a flow shows by now."""
    step: dict[str, Any] = hass.config_entries.options._progress[shown["flow_id"]].cur_step
    return step


async def outcome(hass: HomeAssistant, shown: dict[str, Any]) -> dict[str, Any]:
    """Wait as the window does until the try has ended, and return the form that tells."""
    options = hass.config_entries.options
    await until(lambda: options.async_get(shown["flow_id"])["step_id"] == "tried")
    await hass.async_block_till_done()
    form = await send(hass, shown, None)
    assert form["type"] is FlowResultType.FORM
    assert_form_is_whole("options", form)
    return form


async def try_it(garden: Garden, entry: MockConfigEntry) -> dict[str, Any]:
    """Try what is stored."""
    return await outcome(garden.hass, await choose(garden.hass, entry, "try_safe_state"))


def cells(form: dict[str, Any]) -> dict[str, str]:
    """Return how each step ended: done, failed, or not reached."""
    return {step: form["description_placeholders"][step][0] for step in STEPS}
