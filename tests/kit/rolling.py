"""Rollouts of a test's yard: begun by their actions, as automations do."""

from collections.abc import Mapping
from typing import Any

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import Context
from tests.kit.garden import until
from tests.kit.yard import Yard

ROLLOUT = "sensor.esp_ota_rollout"
ENDED = {"done", "stopped", "cancelled"}


async def act(yard: Yard, action: str, user: str | None = None, **data: Any) -> dict[str, Any]:
    """Call an action of rollouts and return its answer."""
    answer = await yard.hass.services.async_call(
        DOMAIN,
        action,
        data,
        blocking=True,
        return_response=True,
        context=Context(user_id=user),
    )
    assert answer is not None
    return answer


async def start(yard: Yard, **data: Any) -> dict[str, Any]:
    """Start a rollout of the firmware of the yard."""
    return await act(yard, "start_rollout", firmware="garden-valve", **data)


async def plan(yard: Yard, **data: Any) -> dict[str, Any]:
    """Plan one."""
    return await act(yard, "plan_rollout", firmware="garden-valve", **data)


def shown(yard: Yard) -> Mapping[str, Any]:
    """Return what the sensor shows."""
    state = yard.hass.states.get(ROLLOUT)
    assert state is not None
    return {"state": state.state, **state.attributes}


async def ended(yard: Yard, seconds: float = 60) -> dict[str, Any]:
    """Wait for the end, and return the report."""
    await until(lambda: shown(yard)["state"] in ENDED, seconds)
    await yard.hass.async_block_till_done()
    return await act(yard, "rollout_report")


def in_order(plan: Mapping[str, Any]) -> list[list[str]]:
    """Return the names of a plan, wave by wave."""
    return [[module["module"] for module in wave["modules"]] for wave in plan["waves"]]


def states(report: Mapping[str, Any]) -> dict[str, str]:
    """Return how each module ended."""
    return {module["module"]: module["state"] for module in report["modules"]}
