"""What is heard after a restart proves an update only if it was said after it, by who runs it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import pytest_socket

from custom_components.esp_ota.ota import WatchLimits
from homeassistant.config_entries import ConfigEntryState
from tests.kit.garden import CLOSED_AND_OPENED, TALKING, Garden, patience, until
from tests.kit.three_doors import DOORS, MAC, PAGE, PULL, PUSH, Door, Doors, doors_of
from tests.virtual_module import Fault, Seen

pytestmark = pytest.mark.slow

ENTITY = "sensor.valve_version"
type Handler = Callable[[web.Request], Any]


@pytest.fixture
async def doors(
    garden: Garden, hass_client_no_auth: ClientSessionGenerator
) -> AsyncIterator[Doors]:
    """Return what switches modules on."""
    async with doors_of(garden, hass_client_no_auth) as doors:
        pull = garden.house.patience.pull
        garden.house.patience = replace(TALKING, pull=pull)
        yield doors


def short_of_evidence(garden: Garden, **seconds: float) -> None:
    """Wait for evidence no longer than a test wants to."""
    usual = {"evidence": 0.4, "evidence_unlikely": 0.4} | seconds
    garden.house.patience = replace(patience(**usual), pull=garden.house.patience.pull)


def with_entity(options: dict[str, Any]) -> None:
    options["info_entity"] = ENTITY


def verdict(garden: Garden) -> str:
    shown: str = garden.card.attributes["last_verdict"]
    return shown


async def serve(handle: Handler) -> TestServer:
    """Serve one page."""
    app = web.Application()
    app.router.add_get("/info", handle)
    server = TestServer(app)
    await server.start_server()
    return server


# A page


async def test_a_page_that_comes_in_pieces_is_read_to_its_end(garden: Garden, doors: Doors) -> None:
    """The first piece alone names another version."""
    running = {"version": lambda: "1.0.0"}

    async def handle(request: web.Request) -> web.StreamResponse:
        version = running["version"]() or ""
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (version[:3], version[3:]):
            await response.write(piece.encode())
            await asyncio.sleep(0.05)
        return response

    async with await serve(handle) as page:
        url = f"http://{{host}}:{page.port}/info"
        door = await doors.open(
            PUSH,
            change=lambda options: options.update(info_url=url),
            entry={"service_name": None},
        )
        running["version"] = lambda: door.module.running_version or ""
        await garden.runs("1.0.0")
        await garden.release("1.1.0")
        await garden.install()
        assert verdict(garden) == "verified"
        assert garden.card.attributes["installed_version"] == "1.1.0"


@pytest.mark.parametrize("age", ["3600", "0"], ids=["kept for an hour", "fresh"])
async def test_a_page_that_somebody_has_kept_is_as_old_as_it_says(
    garden: Garden, doors: Doors, age: str
) -> None:
    """What stood on it an hour ago is not what runs after the restart."""
    asked_for: list[str | None] = []

    async def handle(request: web.Request) -> web.Response:
        asked_for.append(request.headers.get("Cache-Control"))
        is_back = door.module.restarts and door.module.events.count_of(Seen.BACK)
        said = "1.1.0" if is_back else "1.0.0"
        return web.Response(text=said, headers={"Age": age if is_back else "0"})

    short_of_evidence(garden, evidence=1.0)
    async with await serve(handle) as page:
        url = f"http://127.0.0.1:{page.port}/info"
        door = await doors.open(PUSH, entry={"service_name": None})
        options = {**door.entry.options, "info_url": url}
        garden.hass.config_entries.async_update_entry(door.entry, options=options)
        await garden.hass.config_entries.async_reload(door.entry.entry_id)
        await garden.runs("1.0.0")
        await garden.release("1.1.0")

        await garden.install()

        assert verdict(garden) == ("verified" if age == "0" else "unverified")
        assert set(asked_for) == {"no-cache"}


# An entity


def flicker(garden: Garden, *states: str, pause: float = 0.05) -> None:
    """Have the entity show one state after the other."""

    async def show() -> None:
        for state in states:
            garden.hass.states.async_set(ENTITY, state)
            await asyncio.sleep(pause)

    garden.hass.async_create_task(show())


def when_back(door: Door, do: Callable[[], None]) -> None:
    """Do something as soon as the module runs again."""
    door.module.events.listeners.append(lambda event: do() if event.name == Seen.BACK else None)


@pytest.mark.parametrize("kind", DOORS)
async def test_an_entity_that_shows_the_old_version_for_a_while_is_waited_for(
    garden: Garden, doors: Doors, kind: str
) -> None:
    garden.hass.states.async_set(ENTITY, "1.0.0")
    silent = {"tells_version": False, "without": ("x-ESP8266-sketch-md5",)}
    door = await doors.open(kind, change=with_entity, entry={"service_name": None}, pull=silent)
    await garden.runs("1.0.0")
    await garden.release("1.1.0")
    short_of_evidence(garden, evidence=5.0, evidence_unlikely=5.0)
    await garden.hass.config_entries.async_reload(door.entry.entry_id)
    when_back(door, lambda: flicker(garden, "unavailable", "1.0.0", "unknown", "1.0.0", "1.1.0"))

    await garden.install()

    assert verdict(garden) == "verified"
    assert garden.card.attributes["installed_version"] == "1.1.0"


@pytest.mark.parametrize("kind", [PUSH, PAGE])
async def test_an_entity_that_never_changes_does_not_speak_against_the_module(
    garden: Garden, doors: Doors, kind: str
) -> None:
    garden.hass.states.async_set(ENTITY, "1.0.0")
    door = await doors.open(kind, change=with_entity, advertise=True)
    await garden.runs("1.0.0")
    await garden.release("1.1.0")
    when_back(door, lambda: flicker(garden, "unavailable", "1.0.0", pause=0.01))

    await garden.install()

    assert verdict(garden) == "verified"


async def test_an_entity_does_not_end_the_wait_for_a_module_that_asks(
    garden: Garden, doors: Doors
) -> None:
    """Its integration is back sooner than the module asks again, with what it knew."""
    garden.hass.states.async_set(ENTITY, "1.0.0")
    short_of_evidence(garden)
    door = await doors.open(
        PULL, change=with_entity, pull={"poll_interval": 1.5}, offline_time=50.0
    )
    await garden.runs("1.0.0")
    await garden.release("1.1.0")
    install = asyncio.create_task(garden.install())
    await door.module.wait_for(Seen.RESTARTED)

    flicker(garden, "unavailable", "1.0.0", pause=0.01)

    await install
    assert verdict(garden) == "verified"


# The same version with other bytes


SUM = {"txt_flash": True, "advertise": True}
SAYS_NO_SUM = {"without": ("x-ESP8266-sketch-md5",)}
SAME_VERSION: dict[str, tuple[str, dict[str, Any], str]] = {
    "push, the record has the sum": (PUSH, SUM, "verified"),
    "push, the record has the version": (PUSH, {"advertise": True}, "unverified"),
    "page, the record has the sum": (PAGE, SUM, "verified"),
    "page, the record has the version": (PAGE, {"advertise": True}, "unverified"),
    "pull, the request has the sum": (PULL, {}, "verified"),
    "pull, the request has the version": (PULL, {"pull": SAYS_NO_SUM}, "unverified"),
}


@pytest.mark.parametrize(("kind", "config", "ends"), SAME_VERSION.values(), ids=SAME_VERSION)
async def test_the_same_version_with_other_bytes_is_told_apart_by_its_sum_only(
    garden: Garden, doors: Doors, kind: str, config: dict[str, Any], ends: str
) -> None:
    short_of_evidence(garden)
    door = await doors.open(kind, **config)
    await garden.runs("1.0.0")
    rebuilt = await garden.release("1.0.0", size=64 * 1024)
    assert rebuilt.image.plain_md5 != door.module.running_md5

    await garden.install("1.0.0")

    assert verdict(garden) == ends
    assert door.module.running_md5 == rebuilt.image.plain_md5


@pytest.mark.parametrize("kind", DOORS)
async def test_the_same_version_with_its_old_bytes_is_back(
    garden: Garden, doors: Doors, kind: str
) -> None:
    short_of_evidence(garden, evidence=2.0)
    door = await doors.open(kind, faults=[Fault.OLD_SKETCH_BACK], **SUM)
    await garden.runs("1.0.0")
    await garden.release("1.0.0", size=64 * 1024)
    before = door.module.running_md5
    await until(lambda: door.entry.runtime_data.coordinator.facts().sketch_md5 == before)

    await garden.refused("old_firmware_asks" if kind == PULL else "old_firmware_back", "1.0.0")

    assert verdict(garden) == "unchanged"


# A restart that is hard to see


@pytest.mark.parametrize("kind", DOORS)
async def test_a_restart_that_no_probe_can_see_is_proven_by_what_is_said(
    garden: Garden, doors: Doors, kind: str
) -> None:
    short_of_evidence(garden, evidence=5.0, interval=0.4)
    door = await doors.open(kind, advertise=True, offline_time=0.0)
    await garden.runs("1.0.0")
    await garden.release("1.1.0")

    await garden.install()

    assert verdict(garden) == "verified"
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("kind", [PUSH, PAGE])
async def test_a_module_that_answers_all_the_time_has_not_restarted(
    garden: Garden, doors: Doors, kind: str
) -> None:
    short_of_evidence(garden, go=1.0)
    door = await doors.open(kind, advertise=True, faults=[Fault.NO_RESTART])
    await garden.runs("1.0.0")
    await garden.release("1.1.0")

    await garden.refused("did_not_restart")

    assert door.module.running_version == "1.0.0"
    assert garden.card.attributes["installed_version"] == "1.0.0"
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("kind", DOORS)
async def test_a_slow_restart_is_waited_for(garden: Garden, doors: Doors, kind: str) -> None:
    door = await doors.open(
        kind, advertise=True, faults=[Fault.SLOW_RESTART], slow_restart_time=100.0
    )
    await garden.runs("1.0.0")
    await garden.release("1.1.0")

    await garden.install()

    assert verdict(garden) == "verified"
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


# Another address


MOVES = {
    "push": (PUSH, True, "verified"),
    "push, it does not say what it runs": (PUSH, False, "unverified"),
    "page": (PAGE, True, "verified"),
    "page, it does not say what it runs": (PAGE, False, "unverified"),
    "pull": (PULL, True, "verified"),
}


@pytest.mark.parametrize(("kind", "tells", "ends"), MOVES.values(), ids=MOVES)
async def test_a_module_that_comes_back_at_another_address_is_met_there(
    garden: Garden, doors: Doors, kind: str, tells: bool, ends: str
) -> None:
    """The router gave it a new one; its entry follows without a reload in the middle."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "127.0.0.2", "224.0.0.251"])
    known = MAC if tells else "garden-valve"
    if not tells:
        short_of_evidence(garden)
    door = await doors.open(
        kind, advertise=kind != PULL, txt_firmware=tells, entry={"unique_id": known}
    )
    flows = garden.hass.config_entries.flow
    for flow in flows.async_progress():  # its card was there before the test added it
        flows.async_abort(flow["flow_id"])
    if tells:
        await garden.runs("1.0.0")
    await garden.release("1.1.0")
    states: list[ConfigEntryState] = []
    door.entry.async_on_state_change(lambda: states.append(door.entry.state))
    door.module.events.listeners.append(
        lambda event: move(door, "127.0.0.2") if event.name == Seen.RESTARTED else None
    )

    await garden.install()

    assert verdict(garden) == ends
    await until(lambda: door.entry.data["host"] == "127.0.0.2")
    assert states == []
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


def move(door: Door, host: str) -> None:
    """Give a module another address, from its next start on."""
    object.__setattr__(door.module.config, "host", host)


def test_waits_are_long_enough_for_a_page_to_be_asked_twice() -> None:
    assert WatchLimits().evidence > 2 * 5.0


async def test_a_record_that_was_kept_over_a_reload_says_nothing_of_the_new_sketch(
    garden: Garden, doors: Doors
) -> None:
    short_of_evidence(garden, evidence=1.0)
    await garden.release("1.1.0")
    door = await doors.open(PUSH, advertise=True, offline_time=40.0)
    await garden.runs("1.0.0")
    install = asyncio.create_task(garden.refused("suspended"))
    await door.module.wait_for(Seen.RESTARTED)
    object.__setattr__(door.module.config, "txt_firmware", False)  # the new sketch is silent
    await until(lambda: garden.card.attributes["stage"] == "restarting")

    await garden.hass.config_entries.async_reload(door.entry.entry_id)
    await install
    await until(lambda: garden.house.journal.open_install(door.entry.entry_id) is None)
    await garden.hass.async_block_till_done()

    assert verdict(garden) == "unverified"


async def test_the_page_of_a_module_that_asks_proves_an_update(
    garden: Garden, doors: Doors
) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=door.module.running_version or "")

    async with await serve(handle) as page:
        url = f"http://127.0.0.1:{page.port}/info"
        silent = {"tells_version": False, "without": ("x-ESP8266-sketch-md5",)}
        door = await doors.open(PULL, pull=silent)
        options = {**door.entry.options, "info_url": url}
        garden.hass.config_entries.async_update_entry(door.entry, options=options)
        await garden.hass.config_entries.async_reload(door.entry.entry_id)
        await garden.runs("1.0.0")
        await garden.release("1.1.0")

        await garden.install()

        assert verdict(garden) == "verified"
