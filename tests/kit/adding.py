"""Ways to add a module as a person does."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from custom_components.esp_ota.const import DOMAIN, HOUSE_UNIQUE_ID
from homeassistant.config_entries import (
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from tests.kit.sentences import assert_abort_is_whole, assert_form_is_whole
from tests.virtual_module import VirtualModule

MAC = "5c:cf:7f:a1:b2:c3"


TXT = {"board": "nodemcuv2", "auth_upload": "no", "tcp_check": "no", "ssh_upload": "no"}


def announcement(
    name: str = "garden-valve",
    host: str = "127.0.0.1",
    port: int = 8266,
    **txt: str | None,
) -> ZeroconfServiceInfo:
    """Return what Home Assistant's zeroconf hands to a flow; a record given as None is left out."""
    address = ip_address(host)
    records = {key: value for key, value in (TXT | txt).items() if value is not None}
    return ZeroconfServiceInfo(
        ip_address=address,
        ip_addresses=[address],
        port=port,
        hostname=f"{name}.local.",
        type="_arduino._tcp.local.",
        name=f"{name}._arduino._tcp.local.",
        properties=records,
    )


async def discover(hass: HomeAssistant, info: ZeroconfServiceInfo) -> ConfigFlowResult:
    """Let zeroconf report one announcement."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info
    )


async def by_hand(
    hass: HomeAssistant, flow_id: str, module: VirtualModule, **changes: Any
) -> ConfigFlowResult:
    """Fill in the form for a module by its address."""
    address = {"host": "127.0.0.1", "port": module.port, "equipment": "nothing"}
    return await hass.config_entries.flow.async_configure(flow_id, address | changes)


async def open_user_form(hass: HomeAssistant) -> str:
    """Press "Add integration" and return the flow's id."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "user"
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": "address"}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "address"
    assert_form_is_whole("config", result)
    return result["flow_id"]


def modules(hass: HomeAssistant) -> list[ConfigEntry]:
    """Return the entries of modules."""
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    return [entry for entry in entries if entry.data["kind"] == "module"]


def houses(hass: HomeAssistant) -> list[ConfigEntry]:
    """Return the house's entries: at most one."""
    return [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.unique_id == HOUSE_UNIQUE_ID
    ]


def assert_aborted(result: Mapping[str, Any], reason: str) -> None:
    """Check that a flow ended with a reason there is a text for."""
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason
    if reason != "already_in_progress":  # Home Assistant has that text
        assert_abort_is_whole("config", result)
