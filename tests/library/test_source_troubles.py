"""Sources that fail, lie, or are taken away while they are asked."""

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
)

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.diagnostics import async_get_config_entry_diagnostics
from custom_components.esp_ota.house import HOUSE, House
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import json_dumps
from homeassistant.setup import async_setup_component
from tests.kit.entries import firmware
from tests.kit.garden import until
from tests.kit.sources import TOKEN, GitHub, add, later, repairs, settings, versions


@pytest.mark.parametrize(
    ("status", "told"),
    [(404, ["source_not_found"]), (401, ["source_denied"]), (500, []), (503, [])],
)
async def test_a_source_that_fails_keeps_its_releases_and_is_told(
    hass: HomeAssistant, house: House, github: GitHub, status: int, told: list[str]
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    path = "/repos/garden/valve/releases"
    usual = github.answers[path]
    github.answers[path] = lambda _: web.Response(status=status)
    await source.async_check()
    assert repairs(hass) == told
    await source.async_check()
    assert repairs(hass) == (told or ["source_error"])
    assert versions(house) == ["1.0.0"]

    github.answers[path] = usual
    await source.async_check()
    assert repairs(hass) == []
    assert source.memory.cause is None


async def test_a_source_that_failed_once_is_asked_again_soon(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    path = "/repos/garden/valve/releases"
    usual = github.answers[path]
    github.answers[path] = lambda _: web.Response(status=502)
    await add(hass)
    github.answers[path] = usual
    github.publish("1.0.0", "valve.bin")
    await later(hass, 6)
    assert versions(house) == ["1.0.0"]


async def test_a_pattern_that_fits_nothing_is_told_with_what_there_is(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    await add(hass, pattern="*.hex")
    assert repairs(hass) == ["source_empty"]


async def test_files_that_are_no_use_are_told_and_the_others_are_used(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    release = github.publish("1.0.0", "valve.bin")
    release["assets"] += [
        github.asset("page.bin", b"<html>404</html>"),
        github.asset("other.bin", firmware("1.0.0") + b"?"),
    ]
    source = await add(hass)
    assert versions(house) == ["1.0.0"]
    assert repairs(hass) == ["source_files"]
    (issue,) = [i for (_, key), i in ir.async_get(hass).issues.items() if "source_files" in key]
    assert issue.translation_placeholders is not None
    assert "- page.bin: This is a web page" in issue.translation_placeholders["files"]

    downloads = len(github.downloads)
    release["body"] = "Other notes."
    await source.async_check()
    assert len(github.downloads) == downloads
    assert repairs(hass) == ["source_files"]
    release["assets"] = release["assets"][:1]
    await source.async_check()
    assert repairs(hass) == []


async def test_a_file_that_is_not_what_github_says_is_thrown_away(
    hass: HomeAssistant, house: House, github: GitHub, config_dir: Path
) -> None:
    release = github.publish("1.0.0", "valve.bin")
    right = release["assets"][0]["digest"]
    release["assets"][0]["digest"] = "sha256:" + "0" * 64
    source = await add(hass)
    assert versions(house) == []
    assert repairs(hass) == ["source_files"]
    release["assets"][0]["digest"] = right
    await source.async_check()
    assert versions(house) == ["1.0.0"]
    assert repairs(hass) == []


async def test_a_download_that_breaks_off_is_tried_again(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    data = firmware("1.0.0")
    release = github.publish("1.0.0", "valve.bin")
    path = "/files/" + release["assets"][0]["browser_download_url"].partition("/files/")[2]
    usual = github.answers[path]

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = len(data)
        await response.prepare(request)
        await response.write(data[: len(data) // 2])
        assert request.transport is not None
        request.transport.abort()
        return response

    github.answers[path] = half
    source = await add(hass)
    assert versions(house) == []
    assert source.memory.cause == "download_broken"
    assert repairs(hass) == []
    await source.async_check()
    assert repairs(hass) == ["source_files"]
    github.answers[path] = usual
    await source.async_check()
    assert versions(house) == ["1.0.0"]
    assert repairs(hass) == []


@pytest.mark.slow
async def test_a_download_that_never_ends_is_ended(
    hass: HomeAssistant, house: House, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = github.publish("1.0.0", "valve.bin")
    path = "/files/" + release["assets"][0]["browser_download_url"].partition("/files/")[2]

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.02)

    github.answers[path] = trickle
    monkeypatch.setattr("custom_components.esp_ota.library.download._SECONDS", 0.3)
    source = await add(hass)
    assert versions(house) == []
    assert source.memory.cause == "download_broken"


async def test_listeners_hear_of_every_look(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    heard: list[int] = []
    stop = house.sources.async_add_listener(lambda: heard.append(len(house.sources.all)))
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    assert set(heard) == {1}
    heard.clear()
    await source.async_check()
    assert heard == [1]
    stop()
    await source.async_check()
    assert heard == [1]


async def test_a_file_shorter_than_github_says_is_not_taken(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    release = github.publish("1.0.0", "valve.bin")
    del release["assets"][0]["digest"]
    release["assets"][0]["size"] += 1
    source = await add(hass)
    assert versions(house) == []
    assert source.memory.cause == "download_broken"


async def test_an_error_of_ours_does_not_end_the_looks(
    hass: HomeAssistant,
    house: House,
    github: GitHub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    github.publish("1.0.0", "valve.bin")

    def broken(*_args: object) -> None:
        raise RuntimeError("ours")

    with monkeypatch.context() as patched:
        patched.setattr(house.library, "async_add", broken)
        entry = MockConfigEntry(
            domain=DOMAIN,
            data={"kind": "house"},
            subentries_data=[
                ConfigSubentryData(
                    data=settings(), subentry_type="github", title="x", unique_id=None
                )
            ],
        )
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        await until(lambda: "an error of ours" in caplog.text)
        await hass.async_block_till_done()
    caplog.clear()
    await later(hass, 61)
    assert versions(house) == ["1.0.0"]


async def test_a_source_that_is_taken_away_while_it_is_asked_leaves_nothing(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    asked = asyncio.Event()

    async def slow(_request: web.Request) -> web.StreamResponse:
        asked.set()
        await asyncio.sleep(60)
        raise AssertionError

    github.publish("1.0.0", "valve.bin")
    github.answers["/repos/garden/valve/releases"] = slow
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={"kind": "house"},
        subentries_data=[
            ConfigSubentryData(data=settings(), subentry_type="github", title="x", unique_id=None)
        ],
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    async with asyncio.timeout(10):
        await asked.wait()
    (subentry_id,) = entry.subentries
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert house.sources.all == []


async def test_a_source_that_is_taken_away_keeps_its_releases_and_says_no_more(
    hass: HomeAssistant, house: House, github: GitHub, hass_storage: dict[str, Any]
) -> None:
    release = github.publish("1.0.0", "valve.bin")
    release["assets"].append(github.asset("page.bin", b"<html>"))
    source = await add(hass)
    assert repairs(hass) == ["source_files"]
    assert source.subentry_id in hass_storage["esp_ota.sources"]["data"]
    hass.config_entries.async_remove_subentry(house.entry, source.subentry_id)
    await hass.async_block_till_done()
    assert repairs(hass) == []
    assert versions(house) == ["1.0.0"]
    assert hass_storage["esp_ota.sources"]["data"].keys() == {"writes"}


async def test_what_was_told_is_told_again_after_a_restart(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    release = github.publish("1.0.0", "valve.bin")
    release["assets"].append(github.asset("page.bin", b"<html>"))
    await add(hass)
    assert await hass.config_entries.async_unload(house.entry.entry_id)
    assert repairs(hass) == []
    assert await hass.config_entries.async_setup(house.entry.entry_id)
    assert repairs(hass) == ["source_files"]
    assert github.lists == 1


async def test_a_source_that_failed_is_asked_at_once_after_a_restart(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    path = "/repos/garden/valve/releases"
    usual = github.answers[path]
    github.answers[path] = lambda _: web.Response(status=404)
    await add(hass)
    assert repairs(hass) == ["source_not_found"]
    github.answers[path] = usual
    github.publish("1.0.0", "valve.bin")
    assert await hass.config_entries.async_reload(house.entry.entry_id)
    await until(lambda: house.library.releases)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert repairs(hass) == []


async def test_memories_that_cannot_be_read_are_made_anew(
    hass: HomeAssistant, config_dir: Path, github: GitHub, hass_storage: dict[str, Any]
) -> None:
    data = {"x": {"from": "another version"}}
    hass_storage["esp_ota.sources"] = {"version": 1, "key": "esp_ota.sources", "data": data}
    assert await async_setup_component(hass, DOMAIN, {})
    github.publish("1.0.0", "valve.bin")
    await add(hass)
    assert versions(hass.data[HOUSE]) == ["1.0.0"]


async def test_a_report_hides_what_a_source_is_asked_with(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.token = TOKEN
    github.publish("1.0.0", "valve.bin")
    await add(hass, token=TOKEN)
    report = await async_get_config_entry_diagnostics(hass, house.entry)
    assert TOKEN not in json_dumps(report)
    (source,) = report["sources"]
    assert (source["title"], source["cause"], source["taken"]) == ("garden/valve", None, 1)
