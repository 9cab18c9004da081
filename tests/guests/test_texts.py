"""What other integrations say is text: one line, of bounded length, and no Markdown."""

import logging
from typing import Any

import pytest

from custom_components.esp_ota.const import EVENT_UPDATE_ENDED
from custom_components.esp_ota.guests import Guest
from homeassistant.components import persistent_notification
from homeassistant.core import Event, callback
from homeassistant.helpers import issue_registry as ir
from tests.kit.garden import patience
from tests.kit.guests import SHORT, guests_of, key_of, move_in, update_guests
from tests.kit.rolling import ended, start
from tests.kit.yard import Yard

EVIL = "1.1.0\n# [x](http://evil.example)\x1b[31m " + "9" * 9000
HALL = "hall\n**bold** [x](http://evil.example)"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what we wrote to the log."""
    return [
        item.getMessage() for item in caplog.records if item.name == "custom_components.esp_ota"
    ]


async def evil(yard: Yard, **manner: Any) -> str:
    """Have a guest that speaks oddly; return its entity."""
    await yard.open()
    yard.garden.house.patience = patience(evidence=0.1, breath=0.1, guest=SHORT)
    await move_in(yard.hass, {"name": HALL, "latest": EVIL, "blocks": True, **manner})
    (entity_id,) = (i for i in yard.hass.states.async_entity_ids("update") if "bold" in i)
    return entity_id


@pytest.mark.slow
async def test_its_words_are_told_as_one_short_line_each(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.esp_ota")
    told: list[dict[str, Any]] = []

    @callback
    def heard(event: Event) -> None:
        told.append(dict(event.data))

    yard.hass.bus.async_listen(EVENT_UPDATE_ENDED, heard)
    entity_id = await evil(yard, raises=f"no\nroute [x](http://a) {'y' * 9000}")
    answer = await yard.hass.services.async_call(
        "esp_ota",
        "update_guests",
        {"entity_id": entity_id, "guest_equipment": "nothing"},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    guests: Any = answer["guests"]
    [line] = guests
    assert line["verdict"] == "failed"
    [event] = told
    texts = [*line.values(), *event.values(), *lines(caplog)]
    odd = [item for item in texts if isinstance(item, str) and not item.isprintable()]
    assert odd == []
    assert max(len(item) for item in texts if isinstance(item, str)) < 2500
    [issue] = [item for (_, key), item in ir.async_get(yard.hass).issues.items() if "guest" in key]
    assert issue.translation_placeholders is not None
    assert "\\[x\\](http\\://a)" in issue.translation_placeholders["sentence"]
    assert not [text for text in issue.translation_placeholders.values() if "[x](" in text]


@pytest.mark.parametrize("said", ["unknown", "unavailable", "None", "", " ", "\n"])
async def test_words_that_stand_for_nothing_are_no_versions(yard: Yard, said: str) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall", "latest": said})
    guest = Guest(yard.hass, key_of(yard.hass, "hall"))
    assert guest.state().latest is None
    line = (await update_guests(yard.garden, "hall"))["hall"]
    assert line["reason"] == "guest_no_version"
    assert not guests_of(yard.hass).is_running(guest.entry_id)


@pytest.mark.parametrize("said", [float("nan"), float("inf"), -1.0, "7", True])
async def test_a_percentage_that_is_none_is_no_progress(yard: Yard, said: object) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    guest = Guest(yard.hass, key_of(yard.hass, "hall"))
    state = yard.hass.states.get(guest.entity_id)
    assert state is not None
    changed = {**state.attributes, "update_percentage": said}
    yard.hass.states.async_set(guest.entity_id, "on", changed)
    assert guest.state().percent is None


@pytest.mark.slow
async def test_who_is_left_out_of_a_rollout_is_told_without_markdown(yard: Yard) -> None:
    entity_id = await evil(yard, installed=EVIL)
    await yard.add("valve")
    await start(yard, guests=[entity_id], guest_equipment="nothing")
    report = await ended(yard)
    [left] = report["left_out"]
    assert "\\" not in left["sentence"]
    assert left["sentence"].isprintable()
    shown = persistent_notification._async_get_or_create_notifications(yard.hass)
    [message] = [item["message"] for key, item in shown.items() if "rollout" in key]
    assert "evil" in message
    assert "[x](" not in message
    assert "**" not in message
    assert len(message.splitlines()) == 4
