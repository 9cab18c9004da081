"""What cannot be written down is not begun; what has begun is carried to its end, and told."""

import asyncio
import gc
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house.journal import Journal, JournalError
from custom_components.esp_ota.installs import async_rehearse
from custom_components.esp_ota.ota import Cause, InstallResult, Verdict
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from tests.kit.disk import StoredFile
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CLOSED_AND_OPENED,
    UNTOUCHED,
    Garden,
    assert_nothing_sent,
    options_for,
    until,
)
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import Event, Seen

NOTE: Any = {
    "stage": "queued",
    "sha256": "0" * 64,
    "version": "1.1.0",
    "before": None,
    "started": "2026-11-01T12:00:00+00:00",
}


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Take the place of the fixture that keeps what is stored in memory: this is about the disk."""
    return {}


@pytest.fixture
def place(config_dir: Path) -> StoredFile:
    return StoredFile(config_dir, "journal")


def repair(hass: HomeAssistant) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, "journal_unwritten")


async def test_a_write_that_fails_reaches_who_waits_for_it(
    garden: Garden, place: StoredFile, caplog: pytest.LogCaptureFixture
) -> None:
    journal = garden.house.journal
    await journal.async_write("entry", NOTE)
    assert repair(garden.hass) is None
    place.fail()

    with pytest.raises(JournalError) as caught:
        await journal.async_write("entry", NOTE)

    assert caught.value.cause is Cause.NOT_NOTED
    assert caught.value.facts == {"path": str(place.path)}
    issue = repair(garden.hass)
    assert issue is not None
    assert_issue_is_whole(issue)

    place.mend()
    await journal.async_write("entry", NOTE)
    assert repair(garden.hass) is None


async def test_a_disk_that_takes_nothing_more_but_gives_what_it_had_is_seen(
    garden: Garden, place: StoredFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    await garden.house.journal.async_write("entry", NOTE)
    full = OSError(28, "No space left on device")

    def fail(*_args: Any, **_more: Any) -> None:
        raise full

    with monkeypatch.context() as patched:
        patched.setattr("homeassistant.util.file.AtomicWriter", fail)
        with pytest.raises(JournalError):
            await garden.house.journal.async_write("entry", NOTE | {"stage": "sending"})
    await garden.house.journal.async_close("entry", InstallResult(verdict=Verdict.VERIFIED))

    again = Journal(garden.hass)
    await again.async_load()
    assert again.open_install("entry") is None


async def test_many_writes_at_once_are_all_on_disk(garden: Garden, place: StoredFile) -> None:
    journal = garden.house.journal
    await asyncio.gather(*(journal.async_write(f"entry {n}", NOTE) for n in range(20)))

    again = Journal(garden.hass)
    await again.async_load()
    assert all(again.open_install(f"entry {n}") == NOTE for n in range(20))


async def test_a_journal_of_release_0_1_0_is_read(garden: Garden, place: StoredFile) -> None:
    kept = {
        "open": {"entry": NOTE},
        "known": {},
        "learnt": {},
        "failed_offers": {"entry": {"sha256": "0" * 64, "tries": 2}},
        "good": {},
    }
    stored = {"version": 1, "minor_version": 1, "key": f"{DOMAIN}.journal", "data": kept}
    place.path.parent.mkdir(exist_ok=True)
    place.path.write_text(json.dumps(stored))
    journal = Journal(garden.hass)
    await journal.async_load()
    assert journal.open_install("entry") == NOTE
    assert journal.failure("entry") == {"sha256": "0" * 64, "tries": 2}
    await journal.async_write("entry", NOTE)


@pytest.mark.slow
async def test_an_install_that_cannot_be_written_down_does_not_begin(
    garden: Garden, start_module: StartModule, place: StoredFile
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for()))
    place.fail()

    facts = await garden.refused("not_noted")

    assert facts["path"] == str(place.path)
    assert garden.card.attributes["last_verdict"] == "refused"
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)
    assert repair(garden.hass) is not None

    place.mend()
    await garden.install()
    assert module.running_version == "1.1.0"
    assert repair(garden.hass) is None


@pytest.mark.slow
@pytest.mark.parametrize(("at", "valve"), [("queued", UNTOUCHED), ("off", CLOSED_AND_OPENED)])
async def test_nothing_is_sent_when_the_disk_fills_before_it(
    garden: Garden, start_module: StartModule, place: StoredFile, at: str, valve: list[str]
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for()))

    def looks() -> bool:
        return garden.card.attributes["stage"] == at or at in garden.valve

    if at == "queued":
        garden.house.queue.async_set(limit=0, stagger="area")
    else:
        entry_options = options_for({"stable": 1})
        garden.hass.config_entries.async_update_entry(entry, options=entry_options)
    refused = asyncio.create_task(garden.refused("not_noted"))
    await until(looks)
    place.fail()
    garden.house.queue.async_set(limit=1, stagger="area")
    await refused

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, valve)
    place.mend()
    await garden.house.journal.async_forget("entry")


@pytest.mark.slow
async def test_an_install_that_has_begun_ends_although_the_disk_is_full_by_now(
    garden: Garden, start_module: StartModule, place: StoredFile
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for()))

    def fill(event: Event) -> None:
        if event.name == Seen.FIRST_BYTE:
            place.fail()

    module.events.listeners.append(fill)
    await garden.install()

    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    assert repair(garden.hass) is not None
    place.mend()
    await garden.house.journal.async_forget("entry")
    assert repair(garden.hass) is None


async def test_a_try_of_a_safe_state_that_cannot_be_written_down_touches_nothing(
    garden: Garden, start_module: StartModule, place: StoredFile
) -> None:
    entry = await garden.add(entry_for(await start_module(), options=options_for()))
    place.fail()

    rehearsal = async_rehearse(garden.hass, entry, entry.options)
    assert rehearsal.task is not None
    await rehearsal.task

    assert [err.cause for err in rehearsal.errors.values()] == [Cause.NOT_NOTED]
    assert garden.valve == UNTOUCHED
    place.mend()
    await garden.house.journal.async_forget("entry")


@pytest.mark.slow
async def test_an_install_that_is_put_aside_on_a_full_disk_goes_on_all_the_same(
    garden: Garden, start_module: StartModule, place: StoredFile, caplog: pytest.LogCaptureFixture
) -> None:
    module = await start_module(offline_time=30)
    entry = await garden.add_valve(module)
    pressed = asyncio.create_task(garden.install())
    await module.wait_for(Seen.RESTARTED)
    await garden.at("restarting")
    place.fail()

    assert await garden.hass.config_entries.async_reload(entry.entry_id)
    with pytest.raises(HomeAssistantError):
        await pressed
    place.mend()

    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()
    gc.collect()
    assert "not on disk while put aside" in caplog.text
    assert "never retrieved" not in caplog.text
    assert module.running_version == "1.1.0"
