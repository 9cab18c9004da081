"""A known module at another address, or by another name, as a router or a person says it."""

from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import CONF_MOVED_FROM, CONF_NAMED_BEFORE, DOMAIN
from homeassistant.config_entries import SOURCE_DHCP, ConfigFlowResult
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.kit.neighbours import ELSEWHERE, HERE, PUMP_MAC, VALVE_MAC, Neighbours
from tests.kit.sentences import assert_form_is_whole
from tests.kit.three_doors import PAGE
from tests.modules.test_names import NEW, OLD, add, rename

pytestmark = pytest.mark.slow

PAGE_ALONE = {"service_name": None, "upload_dialect": "update_server"}


async def lend(garden: Garden, host: str, mac: str = VALVE_MAC) -> ConfigFlowResult:
    """Have Home Assistant see that the router lends an address."""
    lent = DhcpServiceInfo(ip=host, hostname="esp", macaddress=mac.replace(":", ""))
    return await garden.hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_DHCP}, data=lent
    )


async def add_page(garden: Garden, module: Any) -> MockConfigEntry:
    """Add a module that has an update page and announces nothing."""
    data = {"host": HERE, "transports": ["http_upload"], "upload_port": 8080, "mac": VALVE_MAC}
    return await garden.add(entry_for(module, **data | PAGE_ALONE))


async def test_a_page_is_followed_to_the_address_that_the_router_lends(
    garden: Garden, neighbours: Neighbours
) -> None:
    neighbours.kind = PAGE
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, advertise=False)
    entry = await add_page(garden, valve)
    await garden.release("1.1.0")
    valve.will_be_at(ELSEWHERE)
    await valve.power_cycle()

    result = await lend(garden, ELSEWHERE)

    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    await until(lambda: entry.data["host"] == ELSEWHERE, 20)
    assert entry.data[CONF_MOVED_FROM] == HERE
    await garden.install()
    assert valve.running_version == "1.1.0"
    assert CONF_MOVED_FROM not in entry.data


async def test_no_router_moves_a_module_that_answers_where_it_was(
    garden: Garden, neighbours: Neighbours
) -> None:
    neighbours.kind = PAGE
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, advertise=False)
    await neighbours.start("pump", ELSEWHERE, PUMP_MAC, advertise=False)
    entry = await add_page(garden, valve)

    for host, mac in ((ELSEWHERE, VALVE_MAC), (ELSEWHERE, PUMP_MAC), (ELSEWHERE, "00" * 6)):
        await lend(garden, host, mac)
        await garden.hass.async_block_till_done(wait_background_tasks=True)

    assert entry.data["host"] == HERE
    assert not any(issue.domain == DOMAIN for issue in ir.async_get(garden.hass).issues.values())
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    assert (await lend(garden, ELSEWHERE))["reason"] == "already_configured"


async def test_the_mac_that_a_modules_own_page_names_is_what_a_router_knows_it_by(
    garden: Garden, start_module: StartModule
) -> None:
    async def info(_request: web.Request) -> web.Response:
        return web.json_response({"version": "1.0.0", "mac": VALVE_MAC.upper()})

    app = web.Application()
    app.router.add_get("/info", info)
    async with TestServer(app) as server:
        options = {
            "equipment": "nothing",
            "info_url": f"http://{{host}}:{server.port}/info",
            "info_path": "version",
        }
        module = await start_module()
        entry = await garden.add(entry_for(module, service_name=None, options=options))
        await garden.runs("1.0.0")

    assert entry.data["mac"] == VALVE_MAC
    device = entry.runtime_data.coordinator.device
    assert device is not None
    assert ("mac", VALVE_MAC) in device.connections


async def reconfigure(garden: Garden, entry: MockConfigEntry, **said: Any) -> ConfigFlowResult:
    """Type an address, in a form of its own."""
    result = await entry.start_reconfigure_flow(garden.hass)
    result = await garden.hass.config_entries.flow.async_configure(
        result["flow_id"], {"host": HERE, "port": 8266}
    )
    if said:
        assert_form_is_whole("config", result)
        result = await garden.hass.config_entries.flow.async_configure(
            result["flow_id"], {"host": HERE, "port": 8266} | said
        )
    return result


@pytest.mark.parametrize("is_loaded", [True, False], ids=["loaded", "not loaded"])
async def test_a_person_says_that_a_module_has_another_name(
    garden: Garden, neighbours: Neighbours, *, is_loaded: bool
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_mac=False)
    entry = await add(neighbours, valve)
    await rename(valve)
    await until(lambda: garden.house.announcements.facts(NEW))
    await garden.hass.async_block_till_done(wait_background_tasks=True)
    if not is_loaded:
        assert await garden.hass.config_entries.async_unload(entry.entry_id)

    result = await reconfigure(garden, entry)
    assert result["errors"] == {"base": "other_name"}
    assert result["description_placeholders"]["other"] == "terrace-valve"
    assert entry.data["service_name"] == OLD
    result = await reconfigure(garden, entry, renamed=True)

    assert result["reason"] == "reconfigure_successful"
    assert (entry.data["service_name"], entry.data[CONF_NAMED_BEFORE]) == (NEW, OLD)
    assert entry.unique_id == "terrace-valve"
    assert "renamed" not in entry.data
    if not is_loaded:
        assert await garden.hass.config_entries.async_setup(entry.entry_id)
    await garden.release("1.1.0")
    await garden.install("1.1.0")
    assert valve.running_version == "1.1.0"


async def test_a_name_with_the_modules_mac_needs_no_question(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await add(neighbours, valve, mac=VALVE_MAC, unique_id=VALVE_MAC)
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    await rename(valve)
    await until(lambda: garden.house.announcements.facts(NEW))
    await garden.hass.async_block_till_done(wait_background_tasks=True)

    result = await reconfigure(garden, entry)

    assert result["reason"] == "reconfigure_successful"
    assert (entry.data["service_name"], entry.unique_id) == (NEW, VALVE_MAC)


async def test_nobody_says_that_it_has_the_name_of_another_module(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", ELSEWHERE, VALVE_MAC)
    entry = await add(neighbours, valve, mac=VALVE_MAC, unique_id=VALVE_MAC)
    await neighbours.start("terrace-valve", HERE, PUMP_MAC)
    await until(lambda: garden.house.announcements.facts(NEW))

    result = await reconfigure(garden, entry)
    assert result["errors"] == {"base": "other_module"}
    named = entry_for(valve, unique_id="other", host="127.0.0.9", service_name=NEW, name="t")
    named.add_to_hass(garden.hass)
    garden.hass.config_entries.async_update_entry(entry, data={**entry.data, "mac": None})
    result = await reconfigure(garden, entry)
    assert result["errors"] == {"base": "other_module"}


async def test_a_name_that_another_entry_had_is_heard_when_that_is_removed(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    old = await add(neighbours, valve)
    entry = await garden.add(entry_for(valve, host=HERE, unique_id="again"))

    assert await garden.hass.config_entries.async_remove(old.entry_id)
    coordinator = entry.runtime_data.coordinator
    coordinator._announced = None
    await valve.power_cycle()

    await until(lambda: coordinator._announced)
    assert coordinator.data.reachable
