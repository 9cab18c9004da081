"""Boards that answer to one name, kept apart by their packets."""

from dataclasses import replace

import pytest

from custom_components.esp_ota.house import Announcements
from custom_components.esp_ota.ota import ModuleFacts
from tests.kit.air import NAME, Air
from tests.kit.entries import StartModule
from tests.kit.garden import until


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
