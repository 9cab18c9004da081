"""Boards that answer to one name, kept apart by their packets."""

import asyncio
from dataclasses import replace

import pytest

from custom_components.esp_ota.house import Announcements
from custom_components.esp_ota.ota import ModuleFacts
from tests.kit.air import NAME, Air
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until


async def _claim_both(announcements: Announcements, air: Air) -> None:
    """Have a board with 2.0.0 claim a name, and then one say no more than where it is."""
    air.say("garden-valve", version="2.0.0", host="127.0.0.3")
    await until(lambda: announcements.facts(NAME))
    await asyncio.sleep(0.01)  # a packet of its own is one of another millisecond
    air.say("garden-valve", host="127.0.0.2", without="text")
    await until(lambda: _where(announcements) == "127.0.0.2")


def _where(announcements: Announcements) -> str | None:
    facts = announcements.facts(NAME)
    return facts.host if facts else None


async def test_what_was_said_before_a_start_is_of_one_board_only_in_one_packet(
    announcements: Announcements, air: Air
) -> None:
    """The cache has the text of one and the address of the other, and only these."""
    await _claim_both(announcements, air)

    announcements.async_listen(NAME, lambda _facts: None)

    facts = [claim.facts for claim in announcements.claims(NAME)]
    assert [(one.host, one.version) for one in facts] == [("127.0.0.2", None)]


async def test_a_text_alone_after_a_start_is_of_nobody(
    announcements: Announcements, air: Air
) -> None:
    """Who had the name a moment before is not known."""
    await _claim_both(announcements, air)
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)

    for version in ("2.0.0", "3.0.0"):
        air.say("garden-valve", version=version, without="address")
    air.say("garden-valve", host="127.0.0.2", without="text", ttl=119)
    await until(lambda: heard)

    assert _told(heard) == [("127.0.0.2", None)]


async def test_a_module_runs_nothing_that_another_board_said_before_its_entry_was_loaded(
    garden: Garden, announcements: Announcements, air: Air, start_module: StartModule
) -> None:
    """After a crash in the middle of an update that would be its proof."""
    await _claim_both(announcements, air)

    entry = await garden.add(entry_for(await start_module(), host="127.0.0.2"))

    assert entry.runtime_data.coordinator.data.reachable is not None  # it was heard
    assert entry.runtime_data.coordinator.data.installed is None


async def test_a_text_before_any_address_is_of_nobody(
    announcements: Announcements, air: Air
) -> None:
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)

    air.say("garden-valve", version="2.0.0", without="address")
    air.say("garden-valve", host="127.0.0.2", without="text")
    await until(lambda: heard)
    air.say("garden-valve", version="1.0.0", host="127.0.0.2")
    await until(lambda: len(heard) == 2)

    assert _told(heard) == [("127.0.0.2", None), ("127.0.0.2", "1.0.0")]


async def test_a_board_alone_keeps_what_it_said_when_it_is_listened_for_again(
    announcements: Announcements, air: Air
) -> None:
    air.say("garden-valve", version="1.0.0", host="127.0.0.2")
    await until(lambda: announcements.facts(NAME))

    announcements.async_listen(NAME, lambda _facts: None)

    assert [claim.facts.version for claim in announcements.claims(NAME)] == ["1.0.0"]


@pytest.mark.slow
async def test_two_boards_of_one_name_are_kept_apart_by_their_packets(
    announcements: Announcements, start_module: StartModule
) -> None:
    """The cache mixes the address of one with the MAC of the other."""
    announcements.async_listen(NAME, lambda _facts: None)
    one = await start_module(advertise=True, host="127.0.0.2", mac="5c:cf:7f:00:00:02")
    await until(lambda: announcements.claims(NAME))
    other = await start_module(advertise=True, host="127.0.0.3", txt_mac=False)
    await until(lambda: len(announcements.claims(NAME)) == 2)

    claims = {claim.facts.host: claim.facts.mac for claim in announcements.claims(NAME)}
    assert claims == {one.host: "5c:cf:7f:00:00:02", other.host: None}


@pytest.fixture
async def heard(announcements: Announcements, air: Air) -> list[ModuleFacts | None]:
    """Return what is heard of a name after a board that says 1.0.0 and one that says 2.0.0."""
    said: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, said.append)
    air.say("garden-valve", version="1.0.0", host="127.0.0.2")
    await until(lambda: len(said) == 1)
    air.say("garden-valve", version="2.0.0", host="127.0.0.3")
    await until(lambda: len(said) == 2)
    return said


def _told(heard: list[ModuleFacts | None]) -> list[tuple[str, str | None]]:
    return [(facts.host, facts.version) for facts in heard if facts is not None]


async def test_an_address_alone_brings_no_version_of_another_board(
    heard: list[ModuleFacts | None], air: Air
) -> None:
    air.say("garden-valve", host="127.0.0.2", without="text")
    await until(lambda: len(heard) == 3)
    air.say("garden-valve", host="127.0.0.3", without="text")
    await until(lambda: len(heard) == 4)

    assert _told(heard)[2:] == [("127.0.0.2", None), ("127.0.0.3", "2.0.0")]


async def test_a_text_alone_is_of_nobody_while_two_boards_have_its_name(
    heard: list[ModuleFacts | None], air: Air
) -> None:
    air.say("garden-valve", version="3.0.0", without="address")
    air.say("garden-valve", host="127.0.0.3", without="text")
    await until(lambda: len(heard) == 3)

    assert _told(heard)[2:] == [("127.0.0.3", None)]


async def test_a_text_alone_is_the_only_board_s(
    announcements: Announcements, heard: list[ModuleFacts | None], air: Air
) -> None:
    """Whoever has left an address is forgotten with it, two minutes later."""
    claims = announcements._claims[NAME]
    place = ("127.0.0.2", 8266)
    claims[place] = replace(claims[place], at=claims[place].at - 121)
    announcements._since[NAME] -= 121

    air.say("garden-valve", version="3.0.0", without="address")
    air.say("garden-valve", host="127.0.0.3", without="text")
    await until(lambda: len(heard) == 4)

    assert _told(heard)[2:] == [("127.0.0.3", "3.0.0")] * 2


async def test_who_claims_a_name_is_forgotten_with_the_last_who_listens(
    announcements: Announcements, air: Air
) -> None:
    stops = [announcements.async_listen(NAME, lambda _facts: None) for _ in range(2)]
    air.say("garden-valve")
    await until(lambda: announcements.claims(NAME))

    stops[0]()
    assert announcements.claims(NAME)
    stops[1]()
    assert not announcements.claims(NAME)


async def test_a_flood_of_one_name_pushes_nobody_out_who_was_there(
    heard: list[ModuleFacts | None], announcements: Announcements, air: Air
) -> None:
    for number in range(10, 40):
        air.say("garden-valve", version="9.9.9", host=f"127.0.0.{number}")
    await until(lambda: _told(heard)[-1][0] == "127.0.0.39")

    hosts = [claim.facts.host for claim in announcements.claims(NAME)]
    assert hosts[0] == "127.0.0.39"
    assert {"127.0.0.2", "127.0.0.3"} < set(hosts)
    assert len(hosts) == 8
