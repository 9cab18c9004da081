"""A module that has only an update page: its password and its place, tried against the page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from homeassistant.data_entry_flow import FlowResultType
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.kit.sentences import assert_abort_is_whole, assert_form_is_whole
from tests.virtual_module import HttpConfig, HttpDialect, HttpModule, ModuleConfig, Seen

type StartPage = Callable[..., Awaitable[HttpModule]]
TRIED = [
    HttpDialect.UPDATE_SERVER,
    HttpDialect.ELEGANT_OTA,
    HttpDialect.ASYNC_ELEGANT_OTA,
    HttpDialect.TASMOTA,
    HttpDialect.ESP_EASY,
]


@pytest.fixture
async def start_page() -> AsyncIterator[StartPage]:
    """Return what switches a module with an update page on."""
    async with AsyncExitStack() as stack:

        async def start(**http: Any) -> HttpModule:
            config = ModuleConfig(time_scale=0.02, offline_time=15.0, txt_firmware=False)
            module = HttpModule(config, HttpConfig(**http))
            return await stack.enter_async_context(module)

        yield start


def entry_of(module: HttpModule, **changes: Any) -> MockConfigEntry:
    """Return the entry of a module that was added by its page."""
    data = {
        "transports": ["http_upload"],
        "upload_port": module.http_port,
        "port": module.http_port,
        "service_name": None,
        "unique_id": None,
    }
    return entry_for(module, **data | changes)


async def reauth(garden: Garden) -> str:
    flows = garden.hass.config_entries.flow
    await until(lambda: flows.async_progress_by_handler(DOMAIN))
    [flow] = flows.async_progress_by_handler(DOMAIN)
    assert flow["step_id"] == "reauth_page"
    result = await flows.async_configure(flow["flow_id"])
    assert_form_is_whole("config", result)
    return flow["flow_id"]


@pytest.mark.parametrize("known", [False, True], ids=["recognised", "chosen"])
@pytest.mark.parametrize("dialect", TRIED)
async def test_a_new_password_is_tried_against_the_page_and_stored_when_it_is_right(
    garden: Garden, start_page: StartPage, dialect: HttpDialect, known: bool
) -> None:
    module = await start_page(dialect=dialect, password="new")
    kind = {"upload_dialect": str(dialect)} if known else {}
    entry = await garden.add(entry_of(module, upload_password="old", **kind))
    entry.async_start_reauth(garden.hass)
    flow_id = await reauth(garden)

    configure = garden.hass.config_entries.flow.async_configure
    result = await configure(flow_id, {"upload_password": "wrong"})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "wrong_password"}
    assert_form_is_whole("config", result)
    assert entry.data["upload_password"] == "old"

    result = await configure(flow_id, {"upload_password": "new"})
    assert result["reason"] == "reauth_successful"
    assert_abort_is_whole("config", result)
    assert entry.data["upload_password"] == "new"
    assert "password" not in entry.data
    assert not module.events.count_of(Seen.FIRST_BYTE)


@pytest.mark.slow
async def test_a_page_that_refuses_an_update_asks_for_its_own_password(
    garden: Garden, start_page: StartPage
) -> None:
    module = await start_page(password="new")
    entry = await garden.add(entry_of(module, upload_password="old"))
    await garden.release("1.1.0")
    await garden.refused("wrong_password")

    flow_id = await reauth(garden)
    configure = garden.hass.config_entries.flow.async_configure
    await configure(flow_id, {"upload_username": "admin", "upload_password": "new"})
    assert entry.data["upload_username"] == "admin"
    await garden.install()
    assert module.running_version == "1.1.0"


async def test_of_two_ways_the_one_that_refused_is_asked_about(
    garden: Garden, start_page: StartPage
) -> None:
    module = await start_page(password="new")
    ways = {"transports": ["http_upload", "arduino_ota"]}
    entry = await garden.add(entry_of(module, **ways))
    flows = garden.hass.config_entries.flow
    for refused_by, step in (("arduino_ota", "reauth_confirm"), ("http_upload", "reauth_page")):
        entry.async_start_reauth(garden.hass, data={"refused_by": refused_by})
        await garden.hass.async_block_till_done()
        [flow] = flows.async_progress_by_handler(DOMAIN)
        assert flow["step_id"] == step
        flows.async_abort(flow["flow_id"])


@pytest.mark.slow
async def test_a_page_is_reconfigured_once_it_lets_us_in(
    garden: Garden, start_page: StartPage
) -> None:
    module = await start_page(path="/flash", password="secret")
    other = await start_page()
    entry = await garden.add(entry_of(module, upload_port=1, port=1, upload_username="anna"))
    MockConfigEntry(
        domain=DOMAIN,
        unique_id="other",
        data={"kind": "module", "host": "127.0.0.1", "upload_port": other.http_port},
    ).add_to_hass(garden.hass)
    result = await entry.start_reconfigure_flow(garden.hass)
    assert result["step_id"] == "reconfigure_page"
    assert_form_is_whole("config", result)

    configure = garden.hass.config_entries.flow.async_configure
    right = {
        "host": "127.0.0.1",
        "upload_port": module.http_port,
        "upload_path": "/flash",
        "upload_password": "secret",
    }
    for wrong, errors in (
        ({"upload_port": 1}, {"base": "http_port_closed"}),
        ({"upload_port": other.http_port}, {"base": "other_module"}),
        ({"upload_path": "flash"}, {"upload_path": "no_path"}),
        ({"upload_password": "wrong"}, {"base": "wrong_password"}),
    ):
        result = await configure(result["flow_id"], right | wrong)
        assert result["type"] is FlowResultType.FORM
        assert result["errors"] == errors
        assert_form_is_whole("config", result)
        assert entry.data["upload_port"] == 1

    runtime = entry.runtime_data
    result = await configure(result["flow_id"], right)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data.items() >= (right | {"port": module.http_port}).items()
    assert "upload_username" not in entry.data
    assert entry.runtime_data is runtime
    await garden.release("1.1.0")
    await garden.install()
    assert module.running_version == "1.1.0"


async def test_a_module_that_sleeps_is_believed_when_its_kind_was_chosen(
    garden: Garden, start_page: StartPage
) -> None:
    module = await start_page()
    entry = await garden.add(entry_of(module))
    result = await entry.start_reconfigure_flow(garden.hass)
    place = {"host": "127.0.0.1", "upload_port": 1, "upload_dialect": "update_server"}
    result = await garden.hass.config_entries.flow.async_configure(result["flow_id"], place)
    assert result["reason"] == "reconfigure_successful"


@pytest.mark.slow
async def test_a_module_that_says_it_wants_a_password_is_not_added_without(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(password="secret", advertise=True)
    await until(lambda: garden.house.announcements.find("127.0.0.1", module.port))
    flows = garden.hass.config_entries.flow
    result = await flows.async_init(DOMAIN, context={"source": "user"})
    result = await flows.async_configure(result["flow_id"], {"next_step_id": "address"})
    said = {"host": "127.0.0.1", "port": module.port, "equipment": "nothing"}

    result = await flows.async_configure(result["flow_id"], said)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"password": "password_missing"}
    assert_form_is_whole("config", result)

    result = await flows.async_configure(result["flow_id"], said | {"password": "secret"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not module.events.count_of(Seen.INVITED)
