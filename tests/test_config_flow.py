"""Adding a module: discovered, by hand, again with another password or address."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.esp_ota.const import DOMAIN, HOUSE_UNIQUE_ID
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_SYSTEM,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, Garden, until
from tests.kit.sentences import assert_abort_is_whole, assert_form_is_whole, shown_in
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


async def test_a_discovered_module_is_added_without_typing_anything(
    hass: HomeAssistant, esp_ota: None
) -> None:
    result = await discover(hass, announcement("Garden-Valve"))
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "confirm"
    assert_form_is_whole("config", result)
    flow = hass.config_entries.flow.async_get(result["flow_id"])
    assert flow["context"]["title_placeholders"] == {"name": "Garden-Valve"}

    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"equipment": "switches"}
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Garden-Valve"
    assert result["result"].unique_id == "garden-valve"
    assert result["data"] == {
        "kind": "module",
        "name": "Garden-Valve",
        "host": "127.0.0.1",
        "port": 8266,
        "service_name": "Garden-Valve._arduino._tcp.local.",
        "board": "nodemcuv2",
        "mac": None,
        "auth_required": False,
    }
    assert result["options"] == {"equipment": "switches"}


async def test_the_very_first_module_is_discovered_before_anything_is_set_up(
    hass: HomeAssistant,
) -> None:
    result = await discover(hass, announcement())

    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "confirm")


@pytest.mark.slow
async def test_a_real_module_on_the_network_shows_up_by_itself(
    hass: HomeAssistant, esp_ota: None, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, password="secret")
    flows = hass.config_entries.flow

    await until(lambda: flows.async_progress_by_handler(DOMAIN))
    [flow] = flows.async_progress_by_handler(DOMAIN)
    result = await flows.async_configure(
        flow["flow_id"], {"password": "secret", "equipment": "nothing"}
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["port"] == module.port
    assert result["data"]["password"] == "secret"
    assert result["data"]["mac"] == MAC
    assert result["result"].unique_id == MAC


@pytest.mark.parametrize(
    ("auth_upload", "asked"),
    [("yes", vol.Required), ("no", None), ("maybe", vol.Optional), (None, vol.Optional)],
)
async def test_a_password_is_asked_for_unless_the_module_says_that_it_has_none(
    hass: HomeAssistant, esp_ota: None, auth_upload: str | None, asked: type[vol.Marker] | None
) -> None:
    result = await discover(hass, announcement(auth_upload=auth_upload))

    assert result["data_schema"] is not None
    fields = {str(key): type(key) for key in result["data_schema"].schema}
    assert fields.pop("equipment") is vol.Required
    assert fields == ({"password": asked} if asked else {})
    assert_form_is_whole("config", result)


async def test_a_sketch_of_2015_is_discovered_without_a_txt_record_and_added_without_a_password(
    hass: HomeAssistant, esp_ota: None
) -> None:
    nothing = dict.fromkeys(TXT)
    result = await discover(hass, announcement("esp8266-ota", **nothing))
    assert result["step_id"] == "confirm"
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"equipment": "nothing"}
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == "esp8266-ota"
    assert result["data"].get("password") is None
    assert result["data"]["auth_required"] is None


@pytest.mark.parametrize(
    ("name", "txt"),
    [("garden-valve", {"mac": "5CCF7FA1B2C3"}), ("esp32-5ccf7fa1b2c3", {"board": "esp32"})],
    ids=["announced", "in the default host name of an ESP32"],
)
async def test_a_module_is_known_by_its_mac_where_that_can_be_told(
    hass: HomeAssistant, esp_ota: None, name: str, txt: dict[str, str]
) -> None:
    result = await discover(hass, announcement(name, **txt))
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"equipment": "nothing"}
    )

    assert result["result"].unique_id == MAC
    devices = dr.async_get(hass)
    device = devices.async_get_device_by_connection(
        (dr.CONNECTION_NETWORK_MAC, MAC), result["result"].entry_id
    )
    assert device is not None


async def test_a_known_module_is_not_offered_again(
    hass: HomeAssistant, esp_ota: None, start_module: StartModule
) -> None:
    module = await start_module()
    entry = entry_for(module)
    entry.add_to_hass(hass)

    assert_aborted(await discover(hass, announcement(port=module.port)), "already_configured")

    assert modules(hass) == [entry]


@pytest.mark.slow
async def test_a_changed_address_is_taken_over_without_reloading(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(host="127.0.0.9")
    entry = await garden.add(entry_for(module, port=3232))
    runtime = entry.runtime_data

    result = await discover(garden.hass, announcement(host="127.0.0.9", port=module.port))
    await garden.hass.async_block_till_done()

    assert_aborted(result, "already_configured")
    assert (entry.data["host"], entry.data["port"]) == ("127.0.0.9", module.port)
    assert entry.runtime_data is runtime  # a reload would have ended a running install
    assert runtime.coordinator.host == "127.0.0.9"


@pytest.mark.parametrize(
    ("old_answers", "at", "reason", "follows"),
    [
        (False, "127.0.0.1", "already_configured", False),
        (False, "127.0.0.9", "already_configured", True),
        (True, "127.0.0.9", "same_name", False),
    ],
    ids=["where it was", "the old address is silent", "both answer"],
)
async def test_a_module_whose_entry_is_not_loaded_is_followed_where_the_old_address_is_silent(
    garden: Garden,
    start_module: StartModule,
    old_answers: bool,
    at: str,
    reason: str,
    follows: bool,
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module))
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    if not old_answers:
        await module.__aexit__(None, None, None)

    if follows:
        await start_module(host=at, port=module.port)

    result = await discover(garden.hass, announcement(host=at, port=module.port))

    assert_aborted(result, reason)
    assert entry.data["host"] == (at if follows else "127.0.0.1")


async def test_nobody_is_followed_to_where_nothing_answers(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module))
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    await module.__aexit__(None, None, None)

    assert_aborted(await discover(garden.hass, announcement(host="127.0.0.9")), "same_name")

    assert entry.data["host"] == "127.0.0.1"


async def test_a_known_mac_is_not_replaced_by_an_announcement(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module, mac=MAC))
    assert await garden.hass.config_entries.async_unload(entry.entry_id)

    other = announcement(port=module.port, mac="5ccf7f000001")
    assert_aborted(await discover(garden.hass, other), "already_configured")

    assert entry.data["mac"] == MAC
    assert entry.unique_id == "garden-valve"


async def test_a_module_moves_from_its_host_name_to_its_mac_once_and_keeps_its_entities(
    garden: Garden, start_module: StartModule, entity_registry: er.EntityRegistry
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module))
    before = entity_registry.async_get(CARD)
    assert before is not None
    entities = {
        item.id for item in er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    }

    result = await discover(garden.hass, announcement(port=module.port, mac="5ccf7fa1b2c3"))
    assert_aborted(result, "already_configured")
    assert entry.unique_id == MAC
    assert entry.data["mac"] == MAC

    result = await discover(garden.hass, announcement(port=module.port, mac="5ccf7fa1b2c3"))
    assert_aborted(result, "already_configured")
    assert modules(garden.hass) == [entry]

    await garden.hass.config_entries.async_reload(entry.entry_id)
    after = entity_registry.async_get(CARD)
    assert after is not None
    assert (after.id, after.unique_id) == (before.id, before.unique_id)
    now = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert {item.id for item in now} == entities


@pytest.mark.slow
async def test_a_module_that_stops_announcing_its_mac_is_still_the_same(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(host="127.0.0.9")
    entry = await garden.add(entry_for(module, unique_id=MAC, mac=MAC))

    result = await discover(garden.hass, announcement(host="127.0.0.9", port=module.port))

    assert_aborted(result, "already_configured")
    assert entry.unique_id == MAC
    assert entry.data["host"] == "127.0.0.9"


async def test_another_module_with_the_same_host_name_is_another_module(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module, unique_id=MAC, mac=MAC))

    result = await discover(garden.hass, announcement(host="127.0.0.9", mac="5ccf7f000001"))

    assert result["type"] is FlowResultType.FORM
    assert entry.data["host"] == "127.0.0.1"


@pytest.mark.slow
async def test_an_entry_does_not_move_to_a_mac_that_another_entry_has(
    garden: Garden, start_module: StartModule, caplog: pytest.LogCaptureFixture
) -> None:
    module, other = await start_module(), await start_module(host="127.0.0.9")
    by_name = await garden.add(entry_for(module))
    moved = {"unique_id": MAC, "mac": MAC, "service_name": None, "port": 1}
    by_mac = await garden.add(entry_for(other, **moved))

    found = announcement(host="127.0.0.9", port=other.port, mac="5ccf7fa1b2c3")
    result = await discover(garden.hass, found)

    assert_aborted(result, "already_configured")
    assert (by_name.unique_id, by_mac.unique_id) == ("garden-valve", MAC)
    assert by_mac.data["host"] == "127.0.0.9"
    assert "unique id" not in caplog.text


async def test_an_ignored_module_stays_ignored(hass: HomeAssistant, esp_ota: None) -> None:
    MockConfigEntry(domain=DOMAIN, unique_id="garden-valve", source=SOURCE_IGNORE).add_to_hass(hass)

    assert_aborted(await discover(hass, announcement()), "already_configured")
    assert_aborted(
        await discover(hass, announcement(mac="5ccf7fa1b2c3")),
        "already_configured",
    )
    assert not modules(hass)
    assert (await discover(hass, announcement("pump")))["type"] is FlowResultType.FORM


async def test_a_wifi_ota_module_is_added_with_its_page(hass: HomeAssistant, esp_ota: None) -> None:
    result = await discover(hass, announcement(port=65280, auth_upload="yes"))
    assert result["step_id"] == "confirm"
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"equipment": "nothing", "password": "watering-can"}
    )
    data = result["data"]
    assert data["transports"] == ["http_upload"]
    assert (data["upload_port"], data["upload_dialect"]) == (65280, "wifi_ota")
    assert data["upload_password"] == "watering-can"


@pytest.mark.parametrize("domain", ["esphome", "shelly", "wled"])
@pytest.mark.parametrize("host", ["127.0.0.1", "garden-valve.local"])
async def test_a_module_that_another_integration_updates_is_left_alone(
    hass: HomeAssistant, esp_ota: None, domain: str, host: str
) -> None:
    MockConfigEntry(domain=domain, data={"host": host}).add_to_hass(hass)

    result = await discover(hass, announcement())

    assert_aborted(result, "other_integration")
    assert result["description_placeholders"] == {"integration": domain}


async def test_another_integration_at_another_address_does_not_matter(
    hass: HomeAssistant, esp_ota: None
) -> None:
    MockConfigEntry(domain="wled", data={"host": "127.0.0.9"}).add_to_hass(hass)
    MockConfigEntry(domain="tasmota", data={}).add_to_hass(hass)

    assert (await discover(hass, announcement()))["type"] is FlowResultType.FORM


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
    other = entry_for(module, host="127.0.0.9", unique_id=None)
    other.add_to_hass(garden.hass)
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
    for other in (pump, configured):
        result = await configure(result["flow_id"], {"host": "127.0.0.1", "port": other.port})
        assert result["type"] is FlowResultType.FORM
        assert result["errors"] == {"base": "other_module"}
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
