"""Thousands of made-up announcements: few cards, one repair, and honest newcomers are seen."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import async_newcomers
from custom_components.esp_ota.ota import ModuleFacts
from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_ZEROCONF
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from tests.kit.adding import MAC
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import VirtualModule

TYPE = "_arduino._tcp.local."


def announced(
    name: str, host: str, port: int = 8266, mac: str | None = None
) -> ZeroconfServiceInfo:
    """Return what Home Assistant hands over of one service."""
    address = ip_address(host)
    return ZeroconfServiceInfo(
        ip_address=address,
        ip_addresses=[address],
        port=port,
        hostname=f"{name}.local.",
        type=TYPE,
        name=f"{name}.{TYPE}",
        properties={"mac": mac} if mac else {},
    )


async def discover(hass: HomeAssistant, info: ZeroconfServiceInfo) -> None:
    """Let zeroconf report one service."""
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info
    )


def cards(hass: HomeAssistant) -> list[str]:
    """Return the names on the cards of discovered modules."""
    flows: list[Any] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return [flow["context"]["title_placeholders"]["name"] for flow in flows]


@pytest.mark.slow
async def test_two_thousand_forged_services_give_one_repair_and_hide_no_honest_one(
    hass: HomeAssistant, esp_ota: None, start_module: StartModule
) -> None:
    for number in range(2000):
        host = f"127.{number // 250}.{number % 250}.9"
        await discover(hass, announced(f"forged-{number}", host))
    honest = await start_module(host="127.0.0.77")
    await discover(hass, announced("honest", "127.0.0.77", honest.port))

    await until(lambda: "honest" in cards(hass), 60)

    assert len(cards(hass)) == 9
    flows: list[Any] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    contexts = {flow["context"]["title_placeholders"]["name"]: flow["context"] for flow in flows}
    assert contexts["honest"]["discovery_key"].key == (TYPE, f"honest.{TYPE}")
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "left_out"
    assert_issue_is_whole(issue)
    newcomers = async_newcomers(hass)
    await until(lambda: not newcomers._waiting)
    assert len(newcomers._offered) == 9
    assert not newcomers._passed


async def test_one_address_gets_few_cards(hass: HomeAssistant, esp_ota: None) -> None:
    for number in range(8):
        await discover(hass, announced(f"forged-{number}", "127.0.0.9"))

    await until(lambda: ir.async_get(hass).issues)

    assert len(cards(hass)) == 4


async def test_who_has_many_addresses_that_answer_gets_no_more_cards_than_anybody_reads(
    hass: HomeAssistant, esp_ota: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answers(*_asked: object) -> bool:
        return True

    monkeypatch.setattr("custom_components.esp_ota.house.newcomers.is_alive", answers)
    for number in range(60):
        await discover(hass, announced(f"forged-{number}", f"127.0.1.{number}"))

    newcomers = async_newcomers(hass)
    await until(lambda: not newcomers._waiting)
    await hass.async_block_till_done()

    assert len(cards(hass)) == 32
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "left_out"


def under_way(hass: HomeAssistant) -> int:
    """Return how many discovered ones have a card, or are looked into."""
    flows = hass.config_entries.flow
    return len(flows.async_progress_by_handler(DOMAIN, include_uninitialized=True))


def made_up(number: int) -> str:
    """Return a MAC that nobody has."""
    return f"02:00:00:00:{number // 256:02x}:{number % 256:02x}"


async def test_the_address_of_a_known_module_is_no_way_around_the_bounds(
    garden: Garden, start_module: StartModule
) -> None:
    entry = await garden.add(entry_for(await start_module()))

    for number in range(200):
        await discover(garden.hass, announced(f"forged-{number}", entry.data["host"], 9))

    await until(lambda: not async_newcomers(garden.hass)._waiting)
    assert len(cards(garden.hass)) == 4


async def test_the_name_of_a_known_module_is_no_way_around_the_bounds(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.add(entry_for(await start_module(), mac=MAC, unique_id=MAC))

    for number in range(200):
        forged = announced("garden-valve", f"127.9.0.{number}", 9, mac=made_up(number))
        forged = replace(forged, name=f"forged-{number}.{TYPE}")
        await discover(garden.hass, forged)

    assert len(cards(garden.hass)) == 8


NAME, ELSEWHERE = "garden-valve", "127.9.0."
LIKENESSES: dict[str, Callable[[int, VirtualModule], ZeroconfServiceInfo]] = {
    "its name": lambda number, _: announced(NAME, f"{ELSEWHERE}{number}", 9),
    "its MAC": lambda number, _: announced(f"f{number}", f"{ELSEWHERE}{number}", 9, mac=MAC),
    "its name, another MAC": lambda number, _: announced(
        NAME, f"{ELSEWHERE}{number}", 9, mac=made_up(number)
    ),
    "its address": lambda number, module: announced(f"f{number}", "127.0.0.1", module.port),
}


@pytest.mark.slow
@pytest.mark.parametrize("forge", LIKENESSES.values(), ids=LIKENESSES)
async def test_few_are_looked_into_at_once_who_look_like_a_known_module(
    garden: Garden,
    start_module: StartModule,
    forge: Callable[[int, VirtualModule], ZeroconfServiceInfo],
) -> None:
    """None of them has a card yet."""
    module = await start_module()
    entry = await garden.add(entry_for(module, mac=MAC))
    said = [replace(forge(number, module), name=f"f{number}.{TYPE}") for number in range(200)]
    async with entry.runtime_data.coordinator.whereabouts._asking:
        flows = [garden.hass.async_create_task(discover(garden.hass, info)) for info in said]
        await asyncio.sleep(0.5)
        assert 0 < under_way(garden.hass) <= 32
        assert sum(not flow.done() for flow in flows) <= 32
    await asyncio.gather(*flows)
    assert len(cards(garden.hass)) <= 32


async def test_one_at_a_time_is_looked_into_who_says_to_be_a_module(
    garden: Garden, start_module: StartModule
) -> None:
    """An install asks where its module is as well, and must not wait for hundreds of them."""
    module = await start_module()
    entry = await garden.add(entry_for(module))
    whereabouts = entry.runtime_data.coordinator.whereabouts
    facts = ModuleFacts(name="garden-valve", host="127.9.0.1", port=9, mac=made_up(1))

    async with whereabouts._asking:
        first = garden.hass.async_create_task(whereabouts.async_meet(facts))
        await asyncio.sleep(0)
        assert await whereabouts.async_meet(facts) is None
        assert not first.done()
    assert await first is False


async def test_boards_that_say_a_known_name_are_looked_into_in_bounded_number(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.add(entry_for(await start_module(), mac=MAC, unique_id=MAC))
    other = await start_module(host="127.0.0.77")
    newcomers = async_newcomers(garden.hass)
    service = "garden-valve._arduino._tcp.local."

    def say(number: int, host: str, port: int) -> None:
        facts = ModuleFacts(name="garden-valve", host=host, port=port, mac=made_up(number))
        newcomers.async_heard(service, facts)

    for number in range(3000):
        say(number, f"127.{number // 250}.{number % 250}.9", 9)
    await asyncio.sleep(0.1)
    tasks = [task for task in asyncio.all_tasks() if "newcomer" in task.get_name()]
    assert len(tasks) <= 32
    say(3000, "127.0.0.77", other.port)

    # Eight of whom nobody asked whether they are there, and the one that answers.
    await until(lambda: len(cards(garden.hass)) == 9, 60)
    flows = garden.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert made_up(3000) in {flow["context"]["unique_id"] for flow in flows}


@pytest.mark.slow
async def test_a_known_module_is_followed_however_many_are_announced(
    garden: Garden, start_module: StartModule
) -> None:
    old = await start_module()
    entry = await garden.add(entry_for(old))
    for number in range(20):
        await discover(garden.hass, announced(f"forged-{number}", f"127.1.0.{number}"))
    await old.__aexit__(None, None, None)
    new = await start_module(host="127.0.0.9")

    await discover(garden.hass, announced("garden-valve", "127.0.0.9", new.port))

    await until(lambda: entry.data["host"] == "127.0.0.9")


@pytest.mark.slow
@pytest.mark.parametrize("rests", [False, True], ids=["others stay", "the last one"])
async def test_who_is_removed_is_offered_again_whatever_it_was_called_when_it_was_discovered(
    hass: HomeAssistant, garden: Garden, start_module: StartModule, rests: bool
) -> None:
    """Home Assistant looks for the name under which it was discovered, if it ever was."""
    module = await start_module(advertise=True)
    await until(lambda: cards(hass) == ["garden-valve"])
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    hass.config_entries.flow.async_abort(flow["flow_id"])
    if not rests:
        pump = {"unique_id": "pump", "service_name": "pump._arduino._tcp.local.", "port": 1}
        await garden.add(entry_for(module, **pump))
    entry = await garden.add(entry_for(module))

    await hass.config_entries.async_remove(entry.entry_id)

    await until(lambda: cards(hass) == ["garden-valve"])


@pytest.mark.slow
async def test_who_is_removed_and_gone_is_not_offered(
    hass: HomeAssistant, garden: Garden, start_module: StartModule
) -> None:
    entry = await garden.add(entry_for(await start_module()))

    await hass.config_entries.async_remove(entry.entry_id)
    await asyncio.sleep(2)

    assert cards(hass) == []


@pytest.mark.slow
async def test_who_was_ignored_when_it_was_offered_again_comes_back_when_that_is_taken_back(
    hass: HomeAssistant, garden: Garden, start_module: StartModule
) -> None:
    """Home Assistant finds it by the key of the discovery that was ignored."""
    module = await start_module(advertise=True)
    await until(lambda: cards(hass) == ["garden-valve"])
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    hass.config_entries.flow.async_abort(flow["flow_id"])
    entry = await garden.add(entry_for(module))
    await hass.config_entries.async_remove(entry.entry_id)
    await until(lambda: cards(hass) == ["garden-valve"])

    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    said: Any = flow["context"]
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE, "discovery_key": said["discovery_key"]},
        data={"unique_id": said["unique_id"], "title": "garden-valve"},
    )
    await hass.async_block_till_done()
    assert cards(hass) == []
    entries = hass.config_entries.async_entries(DOMAIN)
    (ignored,) = (item for item in entries if item.source == SOURCE_IGNORE)
    await hass.config_entries.async_remove(ignored.entry_id)

    await until(lambda: cards(hass) == ["garden-valve"])
