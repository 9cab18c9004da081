"""What is picked up after a crash: each line of the table in `docs/states.md`."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.esp_ota.const import EVENT_UPDATE_ENDED
from custom_components.esp_ota.house import restored_result, stored_result
from custom_components.esp_ota.ota import Cause, InstallResult, Verdict
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CLOSED_AND_OPENED,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
    patience,
    until,
)
from tests.kit.repairs import dialog, repair, submit
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import Seen, build_image

pytestmark = pytest.mark.slow

NEW = build_image("esp8266", version="1.1.0", size=48 * 1024)
VERIFIED = InstallResult(verdict=Verdict.VERIFIED, version="1.1.0")
MISSED = InstallResult(verdict=Verdict.FAILED, cause=Cause.NOT_COLLECTED, facts={"minutes": "10"})
OTHER = InstallResult(
    verdict=Verdict.FAILED,
    cause=Cause.OTHER_VERSION_BACK,
    facts={"version": "1.1.0", "found": "0.9.9"},
)
INTERRUPTED = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERRUPTED)
SILENT: dict[str, Any] = {"image": NEW}
"""Whatever is told of it was decided before the crash."""
TALKS: dict[str, Any] = SILENT | {"advertise": True}
NOTHING_MORE = ["off"]
"""The valve was closed before the crash, and nobody touches it again."""


async def crashed(garden: Garden, entry: MockConfigEntry, stage: str, **note: Any) -> None:
    """Leave things as a Home Assistant does that dies in this stage, with the valve closed."""
    garden.house.patience = patience(evidence=1.0)
    release = await garden.release("1.1.0")
    written: Any = {
        "stage": stage,
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": "2026-11-01T12:00:00+00:00",
    }
    await garden.house.journal.async_write(entry.entry_id, written | note)
    await garden.hass.services.async_call(
        "input_boolean", "turn_off", {"entity_id": VALVE}, blocking=True
    )


async def start(garden: Garden, entry: MockConfigEntry) -> list[dict[str, Any]]:
    """Set the module up, wait until what was open has ended, and return what was told."""
    told = async_capture_events(garden.hass, EVENT_UPDATE_ENDED)
    await garden.add(entry)
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()
    return [dict(event.data) for event in told]


@pytest.mark.parametrize("stage", ["sending", "restarting"])
async def test_an_install_that_was_interrupted_tells_nothing_of_how_long_one_takes(
    garden: Garden, start_module: StartModule, stage: str
) -> None:
    """Its window would seem long enough till the last second."""
    module = await start_module(**TALKS)
    entry = entry_for(module, options=options_for())
    await crashed(garden, entry, stage)
    [told] = await start(garden, entry)
    assert told["verdict"] == "verified"
    assert garden.house.journal.took(entry.entry_id) == []


@pytest.mark.parametrize("result", [VERIFIED, MISSED, OTHER], ids=lambda item: str(item.verdict))
def test_a_result_is_the_same_after_it_was_stored(result: InstallResult) -> None:
    assert restored_result(stored_result(result)) == result


@pytest.mark.parametrize(
    ("config", "stage", "note", "verdict", "valve"),
    [
        (TALKS, "sending", {}, ("verified", None), CLOSED_AND_OPENED),
        (SILENT, "restoring", {"result": VERIFIED}, ("verified", None), CLOSED_AND_OPENED),
        (SILENT, "done", {"result": VERIFIED}, ("verified", None), NOTHING_MORE),
        (TALKS, "done", {"result": INTERRUPTED, "looks": True}, ("verified", None), NOTHING_MORE),
        ({}, "queued", {"sha256": "0" * 64}, ("refused", "no_release"), NOTHING_MORE),
    ],
    ids=[
        "an image that had left already is found running",
        "a verdict that was decided is told after the restore was run again",
        "what is restored already is only told",
        "a look that was interrupted is a look again",
        "a queued install whose release is lost is told",
    ],
)
async def test_what_was_open_ends_without_another_sending(
    garden: Garden,
    start_module: StartModule,
    config: dict[str, Any],
    stage: str,
    note: dict[str, Any],
    verdict: tuple[str, str | None],
    valve: list[str],
) -> None:
    module = await start_module(**config)
    entry = entry_for(module, options=options_for())
    if "result" in note:
        note = note | {"result": stored_result(note["result"])}
    await crashed(garden, entry, stage, **note)

    (told,) = await start(garden, entry)
    assert (told["verdict"], told["cause"], told["version"]) == (*verdict, "1.1.0")
    installed = garden.card.attributes["installed_version"]
    assert installed == ("1.1.0" if told["verdict"] == "verified" else "unknown")
    assert_nothing_sent(module)
    assert repair(garden.hass, entry, "interrupted") is None
    garden.assert_at_rest(entry, valve)


async def test_an_image_that_had_not_left_is_installed_again_at_one_click(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    entry = entry_for(module, options=options_for())
    await crashed(garden, entry, "sending", user="somebody")

    (told,) = await start(garden, entry)
    assert (told["verdict"], told["cause"]) == ("failed", "interrupted")
    assert told["user_id"] == "somebody"
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    issue = repair(garden.hass, entry, "interrupted")
    assert issue is not None
    assert issue.is_fixable
    assert_issue_is_whole(issue)

    flow = await dialog(garden.hass, issue)
    assert await submit(flow) == "create_entry"
    assert await submit(flow) == "install_running"
    await until(lambda: module.running_version == "1.1.0")
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    assert garden.card.attributes["last_verdict"] == "verified"
    assert repair(garden.hass, entry, "interrupted") is None


async def test_a_module_that_had_not_come_for_its_image_is_waited_for_again(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = entry_for(module, options=options_for())
    await crashed(garden, entry, "restoring", result=stored_result(MISSED), again=True)

    (told,) = await start(garden, entry)
    assert told["verdict"] == "unverified"
    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, [*CLOSED_AND_OPENED, *CLOSED_AND_OPENED])


async def test_a_way_back_that_was_delivered_is_proven_and_told_as_one(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    entry = entry_for(module, options=options_for(rollback="auto"))
    old = await garden.release("1.0.0")
    note = {"undoes": stored_result(OTHER), "back_to": old.image.sha256, "before": "0.9.9"}
    await crashed(garden, entry, "restarting", **note)

    (told,) = await start(garden, entry)
    assert (told["verdict"], told["cause"]) == ("rolled_back", "other_version_back")
    assert garden.card.attributes["installed_version"] == "1.0.0"
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_wanted_way_back_that_waited_is_run(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, image=NEW)
    entry = entry_for(module, options=options_for())
    new = build_image("esp8266", version="1.1.0", size=48 * 1024)
    assert new == NEW
    old = await garden.release("1.0.0")
    await crashed(garden, entry, "queued", sha256=old.image.sha256, version="1.0.0", before="1.1.0")
    note = garden.house.journal.open_install(entry.entry_id)
    assert note is not None
    (running,) = garden.house.library.find("garden-valve", "1.1.0")
    note["replaces"] = running.image.sha256

    (told,) = await start(garden, entry)
    assert (told["verdict"], told["cause"]) == ("rolled_back", None)
    assert module.running_version == "1.0.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_module_that_runs_another_version_after_the_crash_is_gone_back_from(
    garden: Garden, start_module: StartModule
) -> None:
    strange = build_image("esp8266", version="0.9.9", size=48 * 1024)
    module = await start_module(advertise=True, image=strange, offline_time=60)
    entry = entry_for(module, options=options_for(rollback="auto"))
    await garden.release("0.9.9")
    old = await garden.release("1.0.0")
    await garden.house.journal.async_proved(entry.entry_id, old.image.sha256)
    await crashed(garden, entry, "verifying")

    (told,) = await start(garden, entry)
    assert (told["verdict"], told["cause"]) == ("rolled_back", "other_version_back")
    assert module.running_version == "1.0.0"
    assert module.events.count_of(Seen.FIRST_BYTE) == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_restore_that_outlives_a_reload_is_not_run_beside_itself(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    options = options_for()
    options["safe_state"]["restore"].insert(0, {"delay": {"milliseconds": 500}})
    entry = await garden.add(entry_for(module, options=options))
    install = await garden.begin(garden.install(), "restoring")

    # As if Home Assistant had lost patience with the restore (it waits ten seconds).
    for task in list(entry._background_tasks):
        task.remove_done_callback(entry._background_tasks.remove)
        entry._background_tasks.remove(task)
    assert await garden.hass.config_entries.async_reload(entry.entry_id)
    await install
    await until(lambda: not entry.runtime_data.installer.is_running)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_restore_that_fails_does_not_hide_what_the_module_runs(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, image=NEW)
    entry = entry_for(module, options=options_for({"restore": [{"action": "test.nothing"}]}))
    await crashed(garden, entry, "sending")

    (told,) = await start(garden, entry)
    assert (told["verdict"], told["restore_error"]) == ("verified", "restore_failed")
    assert repair(garden.hass, entry, "restore_failed") is not None
    garden.assert_at_rest(entry, ["off"])


async def test_conditions_that_cannot_be_used_any_more_do_not_hide_what_the_module_runs(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, image=NEW)
    gone = {"condition": "device", "device_id": "gone", "domain": "switch", "type": "is_off"}
    entry = entry_for(module, options=options_for({"conditions": [gone]}))
    await crashed(garden, entry, "restarting")

    (told,) = await start(garden, entry)
    assert (told["verdict"], told["restore_error"]) == ("verified", None)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
