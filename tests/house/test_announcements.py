"""What modules say over mDNS, heard from the real wire on loopback."""

import asyncio
import itertools
import socket
import time

import pytest
from zeroconf import (
    DNSAddress,
    DNSOutgoing,
    DNSService,
    DNSText,
    RecordUpdate,
    ServiceInfo,
    current_time_millis,
)
from zeroconf.const import (
    _CLASS_IN,
    _CLASS_UNIQUE,
    _FLAGS_AA,
    _FLAGS_QR_RESPONSE,
    _TYPE_A,
    _TYPE_SRV,
    _TYPE_TXT,
)

from custom_components.esp_ota.house import Announcements
from custom_components.esp_ota.ota import SERVICE_TYPE, ModuleFacts, Sighting
from tests.kit.air import NAME, TTL, Air
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.virtual_module import Seen


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
    where = socket.inet_aton("127.0.0.1")
    packet.add_answer_at_time(DNSAddress("garden-valve.local.", _TYPE_A, _CLASS_IN, TTL, where), 0)
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


@pytest.mark.slow
@pytest.mark.parametrize("look", range(1, 6))
async def test_records_that_expire_between_two_looks_are_no_error(
    announcements: Announcements, air: Air, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)
    air.say("garden-valve")
    await until(lambda: heard)
    said = len(heard)
    now, looks = current_time_millis(), itertools.count(1)

    def expiring() -> float:
        return now + (next(looks) >= look) * 2000 * TTL

    monkeypatch.setattr("custom_components.esp_ota.house.records.current_time_millis", expiring)
    text = DNSText(NAME, _TYPE_TXT, _CLASS_IN | _CLASS_UNIQUE, TTL, b"\x10fw_version=1.1.0", now)
    announcements.async_update_records(air.responder.zeroconf, now, [RecordUpdate(text, None)])
    announcements.async_update_records_complete()
    assert len(heard) - said <= 1
