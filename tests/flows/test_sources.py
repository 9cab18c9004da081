"""The forms of a source: it is asked before it is kept."""

from collections.abc import AsyncIterator
import json
from typing import Any

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE, House
from custom_components.esp_ota.library import repository_from, source_kinds
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import until
from tests.kit.sentences import assert_form_is_whole
from tests.kit.web_site import Site

RELEASES = "/repos/garden/valve/releases"


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """Return a web server that is GitHub as well."""
    async with Site() as site:
        monkeypatch.setattr(source_kinds, "GITHUB_API", site.url("/").rstrip("/"))
        site.serve("/valve.bin", firmware("1.0.0"))
        asset = {"name": "valve.bin", "browser_download_url": site.url("/valve.bin")}
        site.serve(RELEASES, json.dumps([{"tag_name": "v1.0.0", "assets": [asset]}]).encode())
        site.serve("/list.json", json.dumps([{"url": "valve.bin"}]).encode())
        yield site


@pytest.fixture
async def entry(hass: HomeAssistant, esp_ota: None) -> MockConfigEntry:
    """Return the library's entry, loaded, without a source."""
    entry = MockConfigEntry(domain=DOMAIN, unique_id="house", data={"kind": "house"})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    return entry


@pytest.fixture
def house(hass: HomeAssistant, entry: MockConfigEntry) -> House:
    return hass.data[HOUSE]


async def fill(
    hass: HomeAssistant, entry: MockConfigEntry, kind: str, **data: Any
) -> dict[str, Any]:
    """Open the form that adds a source, and send it."""
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, kind), context={"source": "user"}
    )
    assert form["type"] is FlowResultType.FORM
    assert_form_is_whole(kind, form)
    return await hass.config_entries.subentries.async_configure(form["flow_id"], data)


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, subentry: ConfigSubentry, **data: Any
) -> dict[str, Any]:
    """Open the form that changes a source, and send it."""
    form = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    assert form["type"] is FlowResultType.FORM
    assert_form_is_whole(subentry.subentry_type, form)
    return await hass.config_entries.subentries.async_configure(form["flow_id"], data)


def only(entry: MockConfigEntry) -> ConfigSubentry:
    (subentry,) = entry.subentries.values()
    return subentry


@pytest.mark.parametrize(
    ("kind", "where", "title"),
    [
        ("github", {"repository": "garden/valve"}, "garden/valve"),
        ("github", {"repository": "garden/valve", "pattern": "v*"}, "garden/valve (v*)"),
        ("manifest", {"url": "/list.json?key=secret"}, "127.0.0.1/list.json"),
    ],
)
async def test_a_source_that_answers_is_kept_and_asked_from_then_on(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    house: House,
    site: Site,
    kind: str,
    where: dict[str, str],
    title: str,
) -> None:
    if "url" in where:
        where = {"url": site.url("/list.json?key=secret")}
    result = await fill(hass, entry, kind, **where)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await until(lambda: house.library.releases)
    assert only(entry).title == title
    assert only(entry).data["interval"] == 60
    (source,) = house.sources.all
    await until(lambda: source.memory.checked)


@pytest.mark.parametrize(
    "typed",
    [
        "garden/valve",
        " garden/valve ",
        "https://github.com/garden/valve",
        "github.com/garden/valve.git",
        "https://www.github.com/garden/valve/releases/tag/v1",
    ],
)
def test_a_repository_is_known_however_it_is_pasted(typed: str) -> None:
    assert repository_from(typed) == "garden/valve"


@pytest.mark.parametrize(
    ("kind", "data", "errors"),
    [
        ("github", {"repository": "garden"}, {"repository": "invalid_repository"}),
        ("github", {"repository": "https://x.y/garden"}, {"repository": "invalid_repository"}),
        ("manifest", {"url": "ftp://x/y"}, {"url": "invalid_url"}),
        ("manifest", {"url": "list.json"}, {"url": "invalid_url"}),
        ("github", {"repository": "no/body"}, {"base": "source_not_found"}),
        ("github", {"repository": "garden/valve", "pattern": "*.hex"}, {"base": "source_empty"}),
        ("manifest", {"url": "http://127.0.0.1:1/"}, {"base": "source_unreachable"}),
    ],
)
async def test_a_source_that_cannot_be_used_is_not_kept_and_can_be_corrected(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    house: House,
    site: Site,
    kind: str,
    data: dict[str, Any],
    errors: dict[str, str],
) -> None:
    result = await fill(hass, entry, kind, **data)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    assert_form_is_whole(kind, result)
    assert not entry.subentries

    right = {"repository": "garden/valve"} if kind == "github" else {"url": site.url("/list.json")}
    result = await hass.config_entries.subentries.async_configure(result["flow_id"], right)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await until(lambda: house.library.releases)


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (401, {}, "source_denied"),
        (429, {"Retry-After": "60"}, "source_busy"),
        (500, {}, "source_error"),
        (302, {"Location": "file:///etc/passwd"}, "source_redirect"),
        (200, {}, "source_invalid"),
    ],
)
async def test_whatever_the_source_answers_has_a_sentence(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    site: Site,
    status: int,
    headers: dict[str, str],
    error: str,
) -> None:
    site.answers["/list.json"] = lambda _: web.Response(status=status, headers=headers)
    result = await fill(hass, entry, "manifest", url=site.url("/list.json"))
    assert result["errors"] == {"base": error}
    assert_form_is_whole("manifest", result)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"x" * 2_000_000, "oversized_file"),
        (
            b'{"builds": [{"chipFamily": "ESP32", "parts": [{"path": "f.bin", "offset": 0}]}]}',
            "merged_image",
        ),
    ],
)
async def test_a_list_that_is_none_has_a_sentence(
    hass: HomeAssistant, entry: MockConfigEntry, site: Site, body: bytes, error: str
) -> None:
    site.serve("/list.json", body)
    result = await fill(hass, entry, "manifest", url=site.url("/list.json"))
    assert result["errors"] == {"base": error}
    assert_form_is_whole("manifest", result)


async def test_a_source_is_not_added_twice(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, site: Site
) -> None:
    await fill(hass, entry, "github", repository="garden/valve")
    again = await fill(hass, entry, "github", repository="https://github.com/Garden/Valve")
    assert again["errors"] == {"base": "already_added"}
    assert_form_is_whole("github", again)
    other = await fill(hass, entry, "github", repository="garden/valve", pattern="v*")
    assert other["type"] is FlowResultType.CREATE_ENTRY
    await until(lambda: all(source.memory.checked for source in house.sources.all))


async def test_a_changed_source_is_asked_at_once_with_what_it_is_now(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, site: Site
) -> None:
    await fill(hass, entry, "manifest", url=site.url("/list.json"))
    await until(lambda: house.library.releases)
    site.serve("/b.bin", firmware("2.0.0"))
    site.serve("/other.json", json.dumps([{"url": "b.bin"}]).encode())

    result = await change(
        hass, entry, only(entry), url=site.url("/other.json"), firmware="valve", interval=5
    )

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await until(lambda: len(house.library.releases) == 2)
    (source,) = house.sources.all
    await until(lambda: source.memory.checked)
    assert only(entry).title == "127.0.0.1/other.json"
    assert only(entry).data == {"url": site.url("/other.json"), "firmware": "valve", "interval": 5}
    assert {release.firmware for release in house.library.releases} == {"garden-valve", "valve"}


async def test_a_source_stays_as_it_was_when_the_change_cannot_be_used(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, site: Site
) -> None:
    await fill(hass, entry, "manifest", url=site.url("/list.json"))
    await until(lambda: house.library.releases)
    await hass.async_block_till_done()
    before = dict(only(entry).data)
    result = await change(hass, entry, only(entry), url=site.url("/gone.json"), interval=5)
    assert result["errors"] == {"base": "source_not_found"}
    assert_form_is_whole("manifest", result)
    assert only(entry).data == before


async def test_a_source_cannot_become_another_one(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, site: Site
) -> None:
    for pattern in ("*.bin", "v*"):
        await fill(hass, entry, "github", repository="garden/valve", pattern=pattern)
    await until(lambda: all(source.memory.checked for source in house.sources.all))
    first, _ = entry.subentries.values()
    result = await change(hass, entry, first, repository="garden/valve", pattern="V*")
    assert result["errors"] == {"base": "already_added"}


async def test_a_source_is_offered_under_the_library_only(
    hass: HomeAssistant, entry: MockConfigEntry, start_module: StartModule
) -> None:
    module = entry_for(await start_module())
    module.add_to_hass(hass)
    assert set(entry.supported_subentry_types) == {"manifest", "github", "guest", "server"}
    assert module.supported_subentry_types == {}
