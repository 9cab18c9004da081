"""What is read back was said after the command that it proves, or asked for anew."""

import asyncio
from datetime import timedelta
import time
from typing import Any, override

import pytest
from pytest_homeassistant_custom_component.common import (
    MockModule,
    MockPlatform,
    mock_integration,
    mock_platform,
)

from custom_components.esp_ota.const import LOGGER
from custom_components.esp_ota.equipment.command import can_be_asked
from custom_components.esp_ota.equipment.safe_state import ConfiguredSafeState
from custom_components.esp_ota.equipment.sequence import Sequence
from custom_components.esp_ota.ota import Cause, InstallResult, SafeStateError, Verdict
from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator
from homeassistant.setup import async_setup_component

pytestmark = pytest.mark.slow

VALVE = "valve.garden"
CANCELLED = InstallResult(verdict=Verdict.CANCELLED, cause=Cause.CANCELLED)
LIMIT = 1.5


class SlowValve:
    """A valve whose entity says where it stands only a while after it got there."""

    def __init__(self, hass: HomeAssistant, stands: str, *, says_all: bool = False) -> None:
        self.hass, self.stands, self.jams = hass, stands, ""
        self.lag, self.report = 0.2, 0.2
        self.says_all = says_all
        """It says what it has said already, too."""
        self.told: list[str] = []
        self.refuses = ""
        hass.states.async_set(VALVE, stands)
        hass.services.async_register("test", "move", self.move)

    async def move(self, call: ServiceCall) -> None:
        position = call.data["position"]
        self.told.append(position)
        if position == self.refuses:
            raise ValueError("it does not")
        self.hass.async_create_background_task(self._obey(position), "valve")

    async def _obey(self, position: str) -> None:
        await asyncio.sleep(self.lag)
        if position != self.jams:
            self.stands = position
        await asyncio.sleep(self.report)
        state = self.hass.states.get(VALVE)
        assert state is not None
        if self.says_all or state.state != self.stands:
            self.hass.states.async_set(VALVE, self.stands)


def move(position: str) -> dict[str, Any]:
    return {"action": "test.move", "data": {"position": position}}


def stands(position: str, entity_id: str = VALVE) -> dict[str, Any]:
    return {"condition": "state", "entity_id": entity_id, "state": position}


def safe_state(hass: HomeAssistant, **changes: Any) -> ConfiguredSafeState:
    options: dict[str, Any] = {
        "actions": [move("closed")],
        "conditions": [stands("closed")],
        "restore": [move("open")],
        "restore_conditions": [stands("open")],
        "time_limit": LIMIT,
        "stable": 0,
    }
    return ConfiguredSafeState(hass, options | changes, Sequence(hass, "test", Context(), {}))


async def entered_for(state: ConfiguredSafeState, seconds: float) -> None:
    """Make safe, and be cancelled after so many seconds."""
    entering = asyncio.create_task(state.enter())
    await asyncio.sleep(seconds)
    entering.cancel()
    await asyncio.wait({entering})


async def fails(state: ConfiguredSafeState) -> str:
    with pytest.raises(SafeStateError) as caught:
        await state.leave(CANCELLED)
    assert caught.value.cause is Cause.RESTORE_FAILED
    return str(caught.value.facts["unmet"])


# The restore


async def test_a_restore_is_not_believed_on_a_state_from_before(hass: HomeAssistant) -> None:
    """Told to close and to open at once; then it jams closed, while its entity still says open."""
    valve = SlowValve(hass, "open")
    valve.jams = "open"
    state = safe_state(hass)
    await entered_for(state, 0.1)

    assert VALVE in await fails(state)

    assert valve.told == ["closed", "open"]
    assert valve.stands == "closed"


async def test_a_valve_that_obeys_and_has_nothing_new_to_say_is_believed_in_the_end(
    hass: HomeAssistant,
) -> None:
    """It was never seen closed: nothing else was said for as long as it may take."""
    valve = SlowValve(hass, "open")
    state = safe_state(hass)
    await entered_for(state, 0.1)

    await state.leave(CANCELLED)

    assert valve.stands == "open"


async def test_a_valve_that_says_it_again_is_believed_at_once(hass: HomeAssistant) -> None:
    valve = SlowValve(hass, "open", says_all=True)
    valve.lag, valve.report = 0.05, 0.05
    state = safe_state(hass, time_limit=60)
    valve.refuses = "closed"
    with pytest.raises(SafeStateError):
        await state.enter()
    begun = time.monotonic()

    await state.leave(CANCELLED)

    assert time.monotonic() - begun < 10


async def test_a_valve_that_was_seen_closed_is_believed_when_it_says_open(
    hass: HomeAssistant,
) -> None:
    SlowValve(hass, "open")
    state = safe_state(hass, time_limit=60)
    await state.enter()
    begun = time.monotonic()

    await state.leave(CANCELLED)

    assert time.monotonic() - begun < 10


async def test_what_the_actions_do_not_touch_need_not_be_said_again(hass: HomeAssistant) -> None:
    """It was made safe and confirmed: nobody owes an answer any more."""
    SlowValve(hass, "open")
    hass.states.async_set("sensor.tank", "full")
    conditions = [stands("open"), stands("full", "sensor.tank")]
    state = safe_state(hass, restore_conditions=conditions, time_limit=60)
    await state.enter()
    begun = time.monotonic()

    await state.leave(CANCELLED)

    assert time.monotonic() - begun < 10


async def test_after_a_crash_everything_has_to_be_said_anew(hass: HomeAssistant) -> None:
    """Nobody knows what was told when: the valve closes, and its entity says open as before."""
    valve = SlowValve(hass, "open")
    valve.jams = "open"
    hass.async_create_background_task(valve._obey("closed"), "told before the crash")

    assert VALVE in await fails(safe_state(hass))


async def test_what_a_home_assistant_that_stopped_had_confirmed_is_no_doubt(
    hass: HomeAssistant,
) -> None:
    SlowValve(hass, "open")
    state = safe_state(hass, restore=[], time_limit=60)
    await state.take_over()
    begun = time.monotonic()

    await state.leave(CANCELLED)

    assert time.monotonic() - begun < 10


# Making safe


async def test_making_safe_is_not_believed_on_a_state_from_before_the_last_restore(
    hass: HomeAssistant,
) -> None:
    """Told to open a moment ago, and to close now: its entity has said neither."""
    valve = SlowValve(hass, "closed")
    first = safe_state(hass, restore_conditions=[])
    await first.leave(CANCELLED)
    valve.jams = "closed"

    with pytest.raises(SafeStateError) as caught:
        await safe_state(hass).enter()

    assert caught.value.cause is Cause.SAFE_STATE_NOT_CONFIRMED
    assert valve.stands == "open"


async def test_making_safe_again_after_a_restore_without_a_word_is_waited_for(
    hass: HomeAssistant,
) -> None:
    """Not for longer than the equipment may take to answer the restore."""
    SlowValve(hass, "closed").jams = "open"
    await safe_state(hass, restore_conditions=[], time_limit=0.6).leave(CANCELLED)
    begun = time.monotonic()

    await safe_state(hass, time_limit=60).enter()

    assert 0.3 < time.monotonic() - begun < 10


async def test_what_is_safe_already_and_silent_is_not_waited_for(hass: HomeAssistant) -> None:
    hass.states.async_set(VALVE, "closed", timestamp=time.time() - 3601)
    hass.services.async_register("test", "move", lambda _call: None)
    begun = time.monotonic()

    await safe_state(hass, stable=3600, time_limit=60).enter()

    assert time.monotonic() - begun < 1


# Who can be asked


class Contact(BinarySensorEntity):
    """A contact that says what is so only when it is asked; on while the valve is open."""

    def __init__(self, name: str, *, polled: bool) -> None:
        self._attr_name = name
        self._attr_should_poll = False  # nobody asks in the background of a test
        self._attr_is_on = False
        self.is_open = False
        self.asked = 0
        if polled:
            self.async_update = self._look

    async def _look(self) -> None:
        self.asked += 1
        self._attr_is_on = self.is_open


class Collected(CoordinatorEntity[DataUpdateCoordinator[bool]], BinarySensorEntity):
    """A contact that one coordinator asks for, or that is told by it."""

    def __init__(self, name: str, coordinator: DataUpdateCoordinator[bool]) -> None:
        super().__init__(coordinator)
        self._attr_name = name

    @property
    @override
    def is_on(self) -> bool:
        return self.coordinator.data


async def plant(hass: HomeAssistant, *entities: BinarySensorEntity) -> None:
    """Set up contacts as an integration of its own."""

    async def setup(_hass: HomeAssistant, _config: Any, add: Any, _info: Any = None) -> None:
        add(entities)

    mock_integration(hass, MockModule("contacts"))
    mock_platform(hass, "contacts.binary_sensor", MockPlatform(async_setup_platform=setup))
    config = {"binary_sensor": {"platform": "contacts"}}
    assert await async_setup_component(hass, "binary_sensor", config)
    await hass.async_block_till_done()


async def test_an_entity_that_is_polled_is_asked_before_the_first_byte(
    hass: HomeAssistant,
) -> None:
    """Somebody has opened the valve by hand since the last poll."""
    contact = Contact("polled", polled=True)
    await plant(hass, contact)
    hass.services.async_register("test", "move", lambda _call: None)
    state = safe_state(hass, conditions=[stands("off", "binary_sensor.polled")])
    contact.is_open = True

    with pytest.raises(SafeStateError) as caught:
        await state.enter()

    assert caught.value.cause is Cause.SAFE_STATE_NOT_CONFIRMED
    assert contact.asked


async def test_an_entity_that_is_polled_and_safe_already_is_not_waited_for(
    hass: HomeAssistant,
) -> None:
    contact = Contact("polled", polled=True)
    await plant(hass, contact)
    entity_id = "binary_sensor.polled"
    hass.states.async_set(entity_id, "off", {"at": "rest"}, timestamp=time.time() - 3601)
    hass.services.async_register("test", "move", lambda _call: None)
    conditions = [stands("off", entity_id)]
    begun = time.monotonic()

    await safe_state(hass, conditions=conditions, stable=3600, time_limit=60).enter()

    assert time.monotonic() - begun < 1
    assert contact.asked == 1


@pytest.mark.parametrize("is_open", [True, False])
async def test_a_polled_entity_that_is_doubted_is_asked(hass: HomeAssistant, is_open: bool) -> None:
    contact = Contact("polled", polled=True)
    contact._attr_is_on = contact.is_open = True
    await plant(hass, contact)
    entity_id = "binary_sensor.polled"
    valve = SlowValve(hass, "open")
    valve.refuses = "closed"
    state = safe_state(
        hass,
        conditions=[stands("off", entity_id)],
        restore_conditions=[stands("on", entity_id)],
        time_limit=1.5 if not is_open else 60,
    )
    with pytest.raises(SafeStateError):
        await state.enter()
    contact.is_open = is_open  # whatever was told, this is so

    begun = time.monotonic()
    if is_open:
        await state.leave(CANCELLED)
    else:
        assert entity_id in await fails(state)

    assert contact.asked
    assert time.monotonic() - begun < 10


async def test_only_who_looks_at_a_device_can_be_asked(hass: HomeAssistant) -> None:
    """To ask one that pushes only repeats its state, with a new time on it."""
    asked: list[None] = []

    async def look() -> bool:
        asked.append(None)
        return False

    def coordinator(interval: timedelta | None) -> DataUpdateCoordinator[bool]:
        found: DataUpdateCoordinator[bool] = DataUpdateCoordinator(
            hass, LOGGER, config_entry=None, name="c", update_method=look, update_interval=interval
        )
        found.data = False
        return found

    await plant(
        hass,
        Contact("polled", polled=True),
        Contact("pushed", polled=False),
        Collected("collected", coordinator(timedelta(hours=1))),
        Collected("handed_on", coordinator(None)),
    )
    contacts = {"template": [{"binary_sensor": {"name": "worked_out", "state": "{{ false }}"}}]}
    assert await async_setup_component(hass, "template", contacts)
    await hass.async_block_till_done()
    hass.states.async_set("binary_sensor.of_nobody", "off")

    names = ("polled", "pushed", "collected", "handed_on", "worked_out", "of_nobody")
    assert [name for name in names if can_be_asked(hass, f"binary_sensor.{name}")] == [
        "polled",
        "collected",
    ]
    assert hass.states.is_state("binary_sensor.worked_out", "off")

    state = safe_state(hass, conditions=[stands("off", "binary_sensor.collected")], actions=[])
    await state.enter()
    assert asked
