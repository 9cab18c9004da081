"""Going back to what ran before: by the button, by a repair, by itself."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house.house import Patience
from custom_components.esp_ota.library import Release, ReleaseName
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.exceptions import HomeAssistantError
from tests.installs.conftest import Plant
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, CLOSED_AND_OPENED, Garden, options_for, patience, until
from tests.kit.repairs import fix, repair
from tests.kit.sentences import assert_error_is_whole, assert_issue_is_whole
from tests.virtual_module import Fault, FaultPlan, Seen, VirtualModule, build_image

pytestmark = pytest.mark.slow

BUTTON = "button.garden_valve_roll_back"


@pytest.fixture
def patient() -> Patience:
    """Wait long enough for an announcement; what says something else is heard to the end."""
    return patience(evidence=2.0)


async def press(garden: Garden) -> None:
    """Press Roll back, and wait until that is done."""
    await garden.hass.services.async_call("button", "press", {"entity_id": BUTTON}, blocking=True)


async def press_in_vain(garden: Garden) -> HomeAssistantError:
    """Find the button gone, and return what the action says."""
    button = garden.hass.states.get(BUTTON)
    assert button is not None
    assert button.state == STATE_UNAVAILABLE
    with pytest.raises(HomeAssistantError) as caught:
        await garden.hass.services.async_call(
            "esp_ota", "rollback", {"entity_id": CARD}, blocking=True
        )
    assert_error_is_whole(caught.value)
    return caught.value


async def misnamed(garden: Garden, version: str = "1.2.0") -> Release:
    """Put a release into the library whose sketch says, when it runs, that it is 0.9.9."""
    name = ReleaseName.stated("any.bin", {"firmware": "garden-valve", "version": version})
    image = build_image("esp8266", version="0.9.9", size=48 * 1024)
    return await garden.house.library.async_add(image, name, source="upload")


async def something_else(garden: Garden, module: VirtualModule) -> None:
    """Have a module start, once, an older sketch that is in the library instead of the new one."""
    await garden.release(module.config.wrong_version)
    await garden.release("1.2.0")
    module.board.faults = FaultPlan({Fault.WRONG_VERSION_BACK: 1})


async def test_what_ran_before_is_put_back_at_the_press_of_a_button(
    garden: Garden, plant: Plant
) -> None:
    module, entry = await plant()
    await garden.install()
    assert module.running_version == "1.1.0"
    garden.valve.clear()

    await press(garden)
    assert module.running_version == "1.0.0"
    assert garden.card.attributes["last_verdict"] == "rolled_back"
    assert garden.card.attributes["last_cause"] is None
    assert garden.card.attributes["installed_version"] == "1.0.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)

    # What was gone back from is not what one goes back to.
    assert (await press_in_vain(garden)).translation_key == "no_rollback"


async def test_who_has_nothing_to_go_back_to_is_told(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.add(entry_for(await start_module(), options=options_for()))
    with pytest.raises(HomeAssistantError) as caught:
        await garden.hass.services.async_call(
            DOMAIN, "rollback", {"entity_id": CARD}, blocking=True
        )
    assert caught.value.translation_key == "no_rollback"


async def test_a_way_back_that_fails_says_why(garden: Garden, plant: Plant) -> None:
    module, entry = await plant()
    await garden.install()
    garden.valve.clear()
    module.board.faults = FaultPlan([Fault.BOOT_STRAP])

    with pytest.raises(HomeAssistantError) as caught:
        await press(garden)
    assert caught.value.translation_key == "boot_strap"
    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


# After a failure


async def test_a_person_is_asked_and_one_click_puts_it_back(garden: Garden, plant: Plant) -> None:
    module, entry = await plant()
    await misnamed(garden)

    await garden.refused("other_version_back")
    assert module.running_version == "0.9.9"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    issue = repair(garden.hass, entry, "roll_back")
    assert issue is not None
    assert issue.is_fixable
    assert_issue_is_whole(issue)
    assert repair(garden.hass, entry, "update_failed") is None  # one repair for one problem
    garden.valve.clear()

    assert await fix(garden.hass, issue) == "create_entry"
    await until(lambda: garden.card.attributes["last_verdict"] == "rolled_back")
    assert module.running_version == "1.0.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    assert repair(garden.hass, entry, "roll_back") is None


async def test_it_is_put_back_by_itself_where_a_person_chose_that(
    garden: Garden, plant: Plant
) -> None:
    module, entry = await plant(rollback="auto")
    await something_else(garden, module)

    facts = await garden.refused("went_back")
    assert (facts["failed"], facts["back_to"]) == ("1.2.0", "1.0.0")
    assert "says that it runs" in facts["because"]
    assert module.running_version == "1.0.0"
    assert garden.card.attributes["last_verdict"] == "rolled_back"
    assert garden.card.attributes["last_cause"] == "other_version_back"
    assert garden.card.attributes["installed_version"] == "1.0.0"
    # Safe all the time in between, restored once.
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    assert repair(garden.hass, entry, "roll_back") is None


@pytest.mark.parametrize(
    ("rollback", "runs", "told"),
    [
        ("auto", "0.9.9", "roll_back"),
        ("auto", "0.0.1", "roll_back"),
        ("never", "0.9.9", "update_failed"),
    ],
    ids=["a version spelt differently", "a version nobody knows", "nobody wants it"],
)
async def test_what_is_no_reason_to_go_back(
    garden: Garden, plant: Plant, rollback: str, runs: str, told: str
) -> None:
    module, entry = await plant(rollback=rollback)
    if runs == "0.9.9":
        await garden.release("0.8.0")
        await misnamed(garden)  # the very image runs, and says what it is called in its own bytes
    else:
        module.board.faults = FaultPlan([Fault.WRONG_VERSION_BACK])

    await garden.refused("other_version_back")

    assert module.running_version == runs
    assert module.events.count_of(Seen.FIRST_BYTE) == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    # A person can tell, if that is wanted; there is one repair for one problem.
    found = {key for key in ("roll_back", "update_failed") if repair(garden.hass, entry, key)}
    assert found == {told}


async def test_a_module_that_is_back_with_its_old_sketch_needs_no_other(
    garden: Garden, plant: Plant
) -> None:
    module, entry = await plant([Fault.OLD_SKETCH_BACK], rollback="auto")
    garden.house.patience = patience(evidence=0.5)

    await garden.refused("old_version_back")
    assert module.events.count_of(Seen.FIRST_BYTE) == 1
    assert garden.card.attributes["last_verdict"] == "unchanged"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_way_back_that_fails_too_is_told_with_both_reasons(
    garden: Garden, plant: Plant
) -> None:
    module, entry = await plant(rollback="auto")
    await something_else(garden, module)
    refused = asyncio.create_task(garden.refused("rollback_failed"))
    await module.wait_for(Seen.BACK)
    module.board.faults = FaultPlan([Fault.BOOT_STRAP])

    facts = await refused
    assert (facts["failed"], facts["back_to"]) == ("1.2.0", "1.0.0")
    assert "boot" in facts["because"]
    assert module.running_version == "0.0.1"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_repair_whose_release_is_gone_says_so(garden: Garden, plant: Plant) -> None:
    _, entry = await plant()
    await misnamed(garden)
    await garden.refused("other_version_back")
    issue = repair(garden.hass, entry, "roll_back")
    assert issue is not None
    (old,) = garden.house.library.find("garden-valve", "1.0.0")
    assert old.image.sha256 in garden.house.in_use()  # no keep rule drops it
    await garden.house.library.async_remove(old.image.sha256)

    assert await fix(garden.hass, issue) == "no_release"
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    assert await fix(garden.hass, issue) == "not_loaded"


# Watching new firmware


def watched(**changes: Any) -> dict[str, Any]:
    return {"soak_minutes": 1, "soak_entities": ["sensor.flow"], **changes}


@pytest.mark.parametrize("at_first", ["0", "unavailable"], ids=["all the time", "after a while"])
async def test_new_firmware_whose_entity_is_there_while_it_is_watched_is_verified(
    garden: Garden, plant: Plant, at_first: str
) -> None:
    garden.hass.states.async_set("sensor.flow", at_first)
    _, entry = await plant(**watched())
    garden.house.patience = replace(garden.house.patience, minute=0.5)
    install = await garden.begin(garden.install(), "verifying")
    assert garden.valve == ["off"]
    await garden.runs("1.1.0")
    garden.hass.states.async_set("sensor.flow", "0")

    await install
    assert garden.card.attributes["last_verdict"] == "verified"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_new_firmware_that_restarts_while_it_is_watched_is_put_back(
    garden: Garden, plant: Plant
) -> None:
    module, entry = await plant(rollback="auto", soak_minutes=1)
    garden.house.patience = replace(garden.house.patience, minute=5.0)
    refused = await garden.begin(garden.refused("went_back"), "verifying")
    await garden.runs("1.1.0")
    await asyncio.sleep(0.2)
    await module.power_cycle()

    facts = await refused
    assert (facts["failed"], facts["back_to"]) == ("1.1.0", "1.0.0")
    assert garden.card.attributes["last_cause"] == "soak_restarted"
    assert module.running_version == "1.0.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_what_cannot_be_watched_any_more_is_not_begun(garden: Garden, plant: Plant) -> None:
    """Each new firmware would be put back for it, every night."""
    garden.hass.states.async_set("sensor.flow", "0")
    module, entry = await plant(**watched(rollback="auto"))
    garden.hass.states.async_remove("sensor.flow")

    facts = await garden.refused("soak_missing")

    assert facts["entity"] == "sensor.flow"
    assert module.events.count_of(Seen.FIRST_BYTE) == 0
    garden.assert_at_rest(entry, [])


async def test_what_ran_before_is_put_back_although_nothing_can_be_watched(
    garden: Garden, plant: Plant
) -> None:
    garden.hass.states.async_set("sensor.flow", "0")
    module, _ = await plant(**watched())
    garden.house.patience = replace(garden.house.patience, minute=0.2)
    await garden.install()
    await garden.runs("1.1.0")
    garden.hass.states.async_remove("sensor.flow")

    await garden.hass.services.async_call("esp_ota", "rollback", {"entity_id": CARD}, blocking=True)

    assert module.running_version == "1.0.0"


async def test_what_goes_while_an_update_waits_keeps_it_from_beginning(
    garden: Garden, plant: Plant
) -> None:
    garden.hass.states.async_set("sensor.flow", "0")
    module, entry = await plant(**watched(rollback="auto"))
    garden.house.queue.async_set(limit=0, stagger="area")
    refused = await garden.begin(garden.refused("soak_missing"), "queued")
    garden.hass.states.async_remove("sensor.flow")
    garden.house.queue.async_set(limit=1, stagger="area")

    await refused

    assert module.events.count_of(Seen.FIRST_BYTE) == 0
    garden.assert_at_rest(entry, [])


@pytest.mark.parametrize("how", ["unavailable", "removed", "never back"])
async def test_new_firmware_whose_entity_is_not_there_is_told(
    garden: Garden, plant: Plant, how: str
) -> None:
    garden.hass.states.async_set("sensor.flow", "unavailable" if how == "never back" else "0")
    _, entry = await plant(**watched())
    garden.house.patience = replace(
        garden.house.patience, minute=0.5 if how == "never back" else 5.0
    )
    refused = asyncio.create_task(garden.refused("soak_unavailable"))
    await garden.runs("1.1.0")
    await asyncio.sleep(0.3)
    if how == "unavailable":
        garden.hass.states.async_set("sensor.flow", "unavailable")
        garden.hass.states.async_set("sensor.flow", "0")
    elif how == "removed":
        garden.hass.states.async_remove("sensor.flow")

    assert (await refused)["entity"] == "sensor.flow"
    assert garden.card.attributes["last_verdict"] == "failed"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    assert repair(garden.hass, entry, "roll_back") is not None
