"""Repairs of a module, as a person finds and fixes them."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.repairs import async_create_fix_flow
from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir


def repair(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> ir.IssueEntry | None:
    """Return the repair of this kind that there is for a module."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{key}_{entry.entry_id}")


async def dialog(hass: HomeAssistant, issue: ir.IssueEntry | None) -> RepairsFlow:
    """Press Fix; return the dialog."""
    assert issue is not None
    data = dict(issue.data or {})
    flow = await async_create_fix_flow(hass, issue.issue_id, data)
    flow.hass, flow.issue_id, flow.data = hass, issue.issue_id, data
    flow.handler, flow.flow_id, flow.context = DOMAIN, "1", {}
    form = await flow.async_step_init()
    assert form["type"] is FlowResultType.FORM
    return flow


async def submit(flow: RepairsFlow) -> str:
    """Press Submit; return how the dialog ends: its reason, or `create_entry`."""
    ended = await flow.async_step_confirm({})
    return str(ended.get("reason") or ended["type"])


async def fix(hass: HomeAssistant, issue: ir.IssueEntry | None) -> str:
    """Press Fix and Submit; return how the dialog ends."""
    return await submit(await dialog(hass, issue))
