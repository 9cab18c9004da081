"""A page of the module and an entity as evidence of what runs."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.modules import async_info_version
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import TALKING, Garden, options_for, until
from tests.kit.sentences import assert_form_is_whole
from tests.kit.web_site import Site, to
from tests.virtual_module import VirtualModule

type StartPage = Callable[[Callable[[], web.Response]], Awaitable[str]]


@pytest.fixture
async def page(request: pytest.FixtureRequest) -> StartPage:
    """Return what serves a page and returns its URL."""
    servers: list[TestServer] = []

    async def start(answer: Callable[[], web.Response]) -> str:
        async def handle(_request: web.Request) -> web.Response:
            return answer()

        app = web.Application()
        app.router.add_get("/info", handle)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return f"http://{{host}}:{server.port}/info"

    yield start  # type: ignore[misc]
    for server in servers:
        await server.close()


def info_of(module: VirtualModule) -> Callable[[], web.Response]:
    """Return what a module's own page says: nothing while it is off."""

    def answer() -> web.Response:
        return web.json_response({"fw": {"version": module.running_version}})

    return answer


@pytest.mark.slow
async def test_a_page_proves_an_update(
    garden: Garden, start_module: StartModule, page: StartPage
) -> None:
    module = await start_module()
    garden.house.patience = TALKING
    options = options_for(info_url=await page(info_of(module)), info_path="fw.version")
    await garden.add(entry_for(module, service_name=None, options=options))
    await garden.runs("1.0.0")
    await garden.release("1.1.0")
    await garden.install()
    assert garden.card.attributes["last_verdict"] == "verified"
    assert garden.card.attributes["installed_version"] == "1.1.0"


async def test_a_page_leads_to_another_page_of_its_host_and_to_no_other_host(
    garden: Garden, start_module: StartModule
) -> None:
    """A GET switches many a relay."""
    async with Site() as own, Site("127.0.0.2") as relay:
        relay.serve("/on", b"9.9.9")
        own.serve("/info", b"1.0.0")
        for path, there in (("/own", own.url("/info")), ("/relay", relay.url("/on"))):
            own.answers[path] = to(there)
        own.answers["/circle"] = to("/circle")
        own.answers["/odd"] = to("http://[/")
        entry = await garden.add(entry_for(await start_module(), options=options_for()))

        async def said(path: str) -> str | None:
            return await async_info_version(garden.hass, entry, {"info_url": own.url(path)})

        assert await said("/own") == "1.0.0"
        for path in ("/relay", "/circle", "/odd"):
            assert await said(path) is None
        assert relay.asked == []


@pytest.mark.slow
async def test_an_entity_proves_an_update(garden: Garden, start_module: StartModule) -> None:
    module = await start_module()
    garden.house.patience = TALKING
    states = garden.hass.states
    states.async_set("sensor.valve_version", "1.0.0")
    options = options_for(info_entity="sensor.valve_version")
    await garden.add(entry_for(module, service_name=None, options=options))
    await garden.runs("1.0.0")
    await garden.release("1.1.0")
    module.events.listeners.append(
        lambda event: (
            states.async_set("sensor.valve_version", module.running_version)
            if event.name == "back"
            else None
        )
    )
    await garden.install()
    assert garden.card.attributes["last_verdict"] == "verified"
    states.async_set("sensor.valve_version", "unavailable")
    await garden.hass.async_block_till_done()
    assert garden.card.attributes["installed_version"] == "1.1.0"
    states.async_set("sensor.valve_version", "1.2.0")  # flashed by cable
    await until(lambda: garden.card.attributes["installed_version"] == "1.2.0")


async def test_the_form_reads_the_page_once(
    garden: Garden, hass: HomeAssistant, start_module: StartModule, page: StartPage
) -> None:
    module = await start_module()
    entry: MockConfigEntry = await garden.add(entry_for(module))
    url = await page(info_of(module))
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    form = await hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": "evidence"}
    )
    assert_form_is_whole("options", form)
    flow_id = form["flow_id"]
    for answers, errors in (
        ({"info_url": url, "info_path": "a..["}, {"info_path": "no_json_path"}),
        ({"info_url": url, "info_path": "fw.name"}, {"info_url": "no_version"}),
        ({"info_url": url + "/gone"}, {"info_url": "no_version"}),
        ({"info_url": "http://{host}:1/info"}, {"info_url": "no_version"}),
    ):
        form = await hass.config_entries.options.async_configure(flow_id, answers)
        assert form["errors"] == errors
        assert_form_is_whole("options", form)
    answers = {"info_url": url, "info_path": "fw.version"}
    result = await hass.config_entries.options.async_configure(flow_id, answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await garden.runs("1.0.0")
