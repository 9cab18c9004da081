"""Sources of firmware: asked over real sockets, their files become releases."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
import hashlib
import json
from pathlib import Path
from typing import Any

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.diagnostics import async_get_config_entry_diagnostics
from custom_components.esp_ota.house import HOUSE, House
from custom_components.esp_ota.library import SourceWatcher, source_kinds
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import json_dumps
from homeassistant.setup import async_setup_component
from homeassistant.util.dt import utcnow
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import Garden, until
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.web_site import Site, to
from tests.virtual_module import build_image

TOKEN = "ghp_secret"


class GitHub(Site):
    """As much of GitHub as the integration asks."""

    def __init__(self) -> None:
        super().__init__()
        self.releases: list[dict[str, Any]] = []
        self.token: str | None = None
        self.answers["/repos/garden/valve/releases"] = self._list

    def publish(self, version: str, *names: str, **changes: Any) -> dict[str, Any]:
        """Make a release with files that are built when they are first named."""
        assets = [self.asset(name, firmware(version)) for name in names]
        release = {
            "tag_name": f"v{version}",
            "body": f"What is new in {version}.",
            "prerelease": False,
            "assets": assets,
        }
        self.releases.insert(0, release | changes)
        return self.releases[0]

    def asset(self, name: str, data: bytes) -> dict[str, Any]:
        path = f"/files/{len(self.answers)}/{name}"
        self.serve(path, data)
        self.answers[f"/api{path}"] = to(self.url(path))
        return {
            "id": len(self.answers),
            "name": name,
            "state": "uploaded",
            "size": len(data),
            "digest": f"sha256:{hashlib.sha256(data).hexdigest()}",
            "url": self.url(f"/api{path}"),
            "browser_download_url": self.url(path),
        }

    def _list(self, request: web.Request) -> web.Response:
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=404)
        body = json.dumps(self.releases)
        etag = f'"{hashlib.sha256(body.encode()).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(text=body, headers={"ETag": etag})

    @property
    def downloads(self) -> list[str]:
        paths = [request.path for request in self.asked]
        return [path.rpartition("/")[2] for path in paths if path.startswith("/files/")]

    @property
    def lists(self) -> int:
        return sum(request.path.startswith("/repos/") for request in self.asked)


@pytest.fixture
async def github(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GitHub]:
    async with GitHub() as site:
        monkeypatch.setattr(source_kinds, "GITHUB_API", site.url("/").rstrip("/"))
        yield site


@pytest.fixture
def house(hass: HomeAssistant, esp_ota: None) -> House:
    return hass.data[HOUSE]


def settings(**changes: Any) -> dict[str, Any]:
    usual = {"repository": "garden/valve", "pattern": "*.bin", "channel": "stable", "interval": 60}
    return usual | changes


async def add(hass: HomeAssistant, kind: str = "github", **changes: Any) -> SourceWatcher:
    """Set the library up with one source, and wait until it was looked at."""
    data = settings(**changes) if kind == "github" else {"interval": 60} | changes
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id="house",
        data={"kind": "house"},
        subentries_data=[
            ConfigSubentryData(data=data, subentry_type=kind, title="garden/valve", unique_id=None)
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    return await looked_at(hass)


async def looked_at(hass: HomeAssistant) -> SourceWatcher:
    (source,) = hass.data[HOUSE].sources.all
    await until(lambda: source.memory.checked)
    await hass.async_block_till_done()
    return source


async def later(hass: HomeAssistant, minutes: int) -> None:
    """Let time pass for the timers; nothing that was asked takes any."""
    async_fire_time_changed(hass, utcnow() + timedelta(minutes=minutes))
    await hass.async_block_till_done(wait_background_tasks=True)


def versions(house: House) -> list[str]:
    return [release.version for release in house.library.releases]


def repairs(hass: HomeAssistant) -> list[str]:
    """Return what the person is told of sources, each sentence checked."""
    issues = [
        issue
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and str(issue.translation_key).startswith("source_")
    ]
    for issue in issues:
        assert_issue_is_whole(issue)
    return sorted(str(issue.translation_key) for issue in issues)


# What is found


async def test_releases_of_a_repository_come_with_their_notes(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    github.publish("1.1.0", "valve.bin", "source.zip")
    github.publish("2.0.0", "valve.bin", prerelease=True)
    await add(hass)

    assert versions(house) == ["1.0.0", "1.1.0"]
    newest = house.library.releases[-1]
    assert (newest.source, newest.notes) == ("garden/valve", "What is new in 1.1.0.")
    assert github.downloads == ["valve.bin", "valve.bin"]
    assert repairs(hass) == []


async def test_pre_releases_come_when_they_are_asked_for(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    github.publish("2.0.0", "valve.bin", prerelease=True)
    await add(hass, channel="pre_release")
    assert versions(house) == ["1.0.0", "2.0.0"]


async def test_only_as_many_releases_are_fetched_as_are_kept(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    for number in range(8):
        github.publish(f"1.{number}.0", "valve.bin")
    await add(hass)
    assert versions(house) == ["1.3.0", "1.4.0", "1.5.0", "1.6.0", "1.7.0"]
    assert len(github.downloads) == 5


async def test_files_without_a_name_are_called_by_the_tag_and_the_repository(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    release = github.publish("3.1.0")
    release["assets"] = [github.asset("sketch.bin", firmware("", name=""))]
    await add(hass)
    (found,) = house.library.releases
    assert (found.firmware, found.version) == ("valve", "3.1.0")


async def test_the_name_that_the_person_gave_to_the_source_wins(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    await add(hass, firmware="my-valve")
    assert house.library.firmwares == ["my-valve"]


async def test_a_signature_beside_a_file_is_kept(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    release = github.publish("1.0.0", "valve.bin")
    release["assets"].append(github.asset("valve.bin.minisig", b"signed"))
    await add(hass)
    assert house.library.releases[0].signature == "signed"


async def test_a_private_repository_is_read_with_a_token_that_nobody_else_hears(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.token = TOKEN
    async with Site() as elsewhere:
        release = github.publish("1.0.0", "valve.bin")
        elsewhere.serve("/store", firmware("1.0.0"))
        path = release["assets"][0]["url"].partition("/api/")[2]
        github.answers[f"/api/{path}"] = to(elsewhere.url("/store"))
        await add(hass, token=TOKEN)

        assert versions(house) == ["1.0.0"]
        assert github.tokens == [f"Bearer {TOKEN}"] * 2
        assert elsewhere.tokens == [None]


async def test_a_new_release_shows_on_the_card_by_itself(
    garden: Garden, start_module: StartModule, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(garden.hass)
    await garden.add(entry_for(await start_module()))
    assert garden.card.attributes["latest_version"] == "1.0.0"
    github.publish("1.1.0", "valve.bin")
    await source.async_check()
    assert garden.card.attributes["latest_version"] == "1.1.0"


# Asking again


async def test_nothing_is_downloaded_twice_not_even_after_a_restart(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    await source.async_check()
    assert (github.lists, len(github.downloads)) == (2, 1)
    assert github.asked[-1].headers["If-None-Match"]

    again = House(hass)
    await again.async_setup()
    again.async_open(house.entry)
    (restarted,) = again.sources.all
    await restarted.async_check()
    assert (github.lists, len(github.downloads)) == (3, 1)
    again.async_close()


async def test_a_source_is_asked_again_when_its_time_has_come(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    await add(hass, interval=30)
    github.publish("1.1.0", "valve.bin")
    for minutes, asked in ((29, 1), (31, 2)):
        await later(hass, minutes)
        assert github.lists == asked
    assert versions(house) == ["1.0.0", "1.1.0"]


async def test_a_restart_does_not_ask_before_the_time_has_come(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    await add(hass)
    assert await hass.config_entries.async_reload(house.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert github.lists == 1


async def test_a_release_that_was_removed_does_not_come_back(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    await house.library.async_remove(house.library.releases[0].image.sha256)
    github.publish("1.1.0", "valve.bin")
    await source.async_check()
    assert versions(house) == ["1.1.0"]


async def test_a_release_that_was_taken_back_by_its_source_stays(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    github.releases.clear()
    await source.async_check()
    assert versions(house) == ["1.0.0"]
    assert repairs(hass) == []


@pytest.mark.slow
async def test_sixty_calls_an_hour_are_all_that_github_gets_without_a_token(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    for _ in range(70):
        await source.async_check()
    assert len(github.asked) == 60, "a download from GitHub's own host counts as well"
    assert source.memory.cause == "source_busy"


async def test_a_github_that_wants_to_be_left_alone_is(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    path = "/repos/garden/valve/releases"
    usual = github.answers[path]
    github.answers[path] = lambda _: web.Response(status=429, headers={"Retry-After": "600"})
    await source.async_check()
    github.answers[path] = usual
    await source.async_check()
    assert github.lists == 2
    assert source.memory.cause == "source_busy"


# What goes wrong


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


# Lists


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


def serve(site: Site, path: str, content: Any) -> str:
    site.serve(path, json.dumps(content).encode())
    return site.url(path)


async def test_the_sketches_of_a_manifest_become_releases(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    site.serve("/x/esp8266.bin", firmware("1.2.0"))
    site.serve("/x/app.bin", firmware("1.2.0", "esp32"))
    url = serve(
        site,
        "/x/manifest.json",
        {
            "name": "Garden valve",
            "version": "1.2.0",
            "builds": [
                {"chipFamily": "ESP8266", "parts": [{"path": "esp8266.bin", "offset": 0}]},
                {
                    "chipFamily": "ESP32",
                    "parts": [
                        {"path": "boot.bin", "offset": 4096},
                        {"path": "table.bin", "offset": 32768},
                        {"path": "app.bin", "offset": 65536},
                    ],
                },
                {"chipFamily": "ESP32-S3", "parts": [{"path": "factory.bin", "offset": 0}]},
            ],
        },
    )
    await add(hass, "manifest", url=url)
    assert {(item.firmware, item.version, item.chip) for item in house.library.releases} == {
        ("garden-valve", "1.2.0", "esp8266"),
        ("garden-valve", "1.2.0", "esp32"),
    }
    assert repairs(hass) == ["source_files"], "the merged image of the S3"
    assert "/x/factory.bin" not in [request.path for request in site.asked]


async def test_a_plain_list_is_taken_with_its_checksums(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    data = firmware("1.2.0")
    site.serve("/a.bin", data)
    site.serve("/b.bin", firmware("1.3.0"))
    item = {
        "firmware": "garden-valve",
        "version": "1.2.0",
        "url": "a.bin",
        "sha256": hashlib.sha256(data).hexdigest(),
        "notes": "Quieter.",
    }
    wrong = {"url": "b.bin", "md5": "0" * 32}
    url = serve(site, "/list.json", {"releases": [item, wrong]})
    source = await add(hass, "manifest", url=url)
    (release,) = house.library.releases
    assert (release.version, release.notes) == ("1.2.0", "Quieter.")
    assert source.memory.cause == "checksum_mismatch"


async def test_a_list_that_came_before_its_files_is_looked_at_again(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    url = serve(site, "/list.json", [{"url": "a.bin"}])
    source = await add(hass, "manifest", url=url)
    assert versions(house) == []
    site.serve("/a.bin", firmware("1.0.0"))
    await source.async_check()
    assert versions(house) == ["1.0.0"]
    assert repairs(hass) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"hello": 1}, "source_invalid"),
        (
            {"builds": [{"chipFamily": "ESP32", "parts": [{"path": "f.bin", "offset": 0}]}]},
            "source_merged_image",
        ),
        (["x" * 1024 * 1024], "source_oversized_file"),
    ],
)
async def test_a_list_that_cannot_be_used_is_told(
    hass: HomeAssistant, house: House, site: Site, content: Any, told: str
) -> None:
    await add(hass, "manifest", url=serve(site, "/list.json", content))
    assert repairs(hass) == [told]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (
            {"builds": [{"chipFamily": "ESP64", "parts": [{"path": "f.bin", "offset": 0}]}]},
            "ESP64 (a chip that ESP OTA does not know)",
        ),
        (
            {
                "builds": [
                    {
                        "chipFamily": "ESP32",
                        "parts": [
                            {"path": "one.bin", "offset": "0x10000"},
                            {"path": "two.bin", "offset": "0x110000"},
                        ],
                    }
                ]
            },
            ", ".join(f"{n}.bin (one of several that could be the sketch)" for n in ("one", "two")),
        ),
        ([{"url": "ftp://x/y.bin"}], "y.bin (its address is none of the web)"),
    ],
)
async def test_a_list_that_yields_nothing_is_told_with_what_was_left_out(
    hass: HomeAssistant, house: House, site: Site, content: Any, found: str
) -> None:
    await add(hass, "manifest", url=serve(site, "/list.json", content))
    assert repairs(hass) == ["source_nothing"]
    (issue,) = [i for i in ir.async_get(hass).issues.values() if i.domain == DOMAIN]
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["found"] == found


async def test_a_repository_of_pre_releases_and_empty_releases_says_so(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0")
    github.publish("1.1.0", "valve.bin", prerelease=True)
    await add(hass)
    (issue,) = [i for i in ir.async_get(hass).issues.values() if i.domain == DOMAIN]
    assert repairs(hass) == ["source_nothing"]
    assert issue.translation_placeholders is not None
    found = "v1.1.0 (a pre-release), v1.0.0 (without files)"
    assert issue.translation_placeholders["found"] == found


async def test_the_pattern_that_a_repair_asked_for_chooses_the_build(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    site.serve("/one.bin", firmware("1.2.0", "esp32"))
    site.serve("/two.bin", firmware("1.3.0", "esp32"))
    builds = [
        {"chipFamily": "ESP32", "parts": [{"path": path, "offset": "65536"}]}
        for path in ("one.bin", "two.bin")
    ]
    url = serve(site, "/list.json", {"builds": builds})
    source = await add(hass, "manifest", url=url)
    assert versions(house) == ["1.2.0"]
    assert repairs(hass) == ["source_files"], "two.bin was left"
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(
        entry, subentry, data=dict(subentry.data) | {"pattern": "two*"}
    )
    await hass.async_block_till_done()
    (changed,) = house.sources.all
    assert changed is not source
    await later(hass, 1)
    await until(lambda: changed.memory.checked)
    assert versions(house) == ["1.2.0", "1.3.0"]
    assert repairs(hass) == []


async def test_a_file_comes_once_the_release_in_its_way_was_removed_as_advised(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    release = github.publish("1.0.0", "valve.bin")
    release["assets"].append(github.asset("other.bin", firmware("1.0.0") + b"?"))
    source = await add(hass)
    assert repairs(hass) == ["source_files"]
    downloads = len(github.downloads)
    await source.async_check()
    assert len(github.downloads) == downloads, "it is still in the way"
    (first,) = house.library.releases
    await house.library.async_remove(first.image.sha256)
    await source.async_check()
    assert repairs(hass) == []
    (second,) = house.library.releases
    assert (second.version, second.image.size) == ("1.0.0", first.image.size + 1)


@pytest.mark.parametrize("marked", [True, False])
async def test_a_rolling_release_is_told_apart_by_the_date_of_its_files(
    hass: HomeAssistant, house: House, github: GitHub, *, marked: bool
) -> None:
    def build(seed: int) -> bytes:
        return build_image("esp8266", version="2.0-dev", seed=seed, marker=marked)

    release = github.publish("nightly", tag_name="nightly", assets=[])
    release["assets"] = [
        github.asset("valve.bin", build(1)) | {"updated_at": "2026-11-28T04:12:00Z"}
    ]
    source = await add(hass, firmware="garden-valve")
    release["assets"] = [
        github.asset("valve.bin", build(2)) | {"updated_at": "2026-11-29T04:12:59Z"}
    ]
    await source.async_check()
    assert repairs(hass) == []
    first = "2.0-dev" if marked else "nightly.20261128.0412"
    second = "2.0-dev.20261129.0412" if marked else "nightly.20261129.0412"
    assert versions(house) == [first, second]


async def test_a_rolling_list_is_told_apart_by_the_sum_of_its_files(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    def publish(seed: int) -> str:
        site.serve("/valve.bin", build_image("esp8266", seed=seed, marker=False))
        item = {"url": "valve.bin", "firmware": "garden-valve", "version": "nightly", "n": seed}
        return serve(site, "/list.json", [item])

    source = await add(hass, "manifest", url=publish(1))
    publish(2)
    await source.async_check()
    first, second = house.library.releases
    assert repairs(hass) == []
    assert first.version == f"nightly+{first.image.sha256[:8]}"
    assert second.version == f"nightly+{second.image.sha256[:8]}"
