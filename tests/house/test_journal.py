"""The journal: what is on disk at each moment, and what is made of it after a crash."""

from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from tests.kit.crashed import AFTER_DELIVERY, BEFORE_DELIVERY, KEY, crashed, start
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CLOSED_AND_OPENED,
    TALKING,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
    patience,
    until,
)
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import Event as ModuleEvent, Fault, Seen, build_image


@pytest.mark.slow
async def test_each_stage_is_on_disk_before_it_takes_effect(
    garden: Garden, start_module: StartModule, hass_storage: dict[str, Any]
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for()))
    seen: list[tuple[str, str]] = []

    def stored() -> dict[str, Any]:
        note: dict[str, Any] = hass_storage[KEY]["data"]["open"][entry.entry_id]
        return note

    def note_module(event: ModuleEvent) -> None:
        if event.name in {Seen.INVITED, Seen.FIRST_BYTE, Seen.COMPLETE, Seen.RESTARTED}:
            seen.append((event.name, stored()["stage"]))

    @callback
    def note_valve(event: Event[EventStateChangedData]) -> None:
        assert event.data["new_state"] is not None
        seen.append((event.data["new_state"].state, stored()["stage"]))

    module.events.listeners.append(note_module)
    async_track_state_change_event(garden.hass, [VALVE], note_valve)

    await garden.install()

    assert seen == [
        ("off", "making_safe"),
        ("invited", "sending"),
        ("first_byte", "sending"),
        ("complete", "sending"),
        ("restarted", "restarting"),
        ("on", "restoring"),
    ]
    assert hass_storage[KEY]["data"]["open"] == {}


async def test_an_install_that_did_not_begin_leaves_nothing_in_the_journal(
    garden: Garden, start_module: StartModule, hass_storage: dict[str, Any]
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    await garden.add(entry_for(module, port=1, options=options_for()))

    await garden.refused("port_closed")

    assert KEY not in hass_storage


@pytest.mark.slow
@pytest.mark.parametrize("stage", BEFORE_DELIVERY)
async def test_equipment_is_restored_and_the_person_told_when_nothing_was_delivered(
    garden: Garden,
    start_module: StartModule,
    issue_registry: ir.IssueRegistry,
    stage: str,
) -> None:
    module = await start_module()
    entry = entry_for(module, options=options_for())
    await crashed(garden, entry, stage)

    await start(garden, entry)

    assert_nothing_sent(module)
    assert garden.card.attributes["last_cause"] == "interrupted"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    issue = issue_registry.async_get_issue(DOMAIN, f"interrupted_{entry.entry_id}")
    assert issue is not None
    assert issue.is_persistent
    assert_issue_is_whole(issue)
    assert len(issue_registry.issues) == 1

    await garden.install()
    assert not issue_registry.issues


@pytest.mark.slow
@pytest.mark.parametrize("stage", AFTER_DELIVERY)
async def test_an_install_that_was_delivered_is_carried_on_to_its_proof(
    garden: Garden,
    start_module: StartModule,
    issue_registry: ir.IssueRegistry,
    stage: str,
) -> None:
    module = await start_module(
        advertise=True, image=build_image("esp8266", version="1.1.0", size=48 * 1024)
    )
    garden.house.patience = TALKING
    entry = entry_for(module, options=options_for())
    await crashed(garden, entry, stage)

    await start(garden, entry)

    assert_nothing_sent(module)
    assert garden.card.attributes["last_verdict"] == "verified"
    assert garden.card.attributes["installed_version"] == "1.1.0"
    assert not issue_registry.issues
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.slow
async def test_a_module_that_comes_back_late_after_the_crash_is_waited_for(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SLOW_RESTART], slow_restart_time=25)
    await module.power_cycle()
    entry = entry_for(module, options=options_for())
    await crashed(garden, entry, "restarting")

    await garden.add(entry)
    await until(lambda: garden.card.attributes["stage"] == "restarting")
    assert garden.valve == ["off"]

    await module.wait_for(Seen.BACK)
    await until(lambda: garden.card.attributes["last_verdict"] == "unverified")
    assert garden.valve == CLOSED_AND_OPENED
    assert_nothing_sent(module)


@pytest.mark.slow
async def test_a_module_that_is_back_with_the_old_image_after_the_crash_is_told(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    module = await start_module(advertise=True)
    garden.house.patience = patience(evidence=0.5)
    entry = entry_for(module, options=options_for())
    await crashed(garden, entry, "restarting")

    await start(garden, entry)

    assert_nothing_sent(module)
    assert garden.card.attributes["last_verdict"] == "unchanged"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    issue = issue_registry.async_get_issue(DOMAIN, f"update_failed_{entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)


@pytest.mark.slow
async def test_a_module_that_stays_away_after_the_crash_is_told_and_stays_safe(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    module = await start_module()
    garden.house.patience = patience(back=0.2)
    entry = entry_for(module, port=1, options=options_for({"when_missing": "stay_safe"}))
    await crashed(garden, entry, "restarting")

    await start(garden, entry)

    assert garden.card.attributes["last_cause"] == "did_not_come_back"
    garden.assert_at_rest(entry, ["off"])
    assert issue_registry.async_get_issue(DOMAIN, f"stayed_safe_{entry.entry_id}")
    for issue in issue_registry.issues.values():
        assert_issue_is_whole(issue)


async def test_a_restore_that_was_interrupted_is_run_again_and_nothing_else_claimed(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    module = await start_module()
    entry = entry_for(module, options=options_for())
    await crashed(garden, entry, "restoring")

    await start(garden, entry)

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    for issue in issue_registry.issues.values():
        assert_issue_is_whole(issue)


@pytest.mark.parametrize("stage", ["making_safe", "restarting"])
async def test_a_restore_that_fails_after_the_crash_is_a_repair(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry, stage: str
) -> None:
    module = await start_module()
    entry = entry_for(module, options=options_for({"restore": [{"action": "test.nothing"}]}))
    await crashed(garden, entry, stage)

    await start(garden, entry)

    garden.assert_at_rest(entry, ["off"])
    issue = issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)
    # Nobody may read at the same time that it was restored.
    assert len(issue_registry.issues) == 1


async def test_a_delivered_image_that_was_removed_from_the_library_does_not_keep_it_shut(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    module = await start_module()
    entry = entry_for(module, options=options_for())
    note = await crashed(garden, entry, "restarting")
    await garden.house.library.async_remove(note["sha256"])

    await start(garden, entry)

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    issue = issue_registry.async_get_issue(DOMAIN, f"interrupted_{entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)


@pytest.mark.slow
async def test_a_delivered_image_that_was_lost_on_disk_is_not_needed_any_more(
    garden: Garden,
    start_module: StartModule,
    issue_registry: ir.IssueRegistry,
    config_dir: Any,
) -> None:
    module = await start_module()
    entry = entry_for(module, options=options_for())
    note = await crashed(garden, entry, "restarting")
    path = config_dir / "esp_ota" / "images" / f"{note['sha256']}.bin"
    await garden.hass.async_add_executor_job(path.unlink)

    await start(garden, entry)

    assert garden.card.attributes["last_verdict"] == "unverified"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    assert not issue_registry.issues


async def test_a_safe_state_that_was_taken_away_since_cannot_be_restored_and_that_is_told(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    module = await start_module()
    entry = entry_for(module, options={"firmware": "garden-valve", "equipment": "switches"})
    await crashed(garden, entry, "sending")

    await start(garden, entry)

    garden.assert_at_rest(entry, ["off"])
    assert issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")
    # That repair would say that the equipment was restored.
    assert not issue_registry.async_get_issue(DOMAIN, f"interrupted_{entry.entry_id}")


async def test_nothing_is_installed_while_the_old_install_is_being_picked_up(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = entry_for(module, port=1, options=options_for())
    await crashed(garden, entry, "restarting")
    await garden.add(entry)
    await until(lambda: garden.card.attributes["stage"] == "restarting")

    with pytest.raises(HomeAssistantError) as caught:
        await entry.runtime_data.installer.async_install("1.1.0", None)

    assert caught.value.translation_key == "install_running"

    assert_nothing_sent(module)
    assert garden.valve == ["off"]


async def test_an_entry_that_is_unloaded_while_an_install_is_picked_up_stays_safe_and_goes_on(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = entry_for(module, port=1, options=options_for())
    await crashed(garden, entry, "restarting")
    await garden.add(entry)
    await until(lambda: garden.card.attributes["stage"] == "restarting")

    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    assert garden.valve == ["off"]
    note = garden.house.journal.open_install(entry.entry_id)
    assert note is not None
    assert note["stage"] == "restarting"

    data = {**entry.data, "port": module.port}
    garden.hass.config_entries.async_update_entry(entry, data=data)
    assert await garden.hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    assert garden.valve == CLOSED_AND_OPENED
