"""What a module is shown, and believed, at an address that it had before, or has only just got."""

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.esp_ota.const import CONF_MOVED_FROM
from tests.kit.garden import Garden, options_for, until
from tests.kit.neighbours import ELSEWHERE, HERE, VALVE_MAC, Neighbours
from tests.kit.three_doors import PAGE
from tests.kit.web_site import Site
from tests.modules.test_impostors import SERVICE, answer, moved_issue
from tests.virtual_module import HttpConfig, HttpModule, Seen, VirtualModule

pytestmark = pytest.mark.slow


async def moved(
    garden: Garden, neighbours: Neighbours, **data: object
) -> tuple[VirtualModule, MockConfigEntry]:
    """Return a module, and its entry, that was lent another address, where it answers."""
    config = {} if neighbours.kind == PAGE else {"password": "geheim"}
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, **config)
    entry = await neighbours.add(valve, mac=VALVE_MAC, **data)
    await garden.release("1.1.0")
    valve.will_be_at(ELSEWHERE)
    await valve.power_cycle()
    await until(lambda: entry.data["host"] == ELSEWHERE)
    assert entry.data[CONF_MOVED_FROM] == HERE
    await valve.wait_for(Seen.BACK)
    return valve, entry


async def announced_here(garden: Garden) -> None:
    claims = garden.house.announcements.claims
    await until(lambda: any(one.facts.host == HERE for one in claims(SERVICE)))


def shown(module: VirtualModule) -> list[str]:
    """Return what logins a page was shown."""
    assert isinstance(module, HttpModule)
    heads = [line.lower() for head in module.request_heads for line in head]
    return [line for line in heads if line.startswith("authorization")]


async def test_who_takes_the_address_that_it_had_gets_nothing_while_it_answers(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve, _ = await moved(garden, neighbours, password="geheim", auth_required=True)
    impostor = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    await announced_here(garden)

    facts = await garden.refused("module_moved", "1.1.0")

    assert (facts["host"], facts["other"]) == (ELSEWHERE, HERE)
    assert not impostor.events.count_of(Seen.INVITED)
    await answer(garden, "stays")
    await garden.install("1.1.0")
    assert valve.running_version == "1.1.0"
    assert not impostor.events.count_of(Seen.INVITED)


async def test_one_that_is_back_where_it_was_has_to_ask_for_its_password_still(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve, entry = await moved(garden, neighbours, password="geheim", auth_required=True)
    await valve.__aexit__(None, None, None)
    impostor = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    await until(lambda: entry.data["host"] == HERE, 30)

    facts = await garden.refused("module_moved", "1.1.0")

    assert (facts["host"], facts["other"]) == (ELSEWHERE, HERE)
    assert not impostor.payload_bytes


async def test_one_that_nobody_knows_another_place_of_is_heard_on_and_gets_nothing(
    garden: Garden, neighbours: Neighbours
) -> None:
    """Where it was in between is forgotten by a restart: to deny its address would make it deaf."""
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC, password="geheim", moved_from=HERE)
    await garden.release("1.1.0")
    await garden.refused("module_moved", "1.1.0")

    await answer(garden, "stays")
    assert not entry.runtime_data.coordinator.whereabouts.moves.is_denied(HERE)
    await garden.refused("module_moved", "1.1.0")
    assert not valve.payload_bytes

    await answer(garden, "moved")
    await garden.install("1.1.0")
    assert valve.running_version == "1.1.0"


async def test_a_page_where_it_was_is_shown_no_password_whatever_its_kind(
    garden: Garden, neighbours: Neighbours
) -> None:
    neighbours.kind = PAGE
    await moved(garden, neighbours, upload_dialect="update_server", upload_password="geheim")
    other = await neighbours.start(
        "garden-valve", HERE, VALVE_MAC, http=HttpConfig(dialect="elegant_ota")
    )
    await announced_here(garden)
    await garden.refused("module_moved", "1.1.0")
    assert not shown(other)


@pytest.mark.parametrize("seen", ["update_server", None])
async def test_a_kind_that_was_recognised_is_compared_as_one_that_was_chosen(
    garden: Garden, neighbours: Neighbours, seen: str | None
) -> None:
    neighbours.kind = PAGE
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC, upload_password="geheim", upload_seen=seen)
    await garden.release("1.1.0")
    await valve.__aexit__(None, None, None)
    other = await neighbours.start(
        "garden-valve", ELSEWHERE, VALVE_MAC, http=HttpConfig(dialect="elegant_ota")
    )
    await until(lambda: moved_issue(garden), 30)
    await garden.refused("module_moved", "1.1.0")
    assert entry.data["host"] == HERE
    assert other.request_heads
    assert not shown(other)


async def test_the_kind_is_learnt_from_an_update_that_it_took(
    garden: Garden, neighbours: Neighbours
) -> None:
    neighbours.kind = PAGE
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await garden.release("1.1.0")
    await garden.install("1.1.0")
    assert entry.data["upload_seen"] == "update_server"


@pytest.mark.parametrize(("status", "is_alike"), [(401, True), (403, True), (200, False)])
async def test_an_information_page_is_shown_no_login_before_it_is_believed(
    garden: Garden, neighbours: Neighbours, status: int, *, is_alike: bool
) -> None:
    async with Site(ELSEWHERE) as page:
        page.answers["/info"] = lambda _: _answered(status)
        port = URL(page.url("/info")).port
        info = f"http://admin:geheim@{{host}}:{port}/info?key=secret"
        valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
        entry = await neighbours.add(valve, mac=VALVE_MAC, options=options_for(info_url=info))
        await valve.__aexit__(None, None, None)
        await neighbours.start("garden-valve", ELSEWHERE, VALVE_MAC)
        host = ELSEWHERE if is_alike else HERE
        await until(lambda: entry.data["host"] == host and page.asked, 30)
        assert page.tokens[0] is None
        assert not page.asked[0].query_string
        if not is_alike:
            await until(lambda: moved_issue(garden), 30)
            assert not any(page.tokens)


def _answered(status: int) -> web.Response:
    return web.Response(status=status, text="no version here")
