"""Automations made from the blueprints of this repository, in a test's Home Assistant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import shutil
from typing import Any, Final

from homeassistant.components.automation import DOMAIN as AUTOMATION
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.kit.places import ROOT

BLUEPRINTS: Final = ROOT / "blueprints" / "automation" / "esp_ota"


def install(hass: HomeAssistant) -> None:
    """Copy the blueprints to where Home Assistant's import puts them."""
    place = hass.config.path("blueprints", "automation", "esp_ota")
    shutil.copytree(BLUEPRINTS, place, dirs_exist_ok=True)


@asynccontextmanager
async def automated(hass: HomeAssistant, name: str, **inputs: Any) -> AsyncIterator[None]:
    """Have an automation of a blueprint; it is off again afterwards, with all its timers."""
    await hass.async_add_executor_job(install, hass)
    assert await async_setup_component(hass, "persistent_notification", {})
    used = {"path": f"esp_ota/{name}.yaml", "input": inputs}
    config = {"id": name, "alias": name, "use_blueprint": used}
    assert await async_setup_component(hass, AUTOMATION, {AUTOMATION: [config]})
    await hass.async_block_till_done()
    state = hass.states.get(f"{AUTOMATION}.{name}")
    assert state is not None
    assert state.state == "on", "Home Assistant refuses the blueprint"
    try:
        yield
    finally:
        await hass.services.async_call(
            AUTOMATION, "turn_off", {"entity_id": state.entity_id}, blocking=True
        )
