"""What is shown of a module beside its card, and what outlives a restart."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    mock_restore_cache,
    mock_restore_cache_with_extra_data,
)

from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import WHOLE_WAY, Garden, options_for, until
from tests.virtual_module import Fault, ModuleConfig, Seen, VirtualModule

STAGE = "sensor.garden_valve_update_stage"
LAST_UPDATE = "sensor.garden_valve_last_update"
LAST_SEEN = "sensor.garden_valve_last_seen"
FREE_SLOT = "sensor.garden_valve_free_slot"
RUNNING_IMAGE = "sensor.garden_valve_running_image"
EVENT = "event.garden_valve_update_ended"


@pytest.fixture
def all_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a person who switched all entities on."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


def states_of(hass: HomeAssistant, entity_id: str) -> list[str]:
    """Return the list that fills with the states an entity goes through."""
    seen: list[str] = []

    @callback
    def changed(event: Event[Any]) -> None:
        if event.data["entity_id"] == entity_id:
            seen.append(event.data["new_state"].state)

    hass.bus.async_listen("state_changed", changed)
    return seen


def value(hass: HomeAssistant, entity_id: str) -> str:
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


@pytest.mark.slow
@pytest.mark.usefixtures("all_on")
async def test_the_stage_is_written_once_for_each_stage(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.01)
    await garden.release("1.1.0")
    await garden.add(entry_for(module, options=options_for()))
    assert value(garden.hass, STAGE) == "idle"
    stages = states_of(garden.hass, STAGE)

    await garden.install()
    await garden.hass.async_block_till_done()

    assert stages == [*WHOLE_WAY, "idle"]


@pytest.mark.slow
@pytest.mark.usefixtures("all_on")
async def test_a_module_is_last_seen_when_it_announced_itself_last(
    garden: Garden, start_module: StartModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.esp_ota.modules.presence._SEEN_AGAIN", timedelta())
    module = await start_module(advertise=True)
    entry = entry_for(module)
    await garden.add(entry)
    await until(lambda: value(garden.hass, LAST_SEEN) != "unknown")
    coordinator = entry.runtime_data.coordinator
    first = coordinator.data.last_seen

    await module.power_cycle()
    await module.wait_for(Seen.BACK)

    await until(lambda: coordinator.data.last_seen > first)
    last = coordinator.data.last_seen
    assert value(garden.hass, LAST_SEEN) == last.isoformat(timespec="seconds")


@pytest.mark.slow
@pytest.mark.usefixtures("all_on")
async def test_a_module_that_says_something_each_minute_is_shown_each_hour_and_rightly_after_it(
    garden: Garden, start_module: StartModule, freezer: FrozenDateTimeFactory
) -> None:
    entry = entry_for(VirtualModule(ModuleConfig()))
    await garden.add(entry)
    seen = states_of(garden.hass, LAST_SEEN)

    async def minutes(number: int, *, says: bool = True) -> None:
        for _ in range(number):
            freezer.tick(60)
            if says:
                entry.runtime_data.coordinator.presence.async_heard()
            async_fire_time_changed(garden.hass)
            await garden.hass.async_block_till_done()

    await minutes(1)
    assert len(seen) == 1  # at once, when it was not known
    await minutes(150)
    assert len(seen) == 3
    last = entry.runtime_data.coordinator.data.last_seen
    await minutes(61, says=False)
    assert value(garden.hass, LAST_SEEN) == last.isoformat(timespec="seconds")
    assert len(seen) == 4
    await minutes(90, says=False)
    await minutes(1)
    assert len(seen) == 5


@pytest.mark.slow
@pytest.mark.usefixtures("all_on")
async def test_a_module_that_says_nothing_was_never_seen(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.release("1.1.0")
    await garden.add(entry_for(await start_module()))
    await garden.install()

    assert value(garden.hass, LAST_SEEN) == "unknown"  # our own probes are no word of its own
    assert value(garden.hass, LAST_UPDATE) == "unverified"


@pytest.mark.slow
@pytest.mark.usefixtures("all_on")
async def test_what_a_module_has_is_known_while_it_speaks(
    garden: Garden, start_module: StartModule
) -> None:
    """What Home Assistant itself knows stays: how the last update ended, and the stage."""
    module = await start_module(advertise=True)
    entry = await garden.add(entry_for(module))
    await until(lambda: entry.runtime_data.coordinator.presence._was_heard)
    assert value(garden.hass, FREE_SLOT) != "unavailable"

    advert = module._advert
    assert advert is not None
    assert advert._zeroconf is not None
    assert advert._info is not None
    await (await advert._zeroconf.async_unregister_service(advert._info))

    await until(lambda: value(garden.hass, FREE_SLOT) == "unavailable")
    assert value(garden.hass, RUNNING_IMAGE) == "unavailable"
    assert value(garden.hass, STAGE) == "idle"
    assert value(garden.hass, LAST_UPDATE) != "unavailable"


async def test_what_is_noisy_or_rare_is_there_but_off(
    garden: Garden, start_module: StartModule, entity_registry: er.EntityRegistry
) -> None:
    entry = await garden.add(entry_for(await start_module()))

    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)

    off = {
        one.entity_id for one in entities if one.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    }
    assert off == {
        "sensor.garden_valve_running_image",
        "sensor.garden_valve_free_slot",
        "sensor.garden_valve_update_stage",
        "sensor.garden_valve_last_seen",
    }
    on = {one.entity_id for one in entities} - off
    assert on == {
        "update.garden_valve_firmware",
        "binary_sensor.garden_valve_reachable",
        "sensor.garden_valve_last_update",
        "event.garden_valve_update_ended",
        "button.garden_valve_cancel_update",
        "button.garden_valve_roll_back",
    }


@pytest.fixture
def restarted(hass: HomeAssistant) -> None:
    """Have Home Assistant know a module's states from before its restart."""
    sentence = {"cause": "stalled", "sentence": "It stalled.", "version": "1.1.0"}
    mock_restore_cache_with_extra_data(
        hass,
        [
            (State(LAST_UPDATE, "failed", sentence | {"previous_version": "1.0.0"}), {}),
            (
                State(LAST_SEEN, "2026-11-20T10:00:00+00:00"),
                {
                    "native_value": {
                        "__type": "<class 'datetime.datetime'>",
                        "isoformat": "2026-11-20T10:00:00+00:00",
                    },
                    "native_unit_of_measurement": None,
                },
            ),
            (
                State(EVENT, "2026-11-20T10:05:00.000+00:00"),
                {"last_event_type": "failed", "last_event_attributes": sentence},
            ),
        ],
    )


@pytest.mark.slow
@pytest.mark.usefixtures("restarted", "all_on")
async def test_how_the_last_update_ended_outlives_a_restart(
    garden: Garden, start_module: StartModule
) -> None:
    hass = garden.hass
    module = await start_module()
    await garden.release("1.2.0")
    await garden.add(entry_for(module))

    assert value(hass, LAST_UPDATE) == "failed"
    last = hass.states.get(LAST_UPDATE)
    assert last is not None
    assert last.attributes["sentence"] == "It stalled."
    assert last.attributes["previous_version"] == "1.0.0"
    assert value(hass, LAST_SEEN) == "2026-11-20T10:00:00+00:00"
    event = hass.states.get(EVENT)
    assert event is not None
    assert event.attributes["sentence"] == "It stalled."

    await garden.install()

    assert value(hass, LAST_UPDATE) == "unverified"
    last = hass.states.get(LAST_UPDATE)
    assert last is not None
    assert last.attributes["version"] == "1.2.0"
    assert last.attributes["cause"] is None


async def test_what_no_verdict_is_any_more_is_not_restored(
    hass: HomeAssistant, garden: Garden, start_module: StartModule
) -> None:
    mock_restore_cache(hass, [State(LAST_UPDATE, "exploded")])

    await garden.add(entry_for(await start_module()))

    assert value(hass, LAST_UPDATE) == "unknown"
