"""Installs of modules that ask: after a crash, cancelled, and what the journal knows of them."""

from copy import deepcopy

import pytest

from custom_components.esp_ota.const import DOMAIN, EVENT_UPDATE_ENDED
from custom_components.esp_ota.house import InstallNote
from homeassistant.core import callback
from tests.kit.asking import OLD, PATH, SECRET, Asker, ask, headers, md5, poller
from tests.kit.garden import CARD, Garden, until


@pytest.mark.slow
async def test_a_module_that_asks_with_the_old_image_after_a_crash_was_interrupted(
    garden: Garden, asker: Asker
) -> None:
    entry = poller()
    release = await garden.release("1.1.0", "esp32")
    said = {
        name.replace("ESP8266", "ESP32"): value.replace("ESP8266", "ESP32")
        for name, value in headers().items()
    }
    note: InstallNote = {
        "stage": "sending",
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": None,
        "against": {"version": "1.0.0", "sketch_md5": md5(OLD)},
        "started": "2026-11-01T12:00:00+00:00",
    }
    await garden.house.journal.async_write(entry.entry_id, note)
    await garden.add(entry)

    await until(lambda: note["stage"] == "done")
    await ask(asker, said=said)

    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    assert garden.card.attributes["last_cause"] == "interrupted"


async def test_the_journal_knows_the_sum_of_what_ran_before(garden: Garden, asker: Asker) -> None:
    entry = await garden.add(poller())
    await garden.release("1.1.0")
    await ask(asker)

    installing = await garden.begin(garden.refused("cancelled"), "queued")

    note = garden.house.journal.open_install(entry.entry_id)
    assert note is not None
    assert note["against"]["sketch_md5"] == md5(OLD)
    await garden.hass.services.async_call(DOMAIN, "cancel", {"entity_id": CARD}, blocking=True)
    await installing


async def test_a_cancel_that_comes_when_the_module_has_it_all_is_late(
    garden: Garden, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.esp_ota.web.pull_view._LOOK", 5.0)
    release = await garden.release("1.1.0")
    await garden.add(poller())
    await ask(asker)
    installing = await garden.begin(garden.refused("cancelled_late"), "queued")
    async with asker.get(f"{PATH}/{SECRET}", headers=headers()) as reply:
        assert len(await reply.content.readexactly(release.image.size)) == release.image.size

        await garden.hass.services.async_call(DOMAIN, "cancel", {"entity_id": CARD}, blocking=True)

        await installing


async def test_a_queued_install_is_over_in_the_journal_before_it_is_told_as_cancelled(
    garden: Garden, asker: Asker
) -> None:
    entry = await garden.add(poller())
    await garden.release("1.1.0")
    await ask(asker)
    known: list[InstallNote | None] = []
    journal = garden.house.journal
    garden.hass.bus.async_listen(
        EVENT_UPDATE_ENDED,
        callback(lambda _event: known.append(deepcopy(journal.open_install(entry.entry_id)))),
    )
    installing = await garden.begin(garden.refused("cancelled"), "queued")

    await garden.hass.services.async_call(DOMAIN, "cancel", {"entity_id": CARD}, blocking=True)

    await installing
    assert [note and (note["stage"], note["result"]["cause"]) for note in known] == [
        ("done", "cancelled")
    ]
