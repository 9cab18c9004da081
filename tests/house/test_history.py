"""The last installs of each module: bounded, kept over restarts, read as far as they can be."""

import json
from pathlib import Path
import random
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house.history import MOST, History, Past
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.kit.sentences import assert_issue_is_whole

STORE = "esp_ota.history"


def past(version: str, **changes: Any) -> Past:
    known: dict[str, Any] = {
        "ended": 1.5,
        "seconds": 12,
        "verdict": "verified",
        "cause": None,
        "sentence": f"garden-valve runs {version} now.",
        "firmware": "garden-valve",
        "version": version,
        "before": None,
        "transport": "arduino_ota",
        "who": None,
        "stages": {"sending": 3.5},
    }
    return known | changes  # type: ignore[return-value]


async def loaded(hass: HomeAssistant) -> History:
    history = History(hass)
    await history.async_load()
    return history


async def written(hass: HomeAssistant) -> None:
    """Let Home Assistant write what it has put off, as it does at its stop."""
    hass.set_state(CoreState.final_write)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Let it be a real disk."""
    return {}


@pytest.fixture(autouse=True)
def _own_folder(config_dir: Path) -> None:
    """Have a folder of this test's own."""


async def test_the_last_ones_are_kept_the_newest_first(hass: HomeAssistant) -> None:
    history = await loaded(hass)
    for number in range(MOST + 5):
        history.async_add("a", past(f"1.0.{number}"))
    history.async_add("b", past("2.0.0"))
    await written(hass)

    again = await loaded(hass)
    assert [item["version"] for item in again.of("a")] == [
        f"1.0.{number}" for number in range(MOST + 4, 4, -1)
    ]
    assert again.of("b") == [past("2.0.0")]
    assert again.of("c") == []


async def test_the_installs_of_twenty_modules_take_few_bytes(
    hass: HomeAssistant, config_dir: Path
) -> None:
    history, chance = await loaded(hass), random.Random(1)
    stages = (
        "checking",
        "queued",
        "making_safe",
        "sending",
        "restarting",
        "verifying",
        "restoring",
    )
    for module in range(20):
        for number in range(MOST):
            item = past(
                f"1.{number}.0",
                before=f"1.{number - 1}.0",
                ended=1.8e9 + chance.random() * 1e7,
                seconds=chance.randrange(10, 200),
                sentence=f"module {module} runs 1.{number}.0 now: it said so after the restart.",
                stages={stage: round(chance.random() * 60, 1) for stage in stages},
            )
            history.async_add(f"module-{module}", item)
    await written(hass)

    file = config_dir / ".storage" / STORE
    assert (await hass.async_add_executor_job(file.stat)).st_size < 40_000
    assert (await loaded(hass)).of("module-7") == history.of("module-7")


async def test_a_removed_module_is_forgotten(hass: HomeAssistant) -> None:
    history = await loaded(hass)
    history.async_add("a", past("1.0.0"))
    history.async_forget("a")
    await written(hass)
    assert (await loaded(hass)).of("a") == []


@pytest.mark.parametrize(
    ("stored", "versions"),
    [
        ({"past": {"a": [past("1.0.0"), {"version": "1.1.0"}]}}, ["1.0.0"]),
        ({"past": {"a": [past("1.0.0", seconds="long")], "b": 3}}, []),
        ({"past": {"a": "bm90IHBhY2tlZA=="}}, []),
        ({"past": {"a": "?"}}, []),
        ({"past": []}, []),
        ({}, []),
    ],
    ids=["half of one", "wrong kinds", "not packed", "no text", "a list", "nothing"],
)
async def test_what_cannot_be_read_is_left_out_and_put_aside(
    hass: HomeAssistant,
    config_dir: Path,
    issue_registry: ir.IssueRegistry,
    stored: dict[str, Any],
    versions: list[str],
) -> None:
    folder = config_dir / ".storage"
    document = {"version": 1, "minor_version": 1, "key": STORE, "data": stored}

    def write() -> None:
        folder.mkdir()
        (folder / STORE).write_text(json.dumps(document), encoding="utf-8")

    await hass.async_add_executor_job(write)
    history = await loaded(hass)
    assert [item["version"] for item in history.of("a")] == versions
    aside = await hass.async_add_executor_job(lambda: list(folder.glob(f"{STORE}.unread-*")))
    assert bool(aside) is bool(stored)
    issue = issue_registry.async_get_issue(DOMAIN, "history_set_aside")
    assert bool(issue) is bool(stored)
    if issue is not None:
        assert_issue_is_whole(issue)
