"""A page of the module and an entity as evidence of what runs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web
from aiohttp.test_utils import TestServer
from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.modules import async_info_version
from custom_components.esp_ota.ota import with_own_host
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.kit.asking import MAC, OWN, PATH, ask, house, poller
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, TALKING, Garden, options_for, until
from tests.kit.hours import Hours, running_clock
from tests.kit.sentences import assert_form_is_whole
from tests.kit.web_site import Site, to
from tests.virtual_module import VirtualModule

type StartPage = Callable[[Callable[[], web.Response]], Awaitable[str]]


@pytest.fixture
def clock() -> Iterator[TickingDateTimeFactory]:
    """Let the clock leap, from before Home Assistant starts."""
    with running_clock() as clock:
        yield clock


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


@pytest.mark.slow
@pytest.mark.parametrize("announces", [True, False], ids=["it announces itself", "a page alone"])
async def test_a_page_tells_of_what_was_flashed_by_a_cable(
    clock: TickingDateTimeFactory,
    garden: Garden,
    start_module: StartModule,
    page: StartPage,
    announces: bool,
) -> None:
    module = await start_module(advertise=announces, txt_firmware=False)
    garden.house.patience = TALKING
    said = ["1.0.0"]
    url = await page(lambda: web.Response(text=said[0]))
    name = "garden-valve._arduino._tcp.local." if announces else None
    entry = entry_for(module, service_name=name, options=options_for(info_url=url))
    await garden.add(entry)
    await garden.runs("1.0.0")

    said[0] = "1.3.0"
    await Hours(garden.hass, clock).go_on(16)

    assert garden.card.attributes["installed_version"] == "1.3.0"


@pytest.mark.slow
async def test_a_page_is_left_alone_while_its_module_is_updated(
    clock: TickingDateTimeFactory, garden: Garden, start_module: StartModule, page: StartPage
) -> None:
    asked: list[str] = []

    def answer() -> web.Response:
        asked.append("1.0.0")
        return web.Response(text="1.0.0")

    module = await start_module(advertise=True)
    await garden.add_talking(module, options=options_for(info_url=await page(answer)))
    await until(lambda: asked)
    garden.house.queue.async_set(limit=0, stagger="area")
    pressed = await garden.begin(garden.press(), "queued")
    asked.clear()
    for _ in range(31):
        clock.tick(timedelta(minutes=1))
        await asyncio.sleep(0.02)
    assert asked == []
    await garden.hass.services.async_call("esp_ota", "cancel", {"entity_id": CARD}, blocking=True)
    await pressed


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
    typed = url.replace("{host}", "127.0.0.1")
    answers = {"info_url": typed, "info_path": "fw.version"}
    result = await hass.config_entries.options.async_configure(flow_id, answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["info_url"] == url
    await garden.runs("1.0.0")


@pytest.mark.slow
async def test_a_module_whose_mac_its_page_says_may_ask_by_it_at_once(
    garden: Garden, page: StartPage, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """It need not be reloaded: Home Assistant may not be restarted for months."""
    await garden.add(house())
    url = await page(lambda: web.json_response({"version": "1.0.0", "mac": MAC}))
    entry = poller(
        mac=None,
        unique_id="garden-valve",
        transports=["http_upload", "http_pull"],
        options={"info_url": url, "info_path": "version"},
    )
    await garden.add(entry)
    await until(lambda: entry.data["mac"] == MAC.lower())

    status, _, _ = await ask(await hass_client_no_auth())

    assert status == HTTPStatus.NOT_MODIFIED
    flows = garden.hass.config_entries.flow.async_progress_by_handler("esp_ota")
    assert [flow["context"]["source"] for flow in flows] == []


@pytest.mark.slow
async def test_a_page_that_was_typed_with_the_address_moves_with_the_module(
    garden: Garden, start_module: StartModule, page: StartPage
) -> None:
    """At the old address there may be the page of another module by now."""
    url = (await page(lambda: web.Response(text="1.0.0"))).replace("{host}", "127.0.0.1")
    entry = entry_for(await start_module(), options=options_for(info_url=url))
    await garden.add(entry)
    await garden.runs("1.0.0")

    entry.runtime_data.coordinator.whereabouts.async_move("127.0.0.7")

    assert entry.options["info_url"] == url.replace("127.0.0.1", "{host}")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://192.168.1.5/version", "http://{host}/version"),
        ("http://me:word@192.168.1.5:81?x=1", "http://me:word@{host}:81?x=1"),
        ("http://192.168.1.50/version", "http://192.168.1.50/version"),
        ("http://hub/of/192.168.1.5", "http://hub/of/192.168.1.5"),
        ("http://{host}/version", "http://{host}/version"),
    ],
)
def test_only_the_address_of_the_module_is_one_that_may_change(url: str, kept: str) -> None:
    assert with_own_host(url, "192.168.1.5") == kept


@pytest.mark.slow
async def test_a_page_that_says_the_mac_of_another_module_does_not_shut_that_out(
    garden: Garden, page: StartPage, hass_client_no_auth: ClientSessionGenerator
) -> None:
    await garden.add(house())
    await garden.add(poller(OWN))
    url = await page(lambda: web.json_response({"version": "1.0.0", "mac": MAC}))
    other = poller(
        mac=None,
        unique_id="pump",
        name="pump",
        transports=["http_upload"],
        options={"info_url": url, "info_path": "version"},
    )
    await garden.add(other)
    await until(lambda: other.runtime_data.coordinator.data.installed == "1.0.0")

    assert other.data["mac"] is None
    asker = await hass_client_no_auth()
    assert (await ask(asker, f"{PATH}/{OWN}"))[0] == HTTPStatus.NOT_MODIFIED
