"""What modules say over mDNS, heard from the real wire on loopback."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
import socket
import time

import pytest
from zeroconf import (
    DNSAddress,
    DNSOutgoing,
    DNSPointer,
    DNSService,
    DNSText,
    IPVersion,
    RecordUpdate,
    ServiceInfo,
)
from zeroconf.asyncio import AsyncZeroconf
from zeroconf.const import (
    _CLASS_IN,
    _CLASS_UNIQUE,
    _FLAGS_AA,
    _FLAGS_QR_RESPONSE,
    _TYPE_A,
    _TYPE_PTR,
    _TYPE_SRV,
    _TYPE_TXT,
)

from custom_components.esp_ota.house import Announcements
from custom_components.esp_ota.ota import SERVICE_TYPE, ModuleFacts, Sighting
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.virtual_module import Seen

NAME = f"garden-valve.{SERVICE_TYPE}"
TTL = 120


class Air:
    """A stranger on the network who can say anything."""

    def __init__(self, responder: AsyncZeroconf) -> None:
        """Speak through a responder of its own."""
        self.responder = responder

    def say(
        self,
        *names: str,
        version: str = "1.0.0",
        ttl: int = TTL,
        host: str = "127.0.0.1",
        without: str = "",
    ) -> None:
        """Announce services in one packet, perhaps `without` "text" or "address"."""
        packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        unique = _CLASS_IN | _CLASS_UNIQUE
        for name in names:
            service, server = f"{name}.{SERVICE_TYPE}", f"{name}.local."
            text = b"\x10fw_version=" + version.encode()
            text = bytes([len(text) - 1]) + text[1:]
            pointer = DNSPointer(SERVICE_TYPE, _TYPE_PTR, _CLASS_IN, ttl, service)
            packet.add_answer_at_time(pointer, 0)
            if without != "text":
                packet.add_answer_at_time(DNSText(service, _TYPE_TXT, unique, ttl, text), 0)
            srv = DNSService(service, _TYPE_SRV, unique, ttl, 0, 0, 8266, server)
            packet.add_answer_at_time(srv, 0)
            if without != "address":
                address = socket.inet_aton(host)
                packet.add_answer_at_time(DNSAddress(server, _TYPE_A, unique, ttl, address), 0)
        self.responder.zeroconf.async_send(packet)

    def say_text_about_the_type(self) -> None:
        """Send a record that nobody expects under the name of the type itself."""
        packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        packet.add_answer_at_time(DNSText(SERVICE_TYPE, _TYPE_TXT, _CLASS_IN, TTL, b"\x01x"), 0)
        self.responder.zeroconf.async_send(packet)


@pytest.fixture
async def air() -> AsyncIterator[Air]:
    """Return somebody else on the network."""
    responder = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    await responder.zeroconf.async_wait_for_start()
    yield Air(responder)
    await responder.async_close()


@pytest.fixture
def announcements(garden: Garden) -> Announcements:
    """Return what the house listens with."""
    return garden.house.announcements


@pytest.mark.slow
async def test_a_module_is_heard_with_all_that_it_announces(
    announcements: Announcements, start_module: StartModule
) -> None:
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)

    module = await start_module(advertise=True, password="secret")
    await until(lambda: heard)

    assert heard[0] == ModuleFacts(
        name="garden-valve",
        host="127.0.0.1",
        port=module.port,
        family=heard[0].family if heard[0] else None,
        chip=heard[0].chip if heard[0] else None,
        mac="5c:cf:7f:a1:b2:c3",
        board="nodemcuv2",
        auth_required=True,
        firmware="garden-valve",
        version="1.0.0",
    )
    assert heard[0].chip == heard[0].family == "esp8266"


@pytest.mark.slow
async def test_a_restart_into_the_same_records_is_heard(
    announcements: Announcements, start_module: StartModule
) -> None:
    heard: list[ModuleFacts | None] = []
    module = await start_module(advertise=True)
    await until(lambda: announcements.facts(NAME))
    announcements.async_listen(NAME, heard.append)

    await module.power_cycle()
    await module.wait_for(Seen.BACK)
    await until(lambda: heard)

    assert heard[0] == announcements.facts(NAME)


@pytest.mark.slow
async def test_a_goodbye_is_heard_as_nothing(announcements: Announcements, air: Air) -> None:
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)
    info = ServiceInfo(
        SERVICE_TYPE,
        NAME,
        addresses=[socket.inet_aton("127.0.0.1")],
        port=8266,
        server="garden-valve.local.",
    )
    await (await air.responder.async_register_service(info))
    await until(lambda: heard)
    assert None not in heard

    await (await air.responder.async_unregister_service(info))

    await until(lambda: None in heard)


async def test_a_record_that_grew_old_is_no_goodbye(announcements: Announcements, air: Air) -> None:
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)
    air.say("garden-valve")
    await until(lambda: heard)
    zeroconf = announcements._zeroconf
    record = zeroconf.cache.get_by_details(NAME, _TYPE_TXT, _CLASS_IN)
    assert record is not None
    later = record.created + (TTL + 1) * 1000
    told = len(heard)

    # What zeroconf does every ten seconds; a new version in the TXT makes the old one old at once.
    expired = zeroconf.cache.async_expire(later)
    zeroconf.record_manager.async_updates(later, [RecordUpdate(one, one) for one in expired])
    zeroconf.record_manager.async_updates_complete(False)

    assert record in expired
    assert heard[told:] == []


async def test_a_goodbye_and_a_new_hello_in_one_packet_is_a_hello(
    announcements: Announcements, air: Air
) -> None:
    heard: list[ModuleFacts | None] = []
    air.say("garden-valve")
    await until(lambda: announcements.facts(NAME))
    announcements.async_listen(NAME, heard.append)

    packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
    for ttl, text in ((0, b"\x10fw_version=1.0.0"), (TTL, b"\x10fw_version=1.1.0")):
        record = DNSText(NAME, _TYPE_TXT, _CLASS_IN, ttl, text)
        packet.add_answer_at_time(record, 0)
    air.responder.zeroconf.async_send(packet)

    await until(lambda: heard)
    assert None not in heard


async def test_only_the_name_that_is_listened_for_is_heard(
    announcements: Announcements, air: Air
) -> None:
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)

    air.say("garden-valve-2", "Garden Valve", "g\u00e4rten", "x" * 60)
    await until(lambda: announcements.facts(f"garden-valve-2.{SERVICE_TYPE}"))
    assert heard == []

    air.say("GARDEN-Valve")
    await until(lambda: heard)


async def test_a_flood_of_strangers_is_not_kept(announcements: Announcements, air: Air) -> None:
    heard: list[ModuleFacts | None] = []
    stop = announcements.async_listen(NAME, heard.append)

    for packet in range(20):
        air.say(*(f"stranger-{packet}-{number}" for number in range(5)))
    await until(lambda: announcements.facts(f"stranger-19-4.{SERVICE_TYPE}"))

    assert heard == []
    assert announcements._said == set()
    assert announcements._gone == set()
    assert list(announcements._listeners) == [NAME]
    stop()
    stop()
    assert not announcements._listeners


@pytest.mark.slow
async def test_a_module_that_never_stops_talking_costs_no_memory(
    garden: Garden, start_module: StartModule, air: Air
) -> None:
    entry = await garden.add(entry_for(await start_module()))
    watch = entry.runtime_data.coordinator.watch

    for version in range(200):
        air.say("garden-valve", version=f"1.0.{version}")
        await asyncio.sleep(0)

    await garden.runs("1.0.199")
    assert sum(len(said) for said in watch._said.values()) < 40


async def test_a_module_whose_address_is_not_known_yet_is_not_reported(
    announcements: Announcements, air: Air
) -> None:
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)

    air.say("garden-valve", without="address")
    air.say("other")
    await until(lambda: announcements.facts(f"other.{SERVICE_TYPE}"))

    assert heard == []
    assert announcements.facts(NAME) is None
    assert announcements.find("127.0.0.1", 8266) == f"other.{SERVICE_TYPE}"


async def test_nobody_is_told_after_stopping_to_listen(
    announcements: Announcements, air: Air
) -> None:
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)()

    air.say("garden-valve")
    await until(lambda: announcements.facts(NAME))

    assert heard == []


async def test_a_listener_that_leaves_while_being_told_is_no_error(
    announcements: Announcements, air: Air
) -> None:
    """A goodbye may lead to an unload, before the rest of the packet is handed on."""
    other = f"other.{SERVICE_TYPE}"
    heard: list[str] = []

    def leave(name: str) -> None:
        heard.append(name)
        for stop in stops:
            stop()

    stops = [
        announcements.async_listen(NAME, lambda _: leave("valve")),
        announcements.async_listen(other, lambda _: leave("other")),
    ]

    air.say("garden-valve", "other")
    await until(lambda: heard)
    await asyncio.sleep(0.05)

    assert len(heard) == 1


@pytest.mark.slow
async def test_a_module_answers_when_it_is_asked(
    announcements: Announcements, start_module: StartModule
) -> None:
    await start_module(advertise=True)
    await until(lambda: announcements.facts(NAME))
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)

    announcements.async_ask(NAME)

    await until(lambda: heard)


async def test_a_module_is_found_by_its_address_or_host_name_and_port(
    announcements: Announcements, air: Air
) -> None:
    air.say_text_about_the_type()
    air.say("garden-valve")
    await until(lambda: announcements.facts(NAME))

    for host in ("127.0.0.1", "garden-valve", "Garden-Valve.local"):
        assert announcements.find(host, 8266) == NAME
    assert announcements.find("127.0.0.1", 8267) is None
    assert announcements.find("127.0.0.2", 8266) is None
    assert announcements.find("garden", 8266) is None


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


@pytest.mark.slow
async def test_everything_a_module_says_of_itself_is_asked_for(
    announcements: Announcements, start_module: StartModule
) -> None:
    """A question for its TXT alone brings neither its port nor its address."""
    module = await start_module(advertise=True)
    announcements.async_listen(NAME, lambda _facts: None)
    await until(lambda: announcements.claims(NAME))
    await asyncio.sleep(1.1)  # its responder holds back what it has just said
    asked_at = time.monotonic()

    announcements.async_ask(NAME)

    await until(lambda: announcements.claims(NAME, asked_at))
    assert announcements.claims(NAME)[0].facts.port == module.port


@pytest.mark.slow
async def test_a_record_that_comes_alone_does_not_make_the_others_any_younger(
    garden: Garden, air: Air, start_module: StartModule
) -> None:
    """What the cache adds to it was said before: a module may have restarted in between."""
    entry = await garden.add(entry_for(await start_module()))
    coordinator = entry.runtime_data.coordinator
    said: list[Sighting] = []
    coordinator.watch.heard = said.append
    air.say("garden-valve", version="1.0.0")
    await until(lambda: said)
    await asyncio.sleep(0.5)  # it is asked as well, and answers
    told_at, count = said[-1].at, len(said)

    packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
    unique = _CLASS_IN | _CLASS_UNIQUE
    srv = DNSService(NAME, _TYPE_SRV, unique, TTL, 0, 0, 8266, "garden-valve.local.")
    packet.add_answer_at_time(srv, 0)
    air.responder.zeroconf.async_send(packet)
    await until(lambda: len(said) > count)

    assert said[-1].version == "1.0.0"
    assert said[-1].at == pytest.approx(told_at, abs=0.2)  # the packet came half a second later
