"""Modules that move, swap addresses or share a name while they are updated."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from tests.kit.entries import entry_for
from tests.kit.garden import (
    CLOSED_AND_OPENED,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
    until,
)
from tests.kit.neighbours import ELSEWHERE, HERE, PUMP_MAC, THERE, VALVE_MAC, Neighbours
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.three_doors import PAGE, PUSH
from tests.kit.turns import turn_of
from tests.virtual_module import Event, Fault, Seen, VirtualModule

pytestmark = pytest.mark.slow


def at(garden: Garden, entity_id: str, state: str, do: Callable[[], None]) -> None:
    """Do something once, when an entity comes to a state."""
    done: list[bool] = []

    @callback
    def changed(event: Any) -> None:
        if not done and event.data["new_state"].state == state:
            done.append(True)
            do()

    async_track_state_change_event(garden.hass, [entity_id], changed)


async def swap(one: VirtualModule, other: VirtualModule) -> None:
    """Cut the power of two modules; the router lends each the other one's address."""
    hosts = one.host, other.host
    other.will_be_at(hosts[0])
    one.will_be_at(hosts[1])
    await asyncio.gather(one.power_cycle(), other.power_cycle())


def assert_followed(entry: MockConfigEntry, valve: VirtualModule, pump: VirtualModule) -> None:
    """Check that the valve has its own image, and that its neighbour was not touched."""
    assert valve.running_version == "1.1.0"
    assert pump.running_version == "1.0.0"
    assert_nothing_sent(pump)
    assert not pump.events.count_of(Seen.FIRST_BYTE)
    assert entry.data["host"] == valve.host


IDENTITIES = {"with MAC": True, "by name": False}


@pytest.mark.parametrize("talks", IDENTITIES.values(), ids=IDENTITIES)
@pytest.mark.parametrize("kind", [PUSH, PAGE])
async def test_modules_that_swap_addresses_while_the_valve_closes_keep_their_firmware(
    garden: Garden, neighbours: Neighbours, kind: str, talks: bool
) -> None:
    neighbours.kind = kind
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_firmware=talks)
    pump = await neighbours.start("pump", THERE, PUMP_MAC, txt_firmware=talks)
    entry = await neighbours.add(valve)
    await garden.release("1.1.0")
    swapping: list[asyncio.Task[None]] = []
    at(garden, VALVE, "off", lambda: swapping.append(asyncio.ensure_future(swap(valve, pump))))

    await garden.install("1.1.0")

    assert_followed(entry, valve, pump)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_modules_that_swap_addresses_in_the_queue_keep_their_firmware(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    pump = await neighbours.start("pump", THERE, PUMP_MAC)
    entry = await neighbours.add(valve)
    await garden.release("1.1.0")
    async with turn_of(garden.house), turn_of(garden.house):
        install = asyncio.create_task(garden.install("1.1.0"))
        await until(lambda: garden.card.attributes["stage"] == "queued")
        await swap(valve, pump)
        await asyncio.gather(valve.wait_for(Seen.BACK), pump.wait_for(Seen.BACK))
    await install

    assert_followed(entry, valve, pump)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("talks", IDENTITIES.values(), ids=IDENTITIES)
async def test_modules_that_swap_addresses_between_two_tries_keep_their_firmware(
    garden: Garden, neighbours: Neighbours, talks: bool
) -> None:
    faults = {Fault.REBOOT_MIDWAY: 1}
    valve = await neighbours.start(
        "garden-valve", HERE, VALVE_MAC, txt_firmware=talks, faults=faults
    )
    pump = await neighbours.start("pump", THERE, PUMP_MAC, txt_firmware=talks)
    entry = await neighbours.add(valve)
    await garden.release("1.1.0")
    cycling: list[asyncio.Future[None]] = []

    def swap_once(event: Event) -> None:
        if event.name is Seen.RESTARTED and not cycling:
            valve.will_be_at(THERE)
            pump.will_be_at(HERE)
            cycling.append(asyncio.ensure_future(pump.power_cycle()))

    valve.events.listeners.append(swap_once)

    await garden.install("1.1.0")

    assert valve.events.count_of(Seen.FIRST_BYTE) == 2
    assert_followed(entry, valve, pump)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_module_that_moves_to_a_free_address_is_followed_there(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_firmware=False)
    entry = await neighbours.add(valve)
    await garden.release("1.1.0")
    moving: list[asyncio.Future[None]] = []

    def move() -> None:
        valve.will_be_at(ELSEWHERE)
        moving.append(asyncio.ensure_future(valve.power_cycle()))

    at(garden, VALVE, "off", move)

    await garden.install("1.1.0")

    assert valve.running_version == "1.1.0"
    assert entry.data["host"] == ELSEWHERE


async def test_a_module_that_moved_while_home_assistant_was_off_is_found_before_anything_is_sent(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", THERE, VALVE_MAC)
    pump = await neighbours.start("pump", HERE, PUMP_MAC)
    announcements, service = garden.house.announcements, "garden-valve._arduino._tcp.local."
    await until(lambda: announcements.facts(service))
    cache = announcements._zeroconf.cache
    cache.async_remove_records(
        [item for name in cache.names() for item in cache.entries_with_name(name)]
    )
    data = {"name": "garden-valve", "host": HERE, "mac": VALVE_MAC, "service_name": service}
    entry = await garden.add(entry_for(valve, **data, unique_id=VALVE_MAC, options=options_for()))
    await garden.release("1.1.0")

    await garden.install("1.1.0")

    assert_followed(entry, valve, pump)


# Two boards of one name


def twin_issue(garden: Garden) -> ir.IssueEntry | None:
    """Return the repair that says that two boards cannot be told apart."""
    issues = ir.async_get(garden.hass).issues.values()
    return next((issue for issue in issues if issue.translation_key == "same_name"), None)


def offered(garden: Garden) -> list[Any]:
    """Return the cards of modules that were discovered."""
    flows = garden.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return [flow for flow in flows if flow["step_id"] == "confirm"]


async def twins(garden: Garden, neighbours: Neighbours) -> tuple[Any, ...]:
    """Have two boards of one name, the first one added, and wait until that is told."""
    first = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_firmware=False)
    entry = await neighbours.add(first)
    await until(lambda: not offered(garden) or close(garden))
    second = await neighbours.start("garden-valve", ELSEWHERE, PUMP_MAC, txt_firmware=False)
    await until(lambda: twin_issue(garden))
    await garden.release("1.1.0")
    return first, entry, second


def close(garden: Garden) -> bool:
    """Close the cards that were there before the test added the module."""
    for flow in offered(garden):
        garden.hass.config_entries.flow.async_abort(flow["flow_id"])
    return True


async def test_of_two_boards_with_one_name_neither_gets_an_image(
    garden: Garden, neighbours: Neighbours
) -> None:
    first, entry, second = await twins(garden, neighbours)

    assert entry.data["host"] == HERE
    issue = twin_issue(garden)
    assert issue is not None
    assert_issue_is_whole(issue)
    assert issue.translation_placeholders is not None
    told = issue.translation_placeholders
    assert {told["host"], told["other"]} == {HERE, ELSEWHERE}
    facts = await garden.refused("same_name", "1.1.0")
    assert {facts["host"], facts["other"]} == {HERE, ELSEWHERE}
    for board in (first, second):
        assert_nothing_sent(board)
    assert not offered(garden)


@pytest.mark.parametrize("change", ["MAC", "name"])
async def test_boards_are_told_apart_once_one_announces_a_mac_or_another_name(
    garden: Garden, neighbours: Neighbours, change: str
) -> None:
    first, entry, second = await twins(garden, neighbours)
    await second.__aexit__(None, None, None)
    name = "garden-valve" if change == "MAC" else "garden-valve-2"
    second = await neighbours.start(name, ELSEWHERE, PUMP_MAC, txt_firmware=change == "MAC")

    announcements, service = garden.house.announcements, f"{name}._arduino._tcp.local."
    await until(lambda: announcements.facts(service))
    await until(lambda: offered(garden))
    await garden.install("1.1.0")

    assert first.running_version == "1.1.0"
    assert_nothing_sent(second)
    assert entry.data["host"] == HERE
    assert entry.data["mac"] is None
    assert twin_issue(garden) is None
    flow = offered(garden)[0]["flow_id"]
    result = await garden.hass.config_entries.flow.async_configure(flow, {"equipment": "nothing"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["host"] == ELSEWHERE


# What a module's own page says


@pytest.mark.parametrize(
    ("mac", "cause"), [(PUMP_MAC.replace("00:03", "77:03"), "wrong_module"), (VALVE_MAC, None)]
)
async def test_a_page_that_names_another_mac_is_another_modules(
    garden: Garden, neighbours: Neighbours, mac: str, cause: str | None
) -> None:
    async def status(_request: web.Request) -> web.Response:
        return web.json_response({"version": "1.0.0", "net": {"mac": mac}})

    app = web.Application()
    app.router.add_get("/status", status)
    server = TestServer(app, host=HERE)
    await server.start_server()
    try:
        valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, advertise=False)
        url = f"http://{{host}}:{server.port}/status"
        options = options_for(info_url=url, info_path="version")
        data = {"name": "garden-valve", "host": HERE, "mac": VALVE_MAC, "options": options}
        entry = await garden.add(entry_for(valve, **data))
        await garden.release("1.1.0")
        if cause is None:
            await garden.hass.config_entries.async_reload(entry.entry_id)
            await garden.refused("old_version_back", "1.1.0")
            assert valve.running_version == "1.1.0"
            return
        facts = await garden.refused(cause, "1.1.0")
        assert (facts["expected"], facts["found"]) == (VALVE_MAC, mac)
        assert_nothing_sent(valve)
    finally:
        await server.close()
