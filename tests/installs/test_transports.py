"""Other ways than ArduinoOTA: the forms that set them up, and installs through them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE
from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from tests.installs.test_doubt import NOBODY_KNOWS, roll_back, shown
from tests.kit.entries import entry_for, firmware
from tests.kit.garden import CLOSED_AND_OPENED, UNTOUCHED, Garden, options_for, patience
from tests.kit.sentences import assert_abort_is_whole, assert_form_is_whole
from tests.virtual_module import Fault, HttpConfig, HttpModule, ModuleConfig, Seen
from tests.virtual_module.http_config import HttpDialect

type StartPage = Callable[..., Any]


@pytest.fixture
async def start_page() -> AsyncIterator[StartPage]:
    """Return what switches on a module with an update page."""
    async with AsyncExitStack() as stack:

        async def start(http: HttpConfig | None = None, **config: Any) -> HttpModule:
            defaults: dict[str, Any] = {
                "time_scale": 0.02,
                "offline_time": 15.0,
                "hostname": "garden-valve",
            }
            module = HttpModule(ModuleConfig(**defaults | config), http)
            return await stack.enter_async_context(module)

        yield start


async def choose(hass: HomeAssistant, step: str) -> ConfigFlowResult:
    """Press "Add integration" and choose how updates reach the module."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": step}
    )
    assert_form_is_whole("config", result)
    return result


async def test_a_module_is_added_by_its_update_page(
    hass: HomeAssistant, esp_ota: None, start_page: StartPage
) -> None:
    module = await start_page()
    form = await choose(hass, "page")
    answers = {"host": "127.0.0.1", "upload_port": 1, "equipment": "nothing"}
    form = await hass.config_entries.flow.async_configure(form["flow_id"], answers)
    assert form["errors"] == {"base": "http_port_closed"}
    assert_form_is_whole("config", form)
    answers |= {"upload_port": module.http_port, "upload_path": "update"}
    form = await hass.config_entries.flow.async_configure(form["flow_id"], answers)
    assert form["errors"] == {"upload_path": "no_path"}
    answers["upload_path"] = "/update"
    result = await hass.config_entries.flow.async_configure(form["flow_id"], answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    data = result["data"]
    assert data["transports"] == ["http_upload"]
    assert (data["upload_port"], data["upload_path"]) == (module.http_port, "/update")
    assert "equipment" not in data
    assert not module.events.count_of(Seen.FIRST_BYTE)

    form = await choose(hass, "page")  # the same page once more
    result = await hass.config_entries.flow.async_configure(form["flow_id"], answers)
    assert result["type"] is FlowResultType.ABORT
    assert_abort_is_whole("config", result)


async def test_a_page_that_wants_a_password_is_asked_with_one(
    hass: HomeAssistant, esp_ota: None, start_page: StartPage
) -> None:
    module = await start_page(HttpConfig(password="watering-can"))
    form = await choose(hass, "page")
    answers = {"host": "127.0.0.1", "upload_port": module.http_port, "equipment": "nothing"}
    for password, cause in ((None, "password_missing"), ("wrong", "wrong_password")):
        said = answers | ({"upload_password": password} if password else {})
        form = await hass.config_entries.flow.async_configure(form["flow_id"], said)
        assert form["errors"] == {"base": cause}
        assert_form_is_whole("config", form)
    answers["upload_password"] = "watering-can"
    result = await hass.config_entries.flow.async_configure(form["flow_id"], answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_address_for_sketches_is_shown_before_any_module_exists(
    hass: HomeAssistant, esp_ota: None
) -> None:
    form = await choose(hass, "pull")
    shown = form["description_placeholders"]
    secret = hass.data[HOUSE].pollers.secret
    assert len(secret) >= 16
    assert shown["url"].endswith(f"/api/esp_ota/pull/{secret}")
    assert f'ESPhttpUpdate.update(client, "{shown["url"]}", "1.0.0");' in shown["sketch"]
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {})
    assert_abort_is_whole("config", result)


def with_page(module: HttpModule, **changes: Any) -> MockConfigEntry:
    """Return the entry of a module that is updated through its page."""
    doors = {"transports": ["http_upload"], "upload_port": module.http_port}
    return entry_for(module, **{"options": options_for()} | doors | changes)


@pytest.mark.slow
async def test_an_update_goes_through_the_page(garden: Garden, start_page: StartPage) -> None:
    module = await start_page()
    entry = await garden.add(with_page(module))
    release = await garden.release("1.1.0")
    await garden.install()
    assert module.running_image is not None
    assert len(module.running_image) == release.image.size
    assert module.events.count_of(Seen.INVITED) == 0
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    assert garden.card.attributes["last_verdict"] == "unverified"  # it announces nothing


@pytest.mark.slow
async def test_a_page_that_answers_200_to_a_failure_is_not_believed(
    garden: Garden, start_page: StartPage
) -> None:
    module = await start_page(slot_size=1 << 15)
    entry = await garden.add(with_page(module))
    await garden.release("1.1.0")
    facts = await garden.refused("no_space")
    assert "ERROR[4]" in facts["text"]
    assert module.running_version == "1.0.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_page_that_is_off_touches_nothing(garden: Garden, start_page: StartPage) -> None:
    module = await start_page()
    entry = await garden.add(with_page(module))
    await garden.release("1.1.0")
    await module.__aexit__(None, None, None)
    facts = await garden.refused("unreachable")
    assert facts["port"] == str(module.http_port)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.slow
async def test_the_page_is_used_when_the_call_back_never_comes(
    garden: Garden, start_page: StartPage, caplog: pytest.LogCaptureFixture
) -> None:
    garden.house.patience = patience(callback=0.5, evidence=0.1)
    module = await start_page(faults={Fault.NO_CONNECT}, limit_scale=0.01)
    doors = ["arduino_ota", "http_upload"]
    entry = await garden.add(with_page(module, transports=doors))
    await garden.release("1.1.0")
    await garden.install()
    assert module.running_version == "1.1.0"
    assert module.events.count_of(Seen.INVITED) >= 1
    assert "arduino_ota failed (no_callback" in caplog.text
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def open_doors(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigFlowResult:
    """Press "Configure" and choose the form."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    form = await hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": "doors"}
    )
    assert_form_is_whole("options", form)
    return form


async def test_doors_are_set_up_on_the_options_form(
    garden: Garden, hass: HomeAssistant, start_page: StartPage
) -> None:
    module = await start_page()
    entry = await garden.add(entry_for(module))
    assert entry.runtime_data.coordinator.transports == ["arduino_ota"]
    form = await open_doors(hass, entry)
    flow_id = form["flow_id"]
    form = await hass.config_entries.options.async_configure(flow_id, {"transports": []})
    assert form["errors"] == {"transports": "no_transport"}
    ways = {"transports": ["http_upload", "arduino_ota"]}
    form = await hass.config_entries.options.async_configure(flow_id, ways)
    assert form["step_id"] == "door_page"
    assert_form_is_whole("options", form)
    form = await hass.config_entries.options.async_configure(flow_id, {"upload_port": 1})
    assert form["errors"] == {"base": "http_port_closed"}
    assert_form_is_whole("options", form)
    page = {"upload_port": module.http_port}
    result = await hass.config_entries.options.async_configure(flow_id, page)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert entry.runtime_data.coordinator.transports == ["http_upload", "arduino_ota"]
    assert entry.data["upload_port"] == module.http_port
    assert "pull_secret" not in entry.data


async def test_a_module_may_have_a_secret_of_its_own(
    garden: Garden, hass: HomeAssistant, start_page: StartPage
) -> None:
    module = await start_page()
    entry = await garden.add(entry_for(module))
    form = await open_doors(hass, entry)
    configure = hass.config_entries.options.async_configure
    asks = {"transports": ["http_pull"]}
    form = await configure(form["flow_id"], asks)
    assert_form_is_whole("options", form)
    await configure(form["flow_id"], {"own_secret": True})
    await hass.async_block_till_done()
    own = entry.data["pull_secret"]
    form = await configure((await open_doors(hass, entry))["flow_id"], asks)
    assert form["description_placeholders"]["url"].endswith(own)
    await configure(form["flow_id"], {"own_secret": True})
    await hass.async_block_till_done()
    assert entry.data["pull_secret"] == own  # is in the sketch already
    await configure((await open_doors(hass, entry))["flow_id"], {"transports": ["arduino_ota"]})
    await hass.async_block_till_done()
    assert entry.data["pull_secret"] == own  # the module asked with it, and may again
    form = await configure((await open_doors(hass, entry))["flow_id"], asks)
    await configure(form["flow_id"], {"own_secret": False})
    assert "pull_secret" not in entry.data


async def left_in_the_other_slot(
    garden: Garden, start_page: StartPage, entity_id: str | None
) -> HttpModule:
    """Have 1.2.0 fail to start on a PrettyOTA that runs 1.1.0, and ran 1.0.0 before.

    `ESPUpdateManager::DoRollback` (PrettyOTA 1.1.3) starts the slot after the one that runs.
    """
    page = HttpConfig(dialect=HttpDialect.PRETTY_OTA)
    running = firmware("1.1.0", "esp32")
    module: HttpModule = await start_page(
        page, chip="esp32", faults=[Fault.NO_RESTART], image=running
    )
    garden.house.patience = patience(evidence=0.5, evidence_unlikely=0.1, go=0.5)
    options = options_for(chip="esp32") | ({"info_entity": entity_id} if entity_id else {})
    entry = with_page(module, board="esp32dev", mac=None, options=options)
    known: Any = {"version": "1.1.0", "firmware": "garden-valve", "assumed": True}
    await garden.house.journal.async_remember(entry.entry_id, known)
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        await garden.release(version, "esp32")
    for version in ("1.0.0", "1.1.0"):
        [good] = garden.house.library.find("garden-valve", version)
        await garden.house.journal.async_proved(entry.entry_id, good.image.sha256)
    await garden.add(entry)
    await garden.refused("did_not_restart")
    module.faults.clear()
    assert module.board.staged is not None
    module.board.other_image = module.board.staged.payload
    return module


@pytest.mark.slow
async def test_what_ran_before_is_sent_where_it_is_not_known_what_runs(
    garden: Garden, start_page: StartPage
) -> None:
    module = await left_in_the_other_slot(garden, start_page, None)
    assert shown(garden) == NOBODY_KNOWS

    await roll_back(garden)

    assert module.running_version == "1.1.0"
    assert shown(garden) == ("1.1.0", True)


@pytest.mark.slow
@pytest.mark.parametrize("is_refused", [False, True], ids=["at once", "after a refusal"])
async def test_what_did_not_start_is_not_started_by_going_back(
    garden: Garden, start_page: StartPage, is_refused: bool
) -> None:
    """It is in the other slot, also of a module that says what runs."""
    garden.hass.states.async_set("sensor.valve_version", "1.1.0")
    module = await left_in_the_other_slot(garden, start_page, "sensor.valve_version")
    assert shown(garden) == ("1.1.0", False)
    if is_refused:
        await garden.release("2.0.0", "esp8266")
        with pytest.raises(HomeAssistantError):
            await garden.install("2.0.0")
        assert garden.card.attributes["last_verdict"] == "refused"

    with suppress(HomeAssistantError):  # the entity goes on with what it said
        await roll_back(garden)

    assert module.running_version == "1.0.0"
