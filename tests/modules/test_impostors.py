"""Strangers that announce what a known module is: it is not followed there, nor told anything."""

import asyncio
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

import pytest
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from custom_components.esp_ota.const import CONF_MOVED_FROM, DOMAIN
from custom_components.esp_ota.ota import SERVICE_TYPE, Address, InstallRefused
from homeassistant.components.repairs.const import DOMAIN as REPAIRS
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.kit.garden import Garden, assert_nothing_sent, until
from tests.kit.neighbours import ELSEWHERE, HERE, PUMP_MAC, VALVE_MAC, Neighbours
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.three_doors import PAGE
from tests.virtual_module import HttpConfig, HttpModule, Seen, VirtualModule

pytestmark = pytest.mark.slow

SERVICE = "garden-valve._arduino._tcp.local."
IDENTITIES = {"with MAC": VALVE_MAC, "by name": None}


def moved_issue(garden: Garden) -> ir.IssueEntry | None:
    """Return the repair that asks whether a module moved."""
    issues = ir.async_get(garden.hass).issues.values()
    return next((one for one in issues if one.translation_key == "module_moved"), None)


def fall_silent(module: VirtualModule) -> None:
    """Let it answer no question by mDNS any more, while its sketch runs on."""
    assert module._advert is not None
    module._advert.silence()


async def goodbye(module: VirtualModule) -> None:
    """Have somebody say goodbye in its name."""
    assert module._advert is not None
    responder, info = module._advert._zeroconf, module._advert._info
    assert responder is not None
    assert info is not None
    await (await responder.async_unregister_service(info))


async def answer(garden: Garden, choice: str) -> dict[str, Any]:
    """Press Fix on the repair, and choose."""
    assert await async_setup_component(garden.hass, REPAIRS, {})
    issue = moved_issue(garden)
    assert issue is not None
    manager = garden.hass.data[REPAIRS]["flow_manager"]
    flow = await manager.async_init(DOMAIN, data={"issue_id": issue.issue_id})
    assert flow["type"] is FlowResultType.MENU
    result: dict[str, Any] = await manager.async_configure(
        flow["flow_id"], {"next_step_id": choice}
    )
    return result


@pytest.mark.parametrize("mac", IDENTITIES.values(), ids=IDENTITIES)
async def test_one_announcement_moves_no_module_that_is_there(
    garden: Garden, neighbours: Neighbours, mac: str | None
) -> None:
    talks = mac is not None
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_firmware=talks)
    entry = await neighbours.add(valve, mac=mac)
    await garden.release("1.1.0")
    fall_silent(valve)

    impostor = await neighbours.start("garden-valve", ELSEWHERE, VALVE_MAC, txt_firmware=talks)
    await until(lambda: moved_issue(garden))

    assert entry.data["host"] == HERE
    issue = moved_issue(garden)
    assert issue is not None
    assert_issue_is_whole(issue)
    facts = await garden.refused("module_moved", "1.1.0")
    assert (facts["host"], facts["other"]) == (HERE, ELSEWHERE)
    assert_nothing_sent(impostor)
    assert_nothing_sent(valve)


async def test_of_two_boards_with_its_mac_the_one_that_was_there_is_believed(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await garden.release("1.1.0")

    impostor = await neighbours.start("garden-valve", ELSEWHERE, VALVE_MAC)
    announcements = garden.house.announcements
    await until(lambda: any(one.facts.host == ELSEWHERE for one in announcements.claims(SERVICE)))
    await garden.install("1.1.0")

    assert entry.data["host"] == HERE
    assert valve.running_version == "1.1.0"
    assert_nothing_sent(impostor)


async def test_a_goodbye_does_not_hand_a_module_over(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await garden.release("1.1.0")

    await goodbye(valve)
    impostor = await neighbours.start("garden-valve", ELSEWHERE, VALVE_MAC)
    await until(lambda: moved_issue(garden))
    await garden.refused("module_moved", "1.1.0")

    assert entry.data["host"] == HERE
    assert_nothing_sent(impostor)


async def say_again_and_again(said: ServiceInfo) -> None:
    """Announce a service in somebody else's voice, so often that it is always the newest."""
    voice = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    try:
        await voice.zeroconf.async_wait_for_start()
        while True:
            voice.zeroconf.async_send(voice.zeroconf.generate_service_broadcast(said, 120))
            await asyncio.sleep(0.05)
    finally:
        await voice.async_close()


def pump_at(host: str, port: int) -> ServiceInfo:
    """Return what a pump says that is there."""
    return ServiceInfo(
        SERVICE_TYPE,
        f"pump.{SERVICE_TYPE}",
        addresses=[ip_address(host).packed],
        port=port,
        server="pump.local.",
    )


async def test_a_module_that_answers_has_swapped_with_nobody(
    garden: Garden, neighbours: Neighbours
) -> None:
    """Two forged announcements: another has its address now, and it is elsewhere."""
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await garden.release("1.1.0")
    said = pump_at(HERE, valve.port)
    announcements = garden.house.announcements

    impostor = await neighbours.start("garden-valve", ELSEWHERE, VALVE_MAC)
    voice = asyncio.create_task(say_again_and_again(said))
    await until(lambda: any(one.facts.host == ELSEWHERE for one in announcements.claims(SERVICE)))
    await until(lambda: announcements.is_others(SERVICE, HERE, valve.port))
    with suppress(HomeAssistantError):
        await garden.install("1.1.0")
    voice.cancel()
    await asyncio.wait([voice])

    assert entry.data["host"] == HERE
    assert_nothing_sent(impostor)


async def test_whoever_has_its_address_now_it_gets_the_time_of_a_restart_to_answer(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await neighbours.start("garden-valve", ELSEWHERE, VALVE_MAC)
    fall_silent(valve)
    voice = asyncio.create_task(say_again_and_again(pump_at(HERE, valve.port)))
    await until(lambda: garden.house.announcements.is_others(SERVICE, HERE, valve.port))

    moves = entry.runtime_data.coordinator.whereabouts.moves
    asking = asyncio.create_task(moves.raise_unless_moved(Address(ELSEWHERE, valve.port)))
    await asyncio.sleep(garden.house.patience.breath + 0.5)
    assert valve._advert is not None
    await valve._advert.announce(valve.port)

    with pytest.raises(InstallRefused, match="module_moved"):
        await asking
    voice.cancel()
    await asyncio.wait([voice])


@pytest.mark.parametrize(("choice", "host"), [("moved", ELSEWHERE), ("stays", HERE)])
async def test_a_person_says_whether_it_moved(
    garden: Garden, neighbours: Neighbours, choice: str, host: str
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await garden.release("1.1.0")
    fall_silent(valve)
    other = await neighbours.start("garden-valve", ELSEWHERE, VALVE_MAC)
    await until(lambda: moved_issue(garden))

    result = await answer(garden, choice)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert moved_issue(garden) is None
    if choice == "stays":
        fall_silent(other)
        await valve.power_cycle()
        await valve.wait_for(Seen.BACK)
    await garden.install("1.1.0")

    assert entry.data["host"] == host
    here, there = (other, valve) if choice == "moved" else (valve, other)
    assert here.running_version == "1.1.0"
    assert_nothing_sent(there)


async def test_a_module_with_a_password_that_moved_has_to_ask_for_it(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, password="geheim")
    entry = await neighbours.add(valve, mac=VALVE_MAC, password="geheim", auth_required=True)
    await garden.release("1.1.0")
    await valve.__aexit__(None, None, None)

    impostor = await neighbours.start("garden-valve", ELSEWHERE, VALVE_MAC)
    await until(lambda: entry.data["host"] == ELSEWHERE)
    await garden.refused("module_moved", "1.1.0")

    assert not impostor.payload_bytes
    assert moved_issue(garden) is not None


async def test_a_module_that_moved_and_answers_alike_is_followed_without_a_person(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, password="geheim")
    entry = await neighbours.add(valve, mac=VALVE_MAC, password="geheim", auth_required=True)
    await garden.release("1.1.0")

    valve.will_be_at(ELSEWHERE)
    await valve.power_cycle()
    await until(lambda: entry.data["host"] == ELSEWHERE)
    assert entry.data[CONF_MOVED_FROM] == HERE
    await garden.install("1.1.0")

    assert valve.running_version == "1.1.0"
    assert moved_issue(garden) is None
    assert CONF_MOVED_FROM not in entry.data


@pytest.mark.parametrize("dialect", ["elegant_ota", "update_server"])
async def test_a_password_is_shown_to_no_page_of_another_kind(
    garden: Garden, neighbours: Neighbours, dialect: str
) -> None:
    neighbours.kind = PAGE
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    page = {"upload_dialect": "update_server", "upload_password": "geheim"}
    entry = await neighbours.add(valve, mac=VALVE_MAC, **page)
    await garden.release("1.1.0")
    await valve.__aexit__(None, None, None)

    other = await neighbours.start(
        "garden-valve", ELSEWHERE, VALVE_MAC, http=HttpConfig(dialect=dialect)
    )
    assert isinstance(other, HttpModule)
    if dialect == "update_server":
        await until(lambda: entry.data["host"] == ELSEWHERE)
        return
    await until(lambda: moved_issue(garden))
    await garden.refused("module_moved", "1.1.0")

    assert entry.data["host"] == HERE
    heads = [line.lower() for head in other.request_heads for line in head]
    assert heads
    assert not any(line.startswith("authorization") for line in heads)


async def test_a_known_mac_is_never_replaced(garden: Garden, neighbours: Neighbours) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await valve.power_off()

    stranger = await neighbours.start("garden-valve", HERE, PUMP_MAC)
    announcements = garden.house.announcements
    await until(lambda: any(one.facts.mac == PUMP_MAC for one in announcements.claims(SERVICE)))
    await garden.hass.async_block_till_done()

    assert entry.data["mac"] == VALVE_MAC
    assert entry.unique_id == "garden-valve"
    assert_nothing_sent(stranger)
