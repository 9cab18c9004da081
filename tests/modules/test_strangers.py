"""Strangers with odd manners: other spellings, floods, and addresses that change in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
import time

import pytest
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from custom_components.esp_ota.house.announcements import Claim
from custom_components.esp_ota.ota import SERVICE_TYPE, Address, InstallRefused, ModuleFacts
from tests.kit.garden import CLOSED_AND_OPENED, Garden, assert_nothing_sent, until
from tests.kit.neighbours import ELSEWHERE, HERE, PUMP_MAC, THERE, VALVE_MAC, Neighbours
from tests.modules.test_impostors import (
    SERVICE,
    fall_silent,
    say_again_and_again,
)
from tests.modules.test_whereabouts import swap
from tests.virtual_module import Fault, Seen, VirtualModule

pytestmark = pytest.mark.slow

PUMP = PUMP_MAC.replace(":", "")
SPELT = {
    "key in capitals": {"MAC": PUMP_MAC},
    "dashes": {"Mac": PUMP_MAC.upper().replace(":", "-")},
    "dots": {"mac": f"{PUMP[:4]}.{PUMP[4:8]}.{PUMP[8:]}"},
    "no leading zeros": {"mac": "5c:cf:7f:0:0:3"},
}


@asynccontextmanager
async def voice() -> AsyncIterator[AsyncZeroconf]:
    """Yield what speaks in anybody's name."""
    speaker = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    try:
        await speaker.zeroconf.async_wait_for_start()
        yield speaker
    finally:
        await speaker.async_close()


def service(host: str, port: int, **said: str) -> ServiceInfo:
    """Return what somebody says of a garden valve at an address."""
    return ServiceInfo(
        SERVICE_TYPE,
        SERVICE,
        addresses=[ip_address(host).packed],
        port=port,
        properties=said,
        server="garden-valve.local.",
    )


@pytest.mark.parametrize("said", SPELT.values(), ids=SPELT)
async def test_another_mac_is_another_module_however_it_is_spelt(
    garden: Garden, neighbours: Neighbours, said: dict[str, str]
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await garden.release("1.1.0")
    await valve.__aexit__(None, None, None)
    stranger = await neighbours.start("garden-valve", ELSEWHERE, PUMP_MAC, advertise=False)

    async with voice() as speaker:
        info = service(ELSEWHERE, stranger.port, **said)
        await (await speaker.async_register_service(info, cooperating_responders=True))
        claims = garden.house.announcements.claims
        await until(lambda: any(one.facts.host == ELSEWHERE for one in claims(SERVICE)))
        await asyncio.sleep(garden.house.patience.doubt + 2)

    assert entry.data["host"] == HERE
    assert_nothing_sent(stranger)


async def test_what_is_said_of_elsewhere_is_not_shown(
    garden: Garden, neighbours: Neighbours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await garden.runs("1.0.0")
    async with voice() as speaker:
        said = {"mac": VALVE_MAC, "fw_name": "garden-valve", "fw_version": "9.9.9"}
        info = service(ELSEWHERE, valve.port, **said)
        speaker.zeroconf.async_send(speaker.zeroconf.generate_service_broadcast(info, 120))
        claims = garden.house.announcements.claims
        await until(lambda: any(one.facts.version == "9.9.9" for one in claims(SERVICE)))
        await garden.hass.async_block_till_done()
        assert garden.card.attributes["installed_version"] == "1.0.0"
    assert entry.data["host"] == HERE


async def test_a_module_that_is_heard_once_more_has_not_swapped(
    garden: Garden, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answers get lost until it is asked where it was, which others say is theirs."""
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await garden.release("1.1.0")
    moves = entry.runtime_data.coordinator.whereabouts.moves
    stays, answers = moves._stays_alive, list[bool]()

    async def heard_again(address: Address) -> bool:
        assert valve._advert is not None
        await valve._advert.announce(valve.port)
        await until(lambda: moves.is_others(address))
        answers.append(bool(await stays(address)))
        return answers[-1]

    monkeypatch.setattr(moves, "_stays_alive", heard_again)
    pump = ServiceInfo(
        SERVICE_TYPE,
        f"pump.{SERVICE_TYPE}",
        addresses=[ip_address(HERE).packed],
        port=valve.port,
        server="pump.local.",
    )
    fall_silent(valve)
    talking = asyncio.create_task(say_again_and_again(pump))
    impostor = await neighbours.start("garden-valve", ELSEWHERE, VALVE_MAC)
    await until(lambda: answers, 30)
    assert answers == [True]
    await garden.hass.async_block_till_done()
    talking.cancel()
    await asyncio.wait([talking])

    assert entry.data["host"] == HERE
    assert_nothing_sent(impostor)


async def test_who_was_asked_and_answered_is_there_whoever_says_so_later(
    garden: Garden, neighbours: Neighbours
) -> None:
    """A module answers at once, and all of a breath is waited for others."""
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    whereabouts = entry.runtime_data.coordinator.whereabouts
    breath = garden.house.patience.breath
    now = time.monotonic()

    def claim(host: str, at: float) -> Claim:
        facts = ModuleFacts(name="garden-valve", host=host, port=valve.port, mac=VALVE_MAC)
        return Claim(facts=facts, at=at, told=at)

    said = [claim(ELSEWHERE, now), claim(HERE, now - 0.9 * breath)]
    assert await whereabouts._judged(said) == Address(HERE, valve.port)
    with pytest.raises(InstallRefused) as caught:
        await whereabouts._judged([claim(ELSEWHERE, now), claim(HERE, now - 2 * breath)])
    assert caught.value.cause == "module_moved"


async def shout(garden: Garden, speaker: AsyncZeroconf, port: int, stop: asyncio.Event) -> int:
    """Announce the valve at ever other addresses, a hundred a second; return how often.

    Less often where the machine reads no faster: its own buffers are not what is tried.
    """
    count, host = 0, ""

    def is_read() -> bool:
        return any(one.facts.host == host for one in garden.house.announcements.claims(SERVICE))

    while not stop.is_set():
        for _ in range(100):
            if not host or is_read() or stop.is_set():
                break
            await asyncio.sleep(0.02)
        for _ in range(10):
            count += 1
            host = f"127.1.{count // 250 % 250}.{count % 250 + 1}"
            info = service(host, port, mac=VALVE_MAC, fw_name="garden-valve", fw_version="9.9.9")
            speaker.zeroconf.async_send(speaker.zeroconf.generate_service_broadcast(info, 120))
        await asyncio.sleep(0.1)
    return count


@pytest.mark.parametrize("faults", [{}, {Fault.REBOOT_MIDWAY: 1}], ids=["one try", "two tries"])
async def test_a_flood_in_its_name_ends_no_update_and_tells_no_lie(
    garden: Garden, neighbours: Neighbours, faults: dict[Fault, int]
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, faults=faults)
    entry = await neighbours.add(valve, mac=VALVE_MAC)
    await garden.release("1.1.0", size=400 * 1024)
    # On a busy machine each packet of the flood takes long to read, and the answer among them.
    garden.house.patience = replace(garden.house.patience, doubt=15.0)
    stop = asyncio.Event()
    async with voice() as speaker:
        install = await garden.begin(garden.install("1.1.0"), "sending")
        await valve.wait_for(Seen.FIRST_BYTE)
        shouting = asyncio.create_task(shout(garden, speaker, valve.port + 1, stop))
        try:
            await install
        finally:
            stop.set()
            count = await shouting

    assert count > 100
    assert valve.running_version == "1.1.0"
    assert entry.data["host"] == HERE
    assert garden.card.attributes["installed_version"] == "1.1.0"
    assert len(garden.house.announcements.claims(SERVICE)) <= 8
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("talks", [True, False], ids=["with MAC", "by name"])
async def test_modules_that_swap_behind_the_third_look_get_no_image_of_another(
    garden: Garden, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch, talks: bool
) -> None:
    faults = {Fault.REBOOT_MIDWAY: 2}
    valve = await neighbours.start(
        "garden-valve", HERE, VALVE_MAC, txt_firmware=talks, faults=faults
    )
    pump = await neighbours.start("pump", THERE, PUMP_MAC, txt_firmware=talks)
    entry = await neighbours.add(valve)
    await garden.release("1.1.0")
    whereabouts = entry.runtime_data.coordinator.whereabouts
    look = whereabouts.now
    swapped: list[Address] = []

    async def looked() -> Address:
        found: Address = await look()
        if valve.events.count_of(Seen.FIRST_BYTE) == 2 and not swapped:
            swapped.append(found)
            await swap(valve, pump)
            await asyncio.gather(back(valve), back(pump))
        return found

    monkeypatch.setattr(whereabouts, "now", looked)
    await garden.refused("moved", "1.1.0")
    assert swapped
    assert valve.running_version == "1.0.0"
    assert not pump.events.count_of(Seen.FIRST_BYTE)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)

    await garden.install("1.1.0")
    assert valve.running_version == "1.1.0"
    assert pump.running_version == "1.0.0"
    assert not pump.events.count_of(Seen.FIRST_BYTE)
    assert entry.data["host"] == THERE


async def back(module: VirtualModule) -> None:
    """Wait until it is on again."""
    count = module.events.count_of(Seen.BACK)
    await until(lambda: module.events.count_of(Seen.BACK) > count)
