"""Modules that are discovered: added, known again, told apart."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import async_make_house_entry
from homeassistant.config_entries import (
    SOURCE_IGNORE,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.kit.adding import MAC, TXT, announcement, assert_aborted, discover, houses, modules
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, Garden, until
from tests.kit.sentences import assert_form_is_whole


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


async def test_a_module_may_be_called_house(hass: HomeAssistant, esp_ota: None) -> None:
    await async_make_house_entry(hass)
    result = await discover(hass, announcement("house"))
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"equipment": "nothing"}
    )
    assert result["result"].title == "house"
    assert len(houses(hass)) == 1


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


@pytest.mark.parametrize("old_answers", [False, True], ids=["the old is silent", "both answer"])
@pytest.mark.parametrize("at", ["127.0.0.1", "127.0.0.9"], ids=["where it was", "elsewhere"])
async def test_a_module_whose_entry_is_not_loaded_is_followed_nowhere(
    garden: Garden, start_module: StartModule, at: str, *, old_answers: bool
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module))
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    if not old_answers:
        await module.__aexit__(None, None, None)
    if at != "127.0.0.1":
        await start_module(host=at, port=module.port)

    result = await discover(garden.hass, announcement(host=at, port=module.port))

    assert_aborted(result, "already_configured")
    assert entry.data["host"] == "127.0.0.1"


@pytest.mark.slow
async def test_one_with_the_name_of_a_module_that_answers_is_not_told_from_it(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module))
    await start_module(host="127.0.0.9", port=module.port)

    result = await discover(garden.hass, announcement(host="127.0.0.9", port=module.port))

    assert_aborted(result, "same_name")
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
