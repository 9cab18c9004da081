"""A GitHub of the tests, and a library with one source."""

from datetime import timedelta
import hashlib
import json
from typing import Any

from aiohttp import web
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE, House
from custom_components.esp_ota.library import SourceWatcher
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.dt import utcnow
from tests.kit.entries import firmware
from tests.kit.garden import until
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.web_site import Site, to

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
    await hass.async_block_till_done(wait_background_tasks=True)  # it is written, and comes again
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
