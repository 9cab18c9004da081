"""Who takes part in a rollout, who is left out and why, and calls that make no sense."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import Context
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import area_registry as ar, device_registry as dr, label_registry as lr
from homeassistant.util import dt as dt_util
from tests.kit.garden import until
from tests.kit.rolling import act, ended, in_order, plan, start, states
from tests.kit.sentences import assert_error_is_whole
from tests.kit.yard import NOTHING, Yard
from tests.virtual_module import Seen

pytestmark = pytest.mark.slow


async def refused(yard: Yard, **data: Any) -> ServiceValidationError:
    with pytest.raises(ServiceValidationError) as caught:
        await plan(yard, **data)
    assert_error_is_whole(caught.value)
    return caught.value


def left_out(answer: dict[str, Any]) -> dict[str, str]:
    assert all(item["sentence"].endswith(".") for item in answer["left_out"])
    return {item["module"]: item["reason"] for item in answer["left_out"]}


async def test_modules_are_chosen_by_card_device_area_and_label(yard: Yard) -> None:
    await yard.open()
    await yard.add("a", "b", area="Garden")
    await yard.add("c")
    devices, labels = dr.async_get(yard.hass), lr.async_get(yard.hass)
    [device] = dr.async_entries_for_config_entry(devices, yard.entries["c"].entry_id)
    pump = labels.async_create("Pump")
    devices.async_update_device(device.id, labels={pump.label_id})
    garden = ar.async_get(yard.hass).async_get_or_create("Garden").id

    async def chosen(**target: Any) -> list[str]:
        return sorted(name for wave in in_order(await plan(yard, **target)) for name in wave)

    assert await chosen() == ["a", "b", "c"]
    assert await chosen(area_id=garden) == ["a", "b"]
    assert await chosen(device_id=[device.id]) == ["c"]
    assert await chosen(label_id=[pump.label_id], entity_id=[yard.card("a")]) == ["a", "c"]


async def test_each_that_is_left_out_is_named_with_its_reason(yard: Yard) -> None:
    await yard.open()
    await yard.add("good", "skipped", "silent")
    await yard.add("pump", options={**NOTHING, "firmware": "pump"})
    await yard.add("gone")
    await yard.add("esp32", options={**NOTHING, "chip": "esp32"})
    await yard.hass.config_entries.async_unload(yard.entries["gone"].entry_id)
    silent = yard.entries["silent"].runtime_data.coordinator
    seen = dt_util.utcnow() - timedelta(days=40)
    silent.presence.last_seen, silent.presence.reachable = seen, False
    silent._presence_changed()
    await yard.hass.services.async_call(
        "update", "skip", {"entity_id": yard.card("skipped")}, blocking=True
    )
    answer = await plan(yard, entity_id=[yard.card(name) for name in yard.modules])
    assert in_order(answer) == [["good"]]
    assert left_out(answer) == {
        "skipped": "skipped",
        "silent": "unreachable",
        "pump": "other_firmware",
        "gone": "not_loaded",
        "esp32": "wrong_chip",
    }


async def test_chip_running_version_and_ways_narrow_it_down(yard: Yard) -> None:
    await yard.open()
    await yard.add("a", "b")
    journal = yard.entries["a"].runtime_data.coordinator
    journal.async_set_installed("1.0.0", "garden-valve", assumed=False)
    assert left_out(await plan(yard, running_version="1.0.0")) == {"b": "other_version"}
    assert (await refused(yard, chip="esp32")).translation_key == "rollout_empty"
    assert (await refused(yard, transports=["http_pull"])).translation_key == "rollout_empty"
    assert left_out(await plan(yard, transports=["arduino_ota"])) == {}


async def test_who_has_the_version_is_left_out_and_an_older_one_has_to_be_named(
    yard: Yard,
) -> None:
    await yard.open()
    await yard.garden.release("1.0.0")
    await yard.add("a", "b")
    for name, version in (("a", "1.1.0"), ("b", "1.0.0")):
        coordinator = yard.entries[name].runtime_data.coordinator
        coordinator.async_set_installed(version, "garden-valve", assumed=False)
    assert left_out(await plan(yard)) == {"a": "has_it"}
    answer = await plan(yard, version="1.0.0")
    assert (in_order(answer), left_out(answer)) == ([["a"]], {"b": "has_it"})


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"area_id": "nowhere"}, "rollout_target_unknown"),
        ({"entity_id": "update.nobody"}, "rollout_target_unknown"),
        ({"device_id": "none"}, "rollout_target_unknown"),
        ({"entity_id": "input_boolean.valve"}, "nothing_reached"),
        ({"firmware": "pump"}, "rollout_firmware_unknown"),
        ({"version": "9.9.9"}, "release_unknown"),
        ({"canaries": ["update.nobody"]}, "rollout_target_unknown"),
        ({"canaries": ["update.old_firmware"]}, "rollout_canary_left_out"),
    ],
)
async def test_what_does_not_exist_is_named(yard: Yard, data: dict[str, Any], key: str) -> None:
    await yard.open()
    await yard.add("a")
    await yard.add("old", options={**NOTHING, "firmware": "pump"})
    with pytest.raises(ServiceValidationError) as caught:
        await act(yard, "start_rollout", **{"firmware": "garden-valve"} | data)
    assert caught.value.translation_key == key
    assert_error_is_whole(caught.value)
    assert not yard.modules["a"].events.count_of(Seen.INVITED)


async def test_an_empty_house_has_nothing_to_roll_out(yard: Yard) -> None:
    await yard.open()
    assert (await refused(yard)).translation_key == "rollout_empty"
    with pytest.raises(ServiceValidationError) as caught:
        await act(yard, "rollout_report")
    assert caught.value.translation_key == "rollout_none"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"firmware": "a", "waves": ["0"]},
        {"firmware": "a", "waves": ["200%"]},
        {"firmware": "a", "waves": ["many"]},
        {"firmware": "a", "waves": ["nan"]},
        {"firmware": "a", "canaries": -1},
        {"firmware": "a", "canaries": []},
        {"firmware": "a", "stop_when_more_than": "-1"},
        {"firmware": "a", "soak": -5},
        {"firmware": "a", "window": {"start": "02:00"}},
        {"firmware": "a", "window": {"start": "02:00", "end": "99:00"}},
        {"firmware": "a", "transports": ["pigeon"]},
    ],
)
async def test_a_call_that_makes_no_sense_is_refused(yard: Yard, data: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        await act(yard, "start_rollout", **data)


async def test_only_administrators_may(yard: Yard, hass_read_only_user: MockUser) -> None:
    await yard.open()
    await yard.add("a")
    firmware = {"firmware": "garden-valve"}
    for action, data in (
        ("plan_rollout", firmware),
        ("start_rollout", firmware),
        ("pause_rollout", {}),
        ("resume_rollout", {}),
        ("cancel_rollout", {}),
        ("rollout_report", {}),
    ):
        with pytest.raises(Unauthorized):
            await yard.hass.services.async_call(
                DOMAIN,
                action,
                data,
                blocking=True,
                return_response=True,
                context=Context(user_id=hass_read_only_user.id),
            )


async def test_a_dry_run_begins_nothing(yard: Yard) -> None:
    await yard.open()
    await yard.add("a")
    answer = await start(yard, dry_run=True)
    assert in_order(answer) == [["a"]]
    assert "rollout" not in answer
    with pytest.raises(ServiceValidationError):
        await act(yard, "rollout_report")


async def test_a_window_that_is_closed_is_in_the_plan_and_holds_the_queue(yard: Yard) -> None:
    await yard.open()
    await yard.add("a")
    now = dt_util.now()
    opens = (now + timedelta(hours=2)).replace(second=0, microsecond=0)
    window = {
        "start": opens.time().isoformat(),
        "end": (opens + timedelta(hours=1)).time().isoformat(),
    }
    [module] = (await start(yard, window=window))["waves"][0]["modules"]
    assert module["begins"][:16] == opens.isoformat()[:16]
    assert "closed" in module["blocked_by"]
    await until(lambda: yard.standing("a")[1] == "window")
    assert not yard.modules["a"].events.count_of(Seen.INVITED)
    await yard.hass.services.async_call(
        DOMAIN, "install", {"entity_id": yard.card("a"), "now": True}, blocking=True
    )
    assert states(await ended(yard)) == {"a": "updated"}
