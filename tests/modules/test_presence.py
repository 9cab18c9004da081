"""Whether a module that announces itself is there, over hours, reloads and its death."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
import time
from typing import Any

from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.ota import ImageKind
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, TALKING, Garden, until
from tests.kit.hours import Hours, running_clock
from tests.kit.neighbours import HERE, PUMP_MAC, THERE, VALVE_MAC, Neighbours
from tests.virtual_module import ModuleConfig, Seen, VirtualModule

pytestmark = pytest.mark.slow

REACHABLE = "binary_sensor.garden_valve_reachable"
SERVICE = "garden-valve._arduino._tcp.local."


@pytest.fixture(autouse=True)
def clock() -> Iterator[TickingDateTimeFactory]:
    """Let the clock leap, from before Home Assistant starts."""
    with running_clock() as clock:
        yield clock


@pytest.fixture
def hours(clock: TickingDateTimeFactory, hass: HomeAssistant) -> Hours:
    """Let time pass."""
    return Hours(hass, clock)


def shown(hass: HomeAssistant, entity_id: str = REACHABLE) -> str | None:
    state = hass.states.get(entity_id)
    return state.state if state else None


def last_seen(hass: HomeAssistant) -> datetime:
    """Return what the sensor shows where somebody has turned it on."""
    entries = hass.config_entries.async_entries(DOMAIN)
    entry = next(one for one in entries if one.data.get("name") == "garden-valve")
    seen: datetime = entry.runtime_data.coordinator.data.last_seen
    return seen.replace(microsecond=0)


def states_of(hass: HomeAssistant, entity_id: str = REACHABLE) -> list[str]:
    """Return the list that fills with what is shown, without what a reload takes away."""
    seen: list[str] = []

    @callback
    def changed(event: Event[Any]) -> None:
        new = event.data["new_state"]
        if event.data["entity_id"] == entity_id and new and new.state != "unavailable":
            seen.append(new.state)

    hass.bus.async_listen("state_changed", changed)
    return seen


async def die(module: VirtualModule) -> None:
    """Pull the plug."""
    assert module._advert is not None
    module._advert.silence()
    await module._stop()


def questions(garden: Garden, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Return the list that fills with the times at which modules are asked by mDNS."""
    asked: list[datetime] = []
    announcements = garden.house.announcements
    ask = announcements.async_ask

    def counted(name: str) -> None:
        asked.append(dt_util.utcnow())
        ask(name)

    monkeypatch.setattr(announcements, "async_ask", counted)
    return asked


async def heard(garden: Garden, module: VirtualModule, **changes: Any) -> MockConfigEntry:
    """Add a module, and wait until it has answered; it may be known by what it said before."""
    entry = await garden.add(entry_for(module, **changes))
    await until(lambda: entry.runtime_data.coordinator.presence._was_heard)
    assert shown(garden.hass) == "on"
    return entry


async def test_a_module_that_is_there_stays_so_for_hours_and_is_asked_four_times_in_each(
    garden: Garden, start_module: StartModule, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    garden.house.patience = TALKING  # who answers late on a busy machine is not probed
    module = await start_module(advertise=True)
    await heard(garden, module)
    seen, asked = states_of(garden.hass), questions(garden, monkeypatch)

    for _ in range(3):
        await hours.go_on(60)
        assert dt_util.utcnow() - last_seen(garden.hass) < timedelta(minutes=16)

    assert seen == []
    assert 8 <= len(asked) <= 15  # Home Assistant's browser asks as well
    assert module.events.names() == [Seen.UP]  # not one packet reached its sketch


async def test_a_module_that_dies_is_gone_within_minutes_and_asked_less_and_less(
    garden: Garden, start_module: StartModule, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = await start_module(advertise=True)
    await heard(garden, module)
    await hours.go_on(10)
    await die(module)
    seen, asked = states_of(garden.hass), questions(garden, monkeypatch)

    await hours.go_on(17)
    assert seen == ["off"]
    assert dt_util.utcnow() - last_seen(garden.hass) > timedelta(minutes=20)
    await hours.go_on(60)
    count = len(asked)
    assert count < 20
    await hours.go_on(60)
    assert len(asked) - count <= 5
    assert seen == ["off"]


async def test_a_module_that_comes_back_is_there_at_once(
    garden: Garden, start_module: StartModule, hours: Hours
) -> None:
    module = await start_module(advertise=True)
    await heard(garden, module)
    await die(module)
    await hours.go_on(40)
    assert shown(garden.hass) == "off"

    await module.power_cycle()
    await module.wait_for(Seen.BACK)

    await until(lambda: shown(garden.hass) == "on")


async def test_who_was_cut_off_for_an_hour_is_found_again_though_nobody_announces_it(
    garden: Garden, start_module: StartModule, hours: Hours
) -> None:
    module = await start_module(advertise=True)
    await heard(garden, module)
    await die(module)
    await hours.go_on(50)
    assert shown(garden.hass) == "off"
    advert = module._advert
    assert advert is not None
    module._life = module._start(module._live(module._listen()))
    await module.wait_for(Seen.UP, count=2)
    await hours.go_on(seconds=1)
    seen = states_of(garden.hass)
    assert seen in ([], ["on"])

    await hours.go_on(6)

    assert shown(garden.hass) == "on"


async def test_one_whose_multicast_gets_lost_is_there_as_long_as_its_address_answers(
    garden: Garden, start_module: StartModule, hours: Hours
) -> None:
    module = await start_module(advertise=True)
    await heard(garden, module)
    before = last_seen(garden.hass)
    assert module._advert is not None
    module._advert.silence()
    seen = states_of(garden.hass)

    await hours.go_on(60)
    assert seen == []
    assert last_seen(garden.hass) == before  # a probe is no word of its own
    assert set(module.events.names()) == {Seen.UP, Seen.IGNORED}

    await module._stop()
    await hours.go_on(17)
    assert seen == ["off"]


async def test_another_module_that_has_its_address_now_is_not_it(
    garden: Garden, neighbours: Neighbours, hours: Hours
) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC)
    await neighbours.add(valve, mac=VALVE_MAC)
    pump = await neighbours.start("pump", THERE, PUMP_MAC)
    entry = await neighbours.add(pump, mac=PUMP_MAC, unique_id="pump")
    await until(lambda: shown(garden.hass) == "on")
    await die(valve)
    pump.will_be_at(HERE)
    await pump.power_cycle()
    await until(lambda: entry.data["host"] == HERE, 20)

    await hours.go_on(17)

    assert shown(garden.hass) == "off"


async def test_a_goodbye_in_the_name_of_one_that_is_there_holds_for_two_minutes(
    garden: Garden, start_module: StartModule, hours: Hours
) -> None:
    module = await start_module(advertise=True)
    entry = await heard(garden, module)
    entry.runtime_data.coordinator._heard(None)
    assert shown(garden.hass) == "off"

    await hours.go_on(2)

    assert shown(garden.hass) == "on"


async def test_a_module_added_hours_after_it_was_discovered_is_known_at_once(
    garden: Garden, start_module: StartModule, hours: Hours
) -> None:
    """Its SRV and A have expired by then, its TXT may not have."""
    await garden.release("1.1.0")
    module = await start_module(advertise=True)
    await until(lambda: garden.house.announcements.facts(SERVICE))
    await hours.go_on(50)
    assert garden.house.announcements.facts(SERVICE) is None

    await heard(garden, module)

    assert garden.card.attributes["installed_version"] == "1.0.0"
    assert garden.card.state == "on"


async def test_one_that_hears_no_question_at_first_is_asked_again(
    garden: Garden, start_module: StartModule, hours: Hours
) -> None:
    await garden.release("1.1.0")
    module = await start_module(advertise=True)
    advert = module._advert
    assert advert is not None
    assert advert._zeroconf is not None
    info, registry = advert._info, advert._zeroconf.zeroconf.registry
    assert info is not None
    await hours.go_on(150)
    registry.async_remove(info)
    await garden.add(entry_for(module))
    await hours.go_on(1)
    assert garden.hass.states.get(CARD)
    assert garden.card.attributes["installed_version"] != "1.0.0"

    registry.async_add(info)  # without a word
    await hours.go_on(5)

    assert garden.card.attributes["installed_version"] == "1.0.0"


async def test_a_reload_is_no_sign_of_life(
    garden: Garden, start_module: StartModule, hours: Hours
) -> None:
    module = await start_module(advertise=True)
    entry = await heard(garden, module)
    before = last_seen(garden.hass)
    await die(module)
    await hours.go_on(seconds=100)
    assert garden.house.announcements.facts(SERVICE)  # in the cache
    seen = states_of(garden.hass)

    await garden.hass.config_entries.async_reload(entry.entry_id)
    await hours.go_on(1, step=5.0)

    assert last_seen(garden.hass) == before
    assert seen == ["on", "off"]
    await garden.hass.config_entries.async_reload(entry.entry_id)
    assert shown(garden.hass) == "off"
    assert last_seen(garden.hass) == before


async def test_a_reload_takes_nothing_from_a_module_that_is_there(
    garden: Garden, start_module: StartModule, hours: Hours
) -> None:
    module = await start_module(advertise=True)
    entry = await heard(garden, module)
    await garden.release("1.1.0")
    await garden.install("1.1.0")
    assert garden.card.attributes["last_verdict"] == "verified"
    seen = states_of(garden.hass)
    verdicts = states_of(garden.hass, "sensor.garden_valve_last_update")

    for _ in range(3):
        await hours.go_on(7)
        await garden.hass.config_entries.async_reload(entry.entry_id)
        assert shown(garden.hass) == "on"
        assert garden.card.attributes["last_verdict"] == "verified"

    assert seen == ["on"] * 3
    assert verdicts == ["verified"] * 3


async def test_nobody_is_asked_any_more_once_the_entry_is_unloaded(
    garden: Garden, start_module: StartModule, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await heard(garden, await start_module(advertise=True))
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    asked = questions(garden, monkeypatch)

    await hours.go_on(60)

    assert asked == []


async def test_a_module_without_announcements_and_requests_is_left_in_peace(
    garden: Garden, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    await garden.add(entry_for(VirtualModule(ModuleConfig()), service_name=None))
    asked = questions(garden, monkeypatch)

    await hours.go_on(60)

    assert asked == []
    assert shown(garden.hass) is None


async def test_a_module_that_died_while_nobody_listened_is_gone_within_a_minute(
    garden: Garden, start_module: StartModule, hours: Hours
) -> None:
    module = await start_module(advertise=True)
    entry = await heard(garden, module)
    before = last_seen(garden.hass)
    await die(module)
    seen = states_of(garden.hass)

    await hours.restart(garden.house, entry, minutes=5)
    await hours.go_on(1, step=5.0)

    assert seen == ["on", "off"]
    assert abs(last_seen(garden.hass) - before) < timedelta(seconds=1)
    await hours.restart(garden.house, entry, minutes=5)
    await hours.go_on(60)
    assert set(seen[2:]) == {"off"}


async def test_a_restart_takes_nothing_from_a_module_that_is_there(
    garden: Garden, start_module: StartModule, hours: Hours
) -> None:
    module = await start_module(advertise=True)
    entry = await heard(garden, module)
    await garden.release("1.1.0")
    await garden.install("1.1.0")
    seen = states_of(garden.hass)

    await hours.restart(garden.house, entry, minutes=200)

    assert shown(garden.hass, "sensor.garden_valve_last_update") == "verified"
    assert garden.card.attributes["last_verdict"] == "verified"
    await hours.go_on(30)
    assert set(seen) == {"on"}


async def test_a_module_that_is_being_updated_is_not_asked_beside_it(
    garden: Garden, start_module: StartModule, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await heard(garden, await start_module(advertise=True))
    coordinator = entry.runtime_data.coordinator
    coordinator.async_begin(ImageKind.SKETCH)
    asked = questions(garden, monkeypatch)

    await hours.go_on(14)
    asked.clear()
    await hours.go_on(4)
    assert asked == []
    coordinator.async_set_progress(None)
    await hours.go_on(2)
    assert asked


async def test_modules_that_are_loaded_together_are_asked_one_after_the_other(
    garden: Garden, start_module: StartModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a house are, when Home Assistant starts; each of them hears every question."""
    module, asked = await start_module(), dict[str, float]()
    monkeypatch.setattr(
        garden.house.announcements,
        "async_ask",
        lambda name: asked.setdefault(name, time.monotonic()),
    )
    names = [f"valve-{number}._arduino._tcp.local." for number in range(8)]

    await asyncio.gather(
        *(garden.add(entry_for(module, unique_id=name, service_name=name)) for name in names)
    )
    await until(lambda: len(asked) == len(names))

    assert list(asked) == names
    first, *_, last = asked.values()
    assert last - first > 0.12
