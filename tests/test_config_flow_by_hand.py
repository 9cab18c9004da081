"""Modules that are added by hand, and entries that are changed later."""

from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from homeassistant.config_entries import (
    SOURCE_SYSTEM,
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.kit.adding import (
    MAC,
    announcement,
    assert_aborted,
    by_hand,
    discover,
    houses,
    modules,
    open_user_form,
)
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.kit.sentences import assert_form_is_whole, shown_in


async def test_two_modules_cannot_have_the_same_address(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.add(entry_for(module))

    result = await discover(garden.hass, announcement("other-name", port=module.port))

    assert_aborted(result, "already_configured")


@pytest.mark.parametrize("installing", [False, True])
async def test_a_module_added_by_its_address_is_named_once_it_announces_itself(
    garden: Garden, start_module: StartModule, installing: bool
) -> None:
    module = await start_module()
    elsewhere = {"host": "127.0.0.9", "service_name": None}
    other = await garden.add(entry_for(module, unique_id=None, **elsewhere))
    flow_id = await open_user_form(garden.hass)
    entry = (await by_hand(garden.hass, flow_id, module))["result"]
    runtime = entry.runtime_data
    if installing:
        runtime.installer._task = garden.hass.loop.create_future()

    announced = announcement("garden-valve", port=module.port, mac=MAC)
    result = await discover(garden.hass, announced)
    await garden.hass.async_block_till_done()

    assert_aborted(result, "already_configured")
    assert entry.unique_id == MAC
    assert entry.data["service_name"] == "garden-valve._arduino._tcp.local."
    assert (entry.runtime_data is runtime) is installing  # a reload would end the install
    assert other.unique_id is None


async def test_a_module_that_announces_nothing_is_added_by_its_address(
    hass: HomeAssistant, esp_ota: None, start_module: StartModule
) -> None:
    module = await start_module(password="secret")
    flow_id = await open_user_form(hass)

    result = await by_hand(hass, flow_id, module, password="secret", equipment="switches")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "127.0.0.1"
    assert result["result"].unique_id is None
    assert result["data"] == {
        "kind": "module",
        "name": "127.0.0.1",
        "host": "127.0.0.1",
        "port": module.port,
        "service_name": None,
        "board": None,
        "mac": None,
        "auth_required": None,
        "password": "secret",
    }
    assert result["options"] == {"equipment": "switches"}
    assert result["result"].state is ConfigEntryState.LOADED


async def test_the_first_module_of_all_can_be_added_by_hand(
    hass: HomeAssistant, config_dir: Any, start_module: StartModule
) -> None:
    """Nothing of the integration is set up before its first entry."""
    assert DOMAIN not in hass.config.components
    module = await start_module()

    result = await by_hand(hass, await open_user_form(hass), module)
    await hass.async_block_till_done()

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED
    assert len(houses(hass)) == 1


async def test_an_address_for_modules_that_ask_may_be_the_first_thing_of_all(
    hass: HomeAssistant, config_dir: Any
) -> None:
    hass.config.internal_url = "http://127.0.0.1:8123"
    assert DOMAIN not in hass.config.components
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})

    result = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"next_step_id": "pull"}
    )

    assert result["type"] is FlowResultType.FORM
    (house,) = houses(hass)
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert house.data["pull_secret"] in placeholders["url"]


async def test_a_module_that_was_off_is_added_with_the_same_form_once_it_is_on(
    hass: HomeAssistant, esp_ota: None, start_module: StartModule
) -> None:
    module = await start_module()
    flow_id = await open_user_form(hass)

    result = await by_hand(hass, flow_id, module, port=1)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "unreachable"}
    assert_form_is_whole("config", result)

    result = await by_hand(hass, flow_id, module)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "password" not in result["data"]


async def test_an_address_that_is_configured_already_is_not_added_by_hand(
    hass: HomeAssistant, esp_ota: None, start_module: StartModule
) -> None:
    module = await start_module()
    entry_for(module).add_to_hass(hass)

    result = await by_hand(hass, await open_user_form(hass), module)

    assert_aborted(result, "already_configured")


@pytest.mark.slow
async def test_a_module_added_by_hand_takes_its_name_from_what_it_announces(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    find = garden.house.announcements.find
    await until(lambda: find("127.0.0.1", module.port))

    flow_id = await open_user_form(garden.hass)
    result = await by_hand(garden.hass, flow_id, module)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "garden-valve"
    assert result["result"].unique_id == MAC
    assert result["data"]["service_name"] == "garden-valve._arduino._tcp.local."
    await garden.hass.async_block_till_done()
    # The card that zeroconf had put up for it is gone.
    assert not garden.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    await garden.runs("1.0.0")


@pytest.mark.slow
async def test_a_known_module_typed_with_its_new_address_is_not_added_twice(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    entry = await garden.add(entry_for(module, host="127.0.0.9", unique_id=MAC, mac=MAC))
    runtime = entry.runtime_data
    find = garden.house.announcements.find
    await until(lambda: find("127.0.0.1", module.port))
    # Undo what zeroconf has told in the meantime.
    garden.hass.config_entries.async_update_entry(entry, data={**entry.data, "host": "127.0.0.9"})

    result = await by_hand(garden.hass, await open_user_form(garden.hass), module)
    await garden.hass.async_block_till_done()

    assert_aborted(result, "already_configured")
    # A busy machine may doubt it at first, and looks again after ten seconds.
    await until(lambda: entry.data["host"] == "127.0.0.1", 30.0)
    assert entry.runtime_data is runtime  # no reload, which would end a running install


@pytest.mark.slow
async def test_a_module_typed_by_its_host_name_is_recognised_as_well(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, hostname="LocalHost")  # a name that resolves
    find = garden.house.announcements.find
    await until(lambda: find("localhost.local", module.port))

    flow_id = await open_user_form(garden.hass)
    result = await by_hand(garden.hass, flow_id, module, host="localhost")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == MAC
    assert result["data"]["host"] == "127.0.0.1"


@pytest.mark.slow
async def test_a_new_password_is_stored_and_used(garden: Garden, start_module: StartModule) -> None:
    module = await start_module(password="new")
    entry = await garden.add(entry_for(module, password="old", auth_required=True))
    runtime = entry.runtime_data

    entry.async_start_reauth(garden.hass)
    await garden.hass.async_block_till_done()
    [flow] = garden.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["step_id"] == "reauth_confirm"
    result = await garden.hass.config_entries.flow.async_configure(flow["flow_id"])
    assert_form_is_whole("config", result)
    result = await garden.hass.config_entries.flow.async_configure(
        flow["flow_id"], {"password": "new"}
    )
    await garden.hass.async_block_till_done()

    assert_aborted(result, "reauth_successful")
    assert entry.data["password"] == "new"
    assert entry.runtime_data is runtime  # a reload would end a running install
    await garden.release("1.1.0")
    await garden.install()
    assert module.running_version == "1.1.0"


async def test_a_module_is_reconfigured_once_its_new_address_answers(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module, port=1, password="secret"))
    result = await entry.start_reconfigure_flow(garden.hass)
    assert result["step_id"] == "reconfigure"
    assert_form_is_whole("config", result)
    assert "secret" not in repr(shown_in(result))

    configure = garden.hass.config_entries.flow.async_configure
    result = await configure(result["flow_id"], {"host": "127.0.0.1", "port": 1})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "unreachable"}
    assert_form_is_whole("config", result)
    assert entry.data["port"] == 1

    result = await configure(result["flow_id"], {"host": "127.0.0.1", "port": module.port})
    await garden.hass.async_block_till_done()
    assert_aborted(result, "reconfigure_successful")
    assert entry.runtime_data.coordinator.port == module.port
    assert entry.runtime_data.coordinator.password == "secret"
    assert entry.data["name"] == "garden-valve"

    result = await entry.start_reconfigure_flow(garden.hass)
    address = {"host": "127.0.0.1", "port": module.port}
    await configure(result["flow_id"], address | {"no_password": True})
    assert entry.runtime_data.coordinator.password is None


@pytest.mark.slow
async def test_a_module_is_not_reconfigured_to_the_address_of_another(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    pump = await start_module(hostname="pump", mac="5c:cf:7f:00:00:01", advertise=True)
    configured = await start_module()
    entry = await garden.add(entry_for(module))
    await garden.add(entry_for(configured, unique_id="gate", service_name=None))
    await until(lambda: garden.house.announcements.find("127.0.0.1", pump.port))
    result = await entry.start_reconfigure_flow(garden.hass)

    configure = garden.hass.config_entries.flow.async_configure
    for other, why_not in ((pump, "other_name"), (configured, "other_module")):
        result = await configure(result["flow_id"], {"host": "127.0.0.1", "port": other.port})
        assert result["type"] is FlowResultType.FORM
        assert result["errors"] == {"base": why_not}
        assert_form_is_whole("config", result)
        assert_form_is_whole("config", result)
    assert entry.data["port"] == module.port

    result = await configure(result["flow_id"], {"host": "127.0.0.1", "port": module.port})
    assert_aborted(result, "reconfigure_successful")


@pytest.mark.slow
async def test_a_module_that_announces_itself_is_reconfigured_to_its_own_address(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    entry = await garden.add(entry_for(module, service_name="Garden-Valve._arduino._tcp.local."))
    await until(lambda: garden.house.announcements.find("127.0.0.1", module.port))
    runtime = entry.runtime_data
    result = await entry.start_reconfigure_flow(garden.hass)

    result = await garden.hass.config_entries.flow.async_configure(
        result["flow_id"], {"host": "127.0.0.1", "port": module.port, "password": "new"}
    )

    assert_aborted(result, "reconfigure_successful")
    assert runtime.coordinator.password == "new"
    assert entry.runtime_data is runtime  # a reload would end a running install


async def test_the_house_has_no_address_to_change(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.add(entry_for(await start_module()))
    [house] = houses(garden.hass)
    assert isinstance(house, ConfigEntry)

    result = await garden.hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "reconfigure", "entry_id": house.entry_id}
    )

    assert_aborted(result, "house")


async def test_the_house_entry_is_made_with_the_first_module_and_never_again(
    garden: Garden, start_module: StartModule
) -> None:
    assert not houses(garden.hass)

    await garden.add(entry_for(await start_module()))
    [house] = houses(garden.hass)
    assert house.title == "Firmware library"
    assert house.state is ConfigEntryState.LOADED

    await garden.add(entry_for(await start_module(hostname="pump"), unique_id="pump"))
    assert houses(garden.hass) == [house]

    result = await garden.hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_SYSTEM}
    )
    assert_aborted(result, "already_configured")
    assert houses(garden.hass) == [house]


async def test_a_removed_house_entry_comes_back_with_the_next_module(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.add(entry_for(await start_module()))
    [house] = houses(garden.hass)

    assert await garden.hass.config_entries.async_remove(house.entry_id)
    assert not houses(garden.hass)
    assert len(modules(garden.hass)) == 1

    await garden.add(entry_for(await start_module(hostname="pump"), unique_id="pump"))
    [made_again] = houses(garden.hass)
    assert made_again.entry_id != house.entry_id
