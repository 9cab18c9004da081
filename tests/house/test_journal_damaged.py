"""A journal that somebody else has written, or that was cut short: no install is forgotten."""

from pathlib import Path
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house.install_note import readable_note, stored_result
from custom_components.esp_ota.house.journal import Journal
from custom_components.esp_ota.ota import InstallResult, InstallStage, Verdict
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.kit.crashed import start
from tests.kit.disk import StoredFile
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CLOSED_AND_OPENED,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
    until,
)
from tests.kit.sentences import assert_issue_is_whole

NOTE = {
    "stage": "restarting",
    "sha256": "0" * 64,
    "version": "1.1.0",
    "before": None,
    "started": "2026-11-01T12:00:00+00:00",
}
RUNS = stored_result(InstallResult(verdict=Verdict.VERIFIED))
SOUND = {
    "writes": 7,
    "open": {"a": NOTE},
    "ended": {"b": {"rollout": "r", "sha256": "ab", "result": RUNS, "sentence": "It runs."}},
    "known": {"a": {"version": "1.0.0", "firmware": "garden-valve", "assumed": False}},
    "learnt": {"a": {"slots": [], "signature_required": None}},
    "failed_offers": {"a": {"sha256": "1" * 64, "tries": 1, "cause": "old_firmware_back"}},
    "good": {"a": ["1" * 64]},
    "skipped": {"a": {"sketch": ["1.1.0"]}},
    "took": {"a": [12.5, 14.0]},
}


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Take the place of the fixture that keeps what is stored in memory: this is about the disk."""
    return {}


@pytest.fixture
def file(config_dir: Path) -> StoredFile:
    return StoredFile(config_dir, "journal")


async def read(hass: HomeAssistant, file: StoredFile, text: str) -> Journal:
    file.write(text)
    journal = Journal(hass)
    await journal.async_load()
    return journal


def is_told(hass: HomeAssistant, key: str = "journal_set_aside") -> bool:
    issue = ir.async_get(hass).async_get_issue(DOMAIN, key)
    if issue is not None:
        assert_issue_is_whole(issue)
    return issue is not None


async def test_a_journal_that_is_sound_is_read_whole(hass: HomeAssistant, file: StoredFile) -> None:
    journal = await read(hass, file, file.text(SOUND))
    assert journal.open_install("a") == NOTE
    assert journal._stored() == {key: item for key, item in SOUND.items() if key != "writes"}
    assert not is_told(hass)
    assert file.aside == []


@pytest.mark.parametrize(
    "key", ["ended", "known", "learnt", "failed_offers", "good", "skipped", "took"]
)
@pytest.mark.parametrize("odd", [None, 7, "x", [], {"a": None}, {"a": 7}, {"a": {"version": 1}}])
async def test_what_makes_no_sense_takes_nothing_else_along(
    hass: HomeAssistant, file: StoredFile, key: str, odd: Any
) -> None:
    text = file.text(SOUND | {key: odd})
    journal = await read(hass, file, text)
    assert journal.open_install("a") == NOTE
    assert (journal.end_for("r", "b") is None) is (key == "ended")
    (
        journal.good("a"),
        journal.known("a"),
        journal.learnt("a"),
        journal.failure("a"),
        journal.took("a"),
    )
    assert is_told(hass) is (not (key == "learnt" and odd == {"a": {"version": 1}}))
    if is_told(hass):
        assert file.aside == [text]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        {},
        {"stage": "rebooting"},
        {"stage": 3},
        NOTE | {"sha256": None},
        NOTE | {"started": "yesterday"},
        NOTE | {"result": {"verdict": "excellent"}},
        NOTE | {"undoes": {"verdict": "failed", "cause": "new_cause"}},
        NOTE | {"undoes": {"verdict": "failed"}},
        NOTE | {"against": {"version": 1}},
        NOTE | {"tried": "everything"},
    ],
)
async def test_an_open_install_stays_open_whatever_of_it_can_be_read(
    hass: HomeAssistant, file: StoredFile, odd: Any
) -> None:
    journal = await read(hass, file, file.text(SOUND | {"open": {"a": odd, "b": NOTE}}))
    note = journal.open_install("a")
    assert note is not None
    assert InstallStage(note["stage"]) in {InstallStage.SENDING, InstallStage.RESTARTING}
    assert readable_note(note) == note
    assert journal.open_install("b") == NOTE
    assert is_told(hass)


async def test_what_a_newer_version_has_added_to_a_note_is_left_as_it_is(
    hass: HomeAssistant, file: StoredFile
) -> None:
    note = NOTE | {"window": {"until": 7}}
    journal = await read(hass, file, file.text(SOUND | {"open": {"a": note}}, version=2))
    assert journal.open_install("a") == note
    assert is_told(hass, "journal_newer_set_aside") or is_told(hass, "journal_newer")


async def test_a_journal_that_was_cut_short_anywhere_forgets_no_open_install(
    hass: HomeAssistant, file: StoredFile
) -> None:
    whole = file.text(SOUND)
    begins = whole.index('"a": {') + len('"a": {')
    for end in range(begins, len(whole), 7):
        journal = await read(hass, file, whole[:end])
        assert journal.open_install("a") is not None, whole[:end]
        if end > whole.index('"known"'):
            assert journal.open_install("a") == NOTE
    assert is_told(hass)


@pytest.mark.slow
@pytest.mark.parametrize("cut", ["stage", "sha256", "started"])
async def test_the_equipment_of_an_install_that_was_cut_short_is_restored(
    garden: Garden, start_module: StartModule, file: StoredFile, cut: str
) -> None:
    module = await start_module()
    entry = entry_for(module, options=options_for())
    whole = file.text({"writes": 1, "open": {entry.entry_id: NOTE | {"stage": "making_safe"}}})
    file.write(whole[: whole.index(f'"{cut}"')])
    await garden.house.journal.async_load()
    call = garden.hass.services.async_call
    await call("input_boolean", "turn_off", {"entity_id": VALVE}, blocking=True)

    await start(garden, entry)

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    await until(lambda: file.data["open"] == {})


@pytest.mark.slow
async def test_a_module_is_set_up_whatever_was_learnt_of_it(
    garden: Garden, start_module: StartModule, file: StoredFile
) -> None:
    entry = entry_for(await start_module(), options=options_for())
    learnt = {"slots": 7, "filesystem_area": "large", "signature_required": 1}
    file.write(file.text({"learnt": {entry.entry_id: learnt}, "known": {entry.entry_id: []}}))
    await garden.house.journal.async_load()
    await garden.add(entry)
    assert garden.card.state in {"off", "unknown"}
