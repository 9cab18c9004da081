"""A garden in a test's Home Assistant: a valve, a module that switches it, and its card."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.esp_ota.house import HOUSE, House
from custom_components.esp_ota.house.house import Patience
from custom_components.esp_ota.library import Release, ReleaseName
from custom_components.esp_ota.ota import GuestLimits, Limits, PushLimits, WatchLimits
from custom_components.esp_ota.ota.transport._invitation import InvitationLimits
from custom_components.esp_ota.ota.transport._stream import StreamLimits
from homeassistant.components.update import ATTR_INSTALLED_VERSION
from homeassistant.components.update.const import ATTR_IN_PROGRESS, ATTR_UPDATE_PERCENTAGE
from homeassistant.core import Context, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from tests.kit.entries import entry_for
from tests.kit.sentences import assert_error_is_whole
from tests.virtual_module import Seen, VirtualModule, build_image

VALVE = "input_boolean.valve"
"""On while water flows."""
CARD = "update.garden_valve_firmware"

CLOSE_VALVE = {"action": "input_boolean.turn_off", "target": {"entity_id": VALVE}}
OPEN_VALVE = {"action": "input_boolean.turn_on", "target": {"entity_id": VALVE}}
VALVE_CLOSED = {"condition": "state", "entity_id": VALVE, "state": "off"}
SAFE_STATE: Mapping[str, Any] = {
    "actions": [CLOSE_VALVE],
    "conditions": [VALVE_CLOSED],
    "time_limit": 10,
    "stable": 0,
    "restore": [OPEN_VALVE],
    "when_missing": "restore",
}


async def until(holds: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until something is so; a test that waits in vain fails here."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - many things are waited for, few tell
            await asyncio.sleep(0.01)


SMALL_FILES: Mapping[str, Any] = {"accepted_checks": ["filesystem"]}
"""A person who says that files for a smaller area than the module's will do."""


def options_for(safe_state: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a module's options; `safe_state` changes single keys of the usual one."""
    equipment = {
        "equipment": "switches",
        "safe_state": deepcopy(dict(SAFE_STATE)) | dict(safe_state or {}),
    }
    return {"firmware": "garden-valve"} | equipment | changes


def patience(**seconds: Any) -> Patience:
    """Return waits for tests: short where they are meant to run out, long where not."""

    def given(**defaults: Any) -> dict[str, Any]:
        return {name: seconds.pop(name, default) for name, default in defaults.items()}

    invitation = given(answer=1.0, tries=3, auth_answer=3.0)
    stream = given(stall=10.0, result=10.0, text=0.3, poll=0.01)
    watch = given(
        go=10.0,
        back=10.0,
        evidence=10.0,
        evidence_unlikely=0.1,
        late=0.0,
        again=1.5,
        interval=0.02,
        quick_probe=0.5,
        patient_probe=3.0,
    )
    push = PushLimits(
        **given(callback=10.0),
        invitation=InvitationLimits(**invitation),
        stream=StreamLimits(**stream),
    )
    breath = seconds.pop("breath", 1.4)
    guest = seconds.pop("guest", GuestLimits())
    queue = given(pauses=(), look_again=0.1)
    install = Limits(**given(retry_pause=0.05, watch_interval=0.01), tries=3)
    assert not seconds, f"nobody waits for {seconds}"
    return Patience(
        install=install,
        push=push,
        watch=WatchLimits(**watch),
        doubt=2.5,
        breath=breath,
        guest=guest,
        **queue,
    )


QUIET = patience(evidence=0.1, breath=0.1)
"""For modules that announce nothing."""
TALKING = patience()
"""For modules that announce what they run."""


@dataclass
class Garden:
    """Everything a test of an install touches."""

    hass: HomeAssistant
    valve: list[str] = field(default_factory=list)
    """The states the valve went through."""
    shown: list[tuple[Any, ...]] = field(default_factory=list)
    """What the card showed: in progress, percentage, stage."""

    @classmethod
    async def plant(cls, hass: HomeAssistant) -> Self:
        """Open the valve and shorten the waits."""
        garden = cls(hass)
        valve = {"input_boolean": {"valve": {"initial": True}}}
        assert await async_setup_component(hass, "input_boolean", valve)
        await hass.async_block_till_done()
        garden.house.patience = QUIET
        async_track_state_change_event(hass, [VALVE], garden._valve_moved)
        async_track_state_change_event(hass, [CARD], garden._card_changed)
        return garden

    @callback
    def _valve_moved(self, event: Event[EventStateChangedData]) -> None:
        assert event.data["new_state"] is not None
        self.valve.append(event.data["new_state"].state)

    @callback
    def _card_changed(self, event: Event[EventStateChangedData]) -> None:
        if (state := event.data["new_state"]) is not None:
            names = (ATTR_IN_PROGRESS, ATTR_UPDATE_PERCENTAGE, "stage")
            shown = tuple(state.attributes.get(name) for name in names)
            if shown != (self.shown[-1] if self.shown else None):
                self.shown.append(shown)

    @property
    def house(self) -> House:
        """What the integration shares."""
        return self.hass.data[HOUSE]

    @property
    def card(self) -> State:
        """The module's update card."""
        card = self.hass.states.get(CARD)
        assert card is not None
        return card

    @property
    def stages(self) -> list[str | None]:
        """The stages the card went through."""
        stages = [stage for _, _, stage in self.shown]
        return [stage for i, stage in enumerate(stages) if not i or stage != stages[i - 1]]

    async def add(self, entry: MockConfigEntry) -> MockConfigEntry:
        """Set up a module's entry."""
        entry.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(entry.entry_id)
        await self.hass.async_block_till_done()
        return entry

    async def add_with(self, module: VirtualModule, **safe_state: Any) -> MockConfigEntry:
        """Set up a module with a changed safe state."""
        return await self.add(entry_for(module, options=options_for(safe_state)))

    async def add_valve(self, module: VirtualModule, **changes: Any) -> MockConfigEntry:
        """Set up a module that switches the valve, and have 1.1.0 of its firmware."""
        changes = {"board": module.config.board or module.config.facts.board} | changes
        await self.release("1.1.0", module.config.chip)
        return await self.add(entry_for(module, **{"options": options_for()} | changes))

    async def add_talking(self, module: VirtualModule, **changes: Any) -> MockConfigEntry:
        """Do the same for a module that announces what it runs."""
        self.house.patience = changes.pop("patience", TALKING)
        entry = await self.add_valve(module, **changes)
        await self.runs("1.0.0")
        return entry

    async def runs(self, version: str) -> None:
        """Wait until the card says what the module announced."""
        await until(lambda: self.card.attributes.get(ATTR_INSTALLED_VERSION) == version)

    async def release(self, version: str, chip: str = "esp8266", **changes: Any) -> Release:
        """Put one release into the library."""
        name = ReleaseName(file_name="any.bin")
        image = build_image(chip, version=version, **{"size": 48 * 1024} | changes)
        return await self.house.library.async_add(image, name, source="upload")

    async def install(self, version: str | None = None) -> None:
        """Press Update, and wait for what becomes of it."""
        data = {"entity_id": CARD} | ({"version": version} if version else {})
        await self.hass.services.async_call("update", "install", data, blocking=True)

    async def install_files(self, version: str | None = None) -> None:
        """Press Update on the card of the files."""
        data = {"entity_id": CARD.replace("firmware", "files")}
        data |= {"version": version} if version else {}
        await self.hass.services.async_call("update", "install", data, blocking=True)

    async def press(self, user: MockUser | None = None) -> HomeAssistantError | None:
        """Press Update as a person does; return what the dialog shows."""
        context = Context(user_id=user.id if user else None)
        data = {"entity_id": CARD}
        try:
            await self.hass.services.async_call(
                "update", "install", data, blocking=True, context=context
            )
        except HomeAssistantError as err:
            return err
        finally:
            await self.hass.async_block_till_done()
        return None

    async def refused(self, cause: str, version: str | None = None) -> dict[str, str]:
        """Press Update, which must end with this cause; return what its sentence gets."""
        with pytest.raises(HomeAssistantError) as caught:
            await self.install(version)
        assert caught.value.translation_key == cause
        assert_error_is_whole(caught.value)
        assert caught.value.translation_placeholders is not None
        await self.hass.async_block_till_done()
        return caught.value.translation_placeholders

    async def at(self, stage: str) -> None:
        """Wait until the card shows this stage."""
        await until(lambda: self.card.attributes["stage"] == stage)

    async def begin[T](self, install: Coroutine[Any, Any, T], stage: str) -> asyncio.Task[T]:
        """Have an install run beside the test, and wait until the card shows this stage."""
        running = asyncio.create_task(install)
        await self.at(stage)
        return running

    async def ended(self) -> None:
        """Wait until an install that somebody else begins has begun and ended."""
        await until(lambda: self.card.attributes["stage"] is not None)
        await until(lambda: self.card.attributes["stage"] is None)
        await self.hass.async_block_till_done()

    def assert_at_rest(self, module: MockConfigEntry, valve: list[str]) -> None:
        """Check that nothing of an install is left: on the card, in the journal, outdoors."""
        attributes = self.card.attributes
        assert attributes[ATTR_IN_PROGRESS] is False
        assert attributes[ATTR_UPDATE_PERCENTAGE] is None
        assert attributes["stage"] is None
        assert self.house.journal.open_install(module.entry_id) is None
        assert self.valve == valve


WHOLE_WAY = [
    "checking",
    "queued",
    "making_safe",
    "sending",
    "restarting",
    "verifying",
    "restoring",
    "done",
]
"""The stages of an install that comes to its end."""
CLOSED_AND_OPENED = ["off", "on"]
"""How a valve moves around an install: made safe once, restored once."""
UNTOUCHED: list[str] = []


def assert_nothing_sent(module: VirtualModule) -> None:
    """Check that the module was not even invited."""
    assert not module.events.count_of(Seen.INVITED)
