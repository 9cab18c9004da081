"""The blueprints, loaded by Home Assistant and run with virtual modules over real sockets."""

from dataclasses import dataclass, field
from datetime import timedelta
import logging
from typing import Any

from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.esp_ota.library import ReleaseName
from homeassistant.components import persistent_notification
from homeassistant.components.automation import async_get_blueprints
from homeassistant.components.blueprint import Blueprint
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from tests.kit.blueprints import BLUEPRINTS, automated, install
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, Garden, patience, until
from tests.kit.hours import running_clock
from tests.kit.rolling import ROLLOUT, act, ended, shown, states
from tests.kit.source_code import read
from tests.kit.yard import Yard
from tests.virtual_module import Fault, Seen, VirtualModule, build_filesystem

NAMES = sorted(path.stem for path in BLUEPRINTS.glob("*.yaml"))


@pytest.fixture
def yard(garden: Garden, start_module: StartModule) -> Yard:
    garden.house.patience = patience(evidence=0.1, breath=0.1)
    return Yard(garden, start_module)


def notifications(hass: HomeAssistant) -> dict[str, str]:
    """Return the messages of the house, by their titles."""
    found = persistent_notification._async_get_or_create_notifications(hass).values()
    return {item["title"]: item["message"] for item in found}


async def test_home_assistant_reads_each_blueprint(hass: HomeAssistant, config_dir: object) -> None:
    install(hass)
    found = await async_get_blueprints(hass).async_get_blueprints()
    ours = {path: item for path, item in found.items() if path.startswith("esp_ota/")}
    assert sorted(ours) == [f"esp_ota/{name}.yaml" for name in NAMES]
    repository = read("manifest.json")["documentation"]
    for path, item in ours.items():
        assert isinstance(item, Blueprint), item
        assert item.validate() is None
        address = f"{repository}/blob/main/blueprints/automation/{path}"
        assert item.metadata["source_url"] == address
        assert item.metadata["homeassistant"]["min_version"] == "2026.10.0"


# At night

RENAMED = "sensor.firmware_bibliothek_rollout"


async def at(hass: HomeAssistant, clock: TickingDateTimeFactory, time: str) -> None:
    """Let it be this time, as soon as it is so again."""
    hour, minute = time.split(":")
    moment = dt_util.now().replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    while moment <= dt_util.now():
        moment += timedelta(days=1)
    clock.move_to(moment)
    async_fire_time_changed(hass, moment)
    await hass.async_block_till_done()


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what automations and the integration wrote to the log as errors."""
    return [item.getMessage() for item in caplog.records if item.levelno >= logging.ERROR]


@pytest.mark.slow
async def test_a_new_version_is_rolled_out_at_night_and_nights_without_one_are_quiet(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("a", "b", "c", area="Garden")
    await yard.add("d", area="House")
    [place] = {device.area_id for device in yard.devices("a", "b", "c")}
    inputs = {"firmware": "garden-valve", "areas": [place], "soak": {"seconds": 1}}
    with running_clock() as clock:
        async with automated(yard.hass, "nightly_rollout", **inputs):
            await at(yard.hass, clock, "04:29")
            assert shown(yard)["state"] == "idle"
            await at(yard.hass, clock, "04:30")
            assert shown(yard)["state"] == "running"
            report = await ended(yard)
            assert states(report) == dict.fromkeys("abc", "updated")
            assert yard.running("d") == "1.0.0"

            caplog.clear()
            await at(yard.hass, clock, "04:30")
            assert complaints(caplog) == []
            assert (await ended(yard))["rollout"] == report["rollout"]


@pytest.mark.slow
async def test_a_night_in_which_a_rollout_goes_on_is_quiet_whatever_its_sensor_is_called(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("a", "b")
    er.async_get(yard.hass).async_update_entity(ROLLOUT, new_entity_id=RENAMED)
    inputs = {"firmware": "garden-valve", "soak": {"days": 3}}
    with running_clock() as clock:
        async with automated(yard.hass, "nightly_rollout", **inputs):
            await at(yard.hass, clock, "04:30")
            await until(lambda: yard.hass.states.get(RENAMED).attributes["updated"] == 1)
            caplog.clear()
            await at(yard.hass, clock, "04:30")
            assert complaints(caplog) == []
            await act(yard, "cancel_rollout")
    report = await act(yard, "rollout_report")
    assert states(report) == {"a": "updated", "b": "waits"}


@pytest.mark.slow
async def test_a_canary_that_fails_at_night_keeps_the_others_untouched(yard: Yard) -> None:
    await yard.open(parallel_installs=2)
    await yard.add("a", "b", "c", faults=[Fault.FLASH_WRITE_ERROR])
    with running_clock() as clock:
        async with automated(yard.hass, "nightly_rollout", firmware="garden-valve"):
            await at(yard.hass, clock, "04:30")
            report = await ended(yard)
    assert report["state"] == "stopped"
    assert states(report) == {"a": "failed", "b": "waits", "c": "waits"}
    touched = [name for name in "abc" if yard.modules[name].events.count_of(Seen.INVITED)]
    assert touched == ["a"]


# Asked on a phone


@dataclass
class Phone:
    """A phone: what it shows, and its buttons."""

    hass: HomeAssistant
    shown: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Register the action that Home Assistant's app registers."""
        self.hass.services.async_register("notify", "mobile_app_phone", self._notified)

    async def _notified(self, call: ServiceCall) -> None:
        self.shown.append(dict(call.data))

    async def answer(self, title: str) -> None:
        """Press a button of what is shown last, as the app tells it."""
        [button] = [item for item in self.shown[-1]["data"]["actions"] if item["title"] == title]
        event = {"action": button["action"], "device_id": "phone"}
        self.hass.bus.async_fire("mobile_app_notification_action", event)


@pytest.fixture
async def phone(garden: Garden) -> Phone:
    return Phone(garden.hass)


ASKED = {"cards": {"entity_id": [CARD]}, "phone": "notify.mobile_app_phone"}


async def up_to_date(garden: Garden, module: VirtualModule) -> None:
    """Have a module whose card offers nothing newer."""
    await garden.add(entry_for(module))
    await garden.release("1.0.0")
    await garden.install()
    assert garden.card.state == "off"


@pytest.mark.slow
@pytest.mark.parametrize(("button", "runs"), [("Update", "1.10"), ("Later", "1.0.0")])
async def test_the_button_on_a_phone_decides(
    garden: Garden, start_module: StartModule, phone: Phone, button: str, runs: str
) -> None:
    module = await start_module()
    await up_to_date(garden, module)
    async with automated(garden.hass, "ask_before_update", **ASKED):
        await garden.release("1.10")
        await until(lambda: phone.shown)
        assert "1.0.0 → 1.10." in phone.shown[0]["message"]
        await phone.answer(button)
        await garden.hass.async_block_till_done()
    assert module.running_version == runs
    assert len(phone.shown) == 1


@pytest.mark.slow
async def test_a_press_that_comes_after_a_newer_version_is_asked_for_again(
    garden: Garden, start_module: StartModule, phone: Phone
) -> None:
    module = await start_module()
    await up_to_date(garden, module)
    async with automated(garden.hass, "ask_before_update", **ASKED):
        await garden.release("1.1")
        await until(lambda: phone.shown)
        await garden.release("1.10")
        await until(lambda: garden.card.attributes["latest_version"] == "1.10")
        assert len(phone.shown) == 1
        await phone.answer("Update")
        await until(lambda: len(phone.shown) == 2)
        assert module.running_version == "1.0.0"
        assert "1.10" in phone.shown[1]["message"]
        await phone.answer("Update")
        await garden.hass.async_block_till_done()
    assert module.running_version == "1.10"


# Told


@pytest.mark.slow
async def test_a_failure_is_told_with_its_sentence_and_a_good_end_is_not(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.add_valve(module)
    told = {"events": {"entity_id": ["event.garden_valve_update_ended"]}}
    async with automated(garden.hass, "tell_failures", **told):
        await garden.press()
        assert notifications(garden.hass) == {}
        await garden.release("1.2.0")
        module.faults.set(Fault.FLASH_WRITE_ERROR)
        error = await garden.press()
        assert error is not None
        [(title, message)] = notifications(garden.hass).items()
    assert title == "garden-valve: failed"
    assert message.replace("\\", "").startswith(str(error))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tell_failures", "weekly_report"])
async def test_what_a_module_is_called_makes_no_link_in_what_is_told(
    garden: Garden, start_module: StartModule, name: str
) -> None:
    module = await start_module(faults=[Fault.FLASH_WRITE_ERROR])
    entry = await garden.add_valve(module)
    evil = "[x](http://evil.example) **b** www.evil.example <img src=x>"
    garden.hass.config_entries.async_update_entry(entry, title=evil)
    with running_clock() as clock:
        day = (dt_util.now() + timedelta(days=1)).strftime("%a").lower()
        told: dict[str, Any] = {
            "tell_failures": {"events": {"entity_id": ["event.garden_valve_update_ended"]}},
            "weekly_report": {"day": day, "at": "18:00:00"},
        }[name]
        async with automated(garden.hass, name, **told):
            assert await garden.press() is not None
            for _ in range(2):
                await at(garden.hass, clock, "18:00")
    [message] = notifications(garden.hass).values()
    assert "evil" in message
    for markdown in ("[x](", "**", "http://", "www.", "<img"):
        assert markdown not in message.replace("\\<", "")


# Each week


@pytest.mark.slow
async def test_the_week_is_told_with_what_is_new_what_ended_and_who_is_gone(yard: Yard) -> None:
    await yard.open()
    await yard.add("a", "b")
    await yard.press("a")
    await yard.garden.release("1.2.0")
    files = ReleaseName(file_name="garden-valve-1.2.0.littlefs.bin")
    await yard.garden.house.library.async_add(build_filesystem(), files, source="upload")
    await yard.hass.async_block_till_done()
    with running_clock() as clock:
        day = (dt_util.now() + timedelta(days=1)).strftime("%a").lower()
        async with automated(yard.hass, "weekly_report", day=day, at="18:00:00"):
            for _ in range(2):
                await at(yard.hass, clock, "18:00")
    [message] = notifications(yard.hass).values()
    lines = [line for line in message.splitlines() if line]
    assert lines[:5] == [
        "Modules: 2",
        "Could run a newer version: 2",
        "- a: 1.1.0 → 1.2.0",
        "- b: unknown → 1.2.0",
        "Updated in these seven days, with the last end of each: 1",
    ]
    assert lines[5].startswith("- a: unverified. a is back after the update to 1.1.0")
    assert lines[6:] == ["Not answering: 0"]
