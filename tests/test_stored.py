"""What is on disk is read as far as it can be; nothing in it keeps the integration down."""

from dataclasses import dataclass
from datetime import timedelta
import json
from pathlib import Path
import random
from typing import Any, NotRequired, TypedDict
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.stored import (
    Items,
    KeptStore,
    _number_in,
    cut_short,
    fits,
    is_sound,
    storable,
)
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.dt import utcnow
from tests.kit.disk import StoredFile
from tests.kit.sentences import assert_issue_is_whole

CONTENT = {"open": {"a": {"stage": "sending", "n": 1}}, "texts": ['ö \\"x\\" }', ""], "last": 7}


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Take the place of the fixture that keeps what is stored in memory: this is about the disk."""
    return {}


@pytest.fixture
def file(config_dir: Path) -> StoredFile:
    return StoredFile(config_dir, "journal")


def store(hass: HomeAssistant, content: dict[str, Any] | None = None) -> KeptStore:
    return KeptStore(hass, "journal", lambda: CONTENT if content is None else content)


def told(hass: HomeAssistant, key: str = "journal_set_aside") -> ir.IssueEntry | None:
    issue = ir.async_get(hass).async_get_issue(DOMAIN, key)
    if issue is not None:
        assert_issue_is_whole(issue)
    return issue


async def test_what_was_written_is_read(hass: HomeAssistant, file: StoredFile) -> None:
    assert await store(hass).async_load() is None
    assert await store(hass).async_save()
    assert await store(hass).async_load() == CONTENT | {"writes": 1}
    assert told(hass) is None


async def test_a_file_of_a_newer_version_is_used_and_kept_as_it_was(
    hass: HomeAssistant, file: StoredFile
) -> None:
    newer = file.text(CONTENT, version=2)
    file.write(newer)
    kept = store(hass, {"other": 1})
    assert await kept.async_load() == CONTENT
    assert told(hass) is None
    assert told(hass, "journal_newer_set_aside") is not None
    assert await kept.async_save()
    assert file.data["other"] == 1
    assert file.aside == [newer]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "7",
        '"text"',
        "{}",
        '{"version": 1}',
        '{"version": "1", "data": {}}',
        '{"version": 1, "data": []}',
        '{"version": 1, "data": null}',
        "\x00" * 100,
        "[" * 100_000,
    ],
    ids=range(12),
)
async def test_whatever_is_there_is_told_kept_and_no_reason_not_to_start(
    hass: HomeAssistant, file: StoredFile, text: str
) -> None:
    file.write(text)
    kept = store(hass)
    assert not await kept.async_load()
    assert told(hass) is not None
    assert file.aside == [text]
    assert await kept.async_save()
    assert await store(hass).async_load() == CONTENT | {"writes": 1}


async def test_the_same_file_is_set_aside_once(hass: HomeAssistant, file: StoredFile) -> None:
    file.write("[]")
    for _ in range(3):
        await store(hass).async_load()
    assert file.aside == ["[]"]


async def test_a_file_that_cannot_even_be_opened_is_told(
    hass: HomeAssistant, file: StoredFile
) -> None:
    file.fail()
    assert await store(hass).async_load() is None
    assert told(hass) is not None


@pytest.mark.parametrize("name", ["journal", "library", "sources"])
async def test_a_write_that_fails_is_told_until_one_succeeds(
    hass: HomeAssistant, config_dir: Path, name: str
) -> None:
    file = StoredFile(config_dir, name)
    kept = KeptStore(hass, name, lambda: {"a": 1})
    file.fail()
    assert not await kept.async_save()
    assert told(hass, f"{name}_unwritten") is not None
    file.mend()
    assert await kept.async_save()
    assert told(hass, f"{name}_unwritten") is None


async def test_a_write_that_failed_is_tried_again_until_there_is_room(
    hass: HomeAssistant, file: StoredFile
) -> None:
    kept = store(hass)
    file.fail()
    assert not await kept.async_save()
    for minutes in (2, 4, 6):
        async_fire_time_changed(hass, utcnow() + timedelta(minutes=minutes))
        await hass.async_block_till_done(wait_background_tasks=True)
        assert told(hass, "journal_unwritten") is not None
    file.mend()
    async_fire_time_changed(hass, utcnow() + timedelta(minutes=8))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert told(hass, "journal_unwritten") is None
    assert file.data["last"] == CONTENT["last"]


async def test_what_could_not_be_written_is_written_at_the_stop(
    hass: HomeAssistant, file: StoredFile
) -> None:
    kept = store(hass)
    file.fail()
    assert not await kept.async_save()
    file.mend()
    await hass.async_stop(force=True)
    assert file.data["last"] == CONTENT["last"]


async def test_a_text_that_is_none_keeps_nothing_else_from_being_written(
    hass: HomeAssistant, file: StoredFile
) -> None:
    kept = store(hass, {"notes": "a \ud83d b", "\udcff": ["\udcff", {"deep": ("\ud800",)}], "n": 1})
    assert await kept.async_save()
    assert file.data == {"writes": 1, "notes": "a ? b", "?": ["?", {"deep": ["?"]}], "n": 1}


@pytest.mark.parametrize("text", ["", "abc", "öäü 🙂", "\x00\n"])
def test_a_text_that_is_one_stays_as_it_is(text: str) -> None:
    assert storable(text) == text


def test_of_a_text_that_was_cut_anywhere_the_beginning_is_read() -> None:
    text = json.dumps({"version": 1, "data": CONTENT}, ensure_ascii=False)
    before: Any = None
    for end in range(1, len(text) + 1):
        found = cut_short(text[:end])
        assert isinstance(found, dict), text[:end]
        assert set(found) <= {"version", "data"}
        data = found.get("data", {})
        assert set(data) <= set(CONTENT)
        if "open" in data and "n" in data["open"].get("a", {}):
            assert data["open"] == CONTENT["open"]
        assert len(json.dumps(found)) >= len(json.dumps(before or {})) - 40
        before = found
    assert before == {"version": 1, "data": CONTENT}


def test_no_bytes_at_all_break_the_reading() -> None:
    rng = random.Random(12)
    for _ in range(3000):
        cut_short("".join(rng.choices('{}[]",:\\ua1\ud800 ', k=rng.randrange(30))))


class Shape(TypedDict):
    name: str
    count: NotRequired[int | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    size: int
    names: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer:
    inner: Inner | None
    facts: dict[str, str]


@pytest.mark.parametrize(
    ("value", "hint", "is_so"),
    [
        ({"name": "a"}, Shape, True),
        ({"name": "a", "count": None, "newer": []}, Shape, True),
        ({"name": "a", "count": "1"}, Shape, False),
        ({"count": 1}, Shape, False),
        ([], Shape, False),
        (True, int, False),
        (True, bool, True),
        (1, int | None, True),
        ("1", int | None, False),
        ({"a": ["b"]}, dict[str, list[str]], True),
        ({"a": ["b", 1]}, dict[str, list[str]], False),
        ({1: []}, dict[str, list[str]], False),
    ],
)
def test_what_fits_is_told_from_what_does_not(value: Any, hint: Any, is_so: bool) -> None:
    assert fits(value, hint) is is_so


def test_a_dataclass_is_looked_into() -> None:
    inner = Inner(size=1, names=["a"])
    assert is_sound(Outer(inner=inner, facts={}))
    assert is_sound(Outer(inner=None, facts={"a": "b"}))
    odd: Any = [1]
    assert not is_sound(Outer(inner=Inner(size=1, names=odd), facts={}))
    assert not is_sound(Outer(inner=odd, facts={}))


async def test_what_waits_for_the_stop_counts_as_written(
    hass: HomeAssistant, file: StoredFile
) -> None:
    kept = store(hass)
    assert await kept.async_save()
    hass.set_state(CoreState.stopping)
    assert await kept.async_save()
    assert file.data["writes"] == 1
    assert told(hass, "journal_unwritten") is None
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert file.data == CONTENT | {"writes": 2}


@pytest.mark.parametrize("text", ["", "{", '{"version": 1}', '{"data": {"a": {"writes": 1}}}'])
async def test_a_file_that_does_not_say_which_write_it_is_proves_nothing(
    hass: HomeAssistant, file: StoredFile, text: str
) -> None:
    file.write(text)
    assert _number_in(file.path) is None
    file.write(file.text({"writes": 12, "a": 1}))
    assert _number_in(file.path) == 12
    file.write(file.text({"writes": 12, "a": 1})[:-2])
    assert _number_in(file.path) is None


def test_items_are_written_as_they_were_set() -> None:
    items = Items({"a": {"n": 1}, "\udcff": ["\ud83d"]})
    items["a"]["n"] = 2  # type: ignore[call-overload]
    assert json.loads(items.text) == {"a": {"n": 1}, "?": ["?"]}
    items["a"] = items["a"]
    assert json.loads(items.text)["a"] == {"n": 2}
    assert items.drop("\udcff") == ["\ud83d"]
    assert items.drop("\udcff") is None
    assert json.loads(items.text) == {"a": {"n": 2}}


async def test_of_a_long_file_only_the_number_is_read_back(
    hass: HomeAssistant, file: StoredFile
) -> None:
    kept = store(hass, {"long": "x" * 40_000})
    with patch.object(kept._store, "async_load", side_effect=AssertionError("as a whole")):
        assert await kept.async_save()
    assert file.data["writes"] == 1
    file.path.unlink()
    file.fail()
    assert not await kept.async_save()
    assert told(hass, "journal_unwritten") is not None
