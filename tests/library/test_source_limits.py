"""A list that drips, a source that never ends, and files that anybody could replace."""

import asyncio
from collections.abc import AsyncIterator
import hashlib
import json

from aiohttp import ClientSession, web
import pytest

from custom_components.esp_ota.house import HOUSE, House
from custom_components.esp_ota.library import (
    async_download,
    async_download_resumed,
    download,
    resumed,
)
from custom_components.esp_ota.ota import (
    Account,
    Artifact,
    Cause,
    Listed,
    Reach,
    SourceError,
    fetch_text,
    parse_manifest,
    without_risk,
)
from homeassistant.core import HomeAssistant
from tests.kit.garden import until
from tests.kit.sentences import assert_sentence_is_whole
from tests.kit.web_site import Site
from tests.library.test_given_names import add, known, publish

HASHED = {"sha256": hashlib.sha256(b"x").hexdigest()}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
def house(hass: HomeAssistant, esp_ota: None) -> House:
    return hass.data[HOUSE]


async def drip(request: web.Request) -> web.StreamResponse:
    """Answer a byte now and then, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_list_that_drips_is_given_up(site: Site) -> None:
    site.answers["/list.json"] = drip
    async with ClientSession() as session, asyncio.timeout(5):
        with pytest.raises(SourceError) as caught:
            await fetch_text(session, site.url("/list.json"), limit=10_000, seconds=0.3)
    assert caught.value.cause is Cause.DOWNLOAD_BROKEN
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["a source", "a server"])
async def test_a_file_that_drips_is_given_up(
    hass: HomeAssistant, house: House, site: Site, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    site.answers["/a.bin"] = drip
    url = site.url("/a.bin")
    reach, account = Reach.of(url, inside=True), Account(host=url)
    monkeypatch.setattr(download, "_SECONDS", 0.3)
    monkeypatch.setattr(resumed, "_SECONDS", 0.3)
    listed = Listed(url=url, file_name="a.bin", key=url)
    artifact = Artifact(file_name="a.bin", url=url, size=None, sha1=None, sha256=None, md5=None)
    fetching = {
        "a source": lambda: async_download(hass, listed, reach=reach),
        "a server": lambda: async_download_resumed(hass, artifact, account=account, reach=reach),
    }
    async with asyncio.timeout(5):
        with pytest.raises(SourceError) as caught:
            await fetching[by]()
    assert caught.value.cause is Cause.DOWNLOAD_BROKEN
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


@pytest.mark.slow
@pytest.mark.parametrize("endless", ["/list.json", "/slow.bin"])
async def test_a_source_that_never_ends_holds_no_other_one(
    hass: HomeAssistant, house: House, site: Site, endless: str
) -> None:
    async with Site() as slow:
        slow.serve("/list.json", json.dumps([{"url": "/slow.bin"}]).encode())
        slow.answers[endless] = drip
        publish(site, ("pump", "1.0.0"))
        adding = asyncio.create_task(add(hass, slow, site))
        await until(lambda: ("pump", "1.0.0") in known(house))
        adding.cancel()
        await asyncio.wait({adding})
        house.sources.async_close()
        await hass.async_block_till_done()


@pytest.mark.slow
async def test_one_look_ends_however_many_files_drip(
    hass: HomeAssistant, house: House, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = "custom_components.esp_ota.library.source_watcher"
    monkeypatch.setattr(f"{watcher}._LOOK_SECONDS", 0.5)
    site.serve("/list.json", json.dumps([{"url": f"/{n}.bin"} for n in range(50)]).encode())
    for number in range(50):
        site.answers[f"/{number}.bin"] = drip
    (source,) = await add(hass, site)
    assert source.memory.cause == Cause.DOWNLOAD_BROKEN
    assert source.memory.failures == 1


@pytest.mark.parametrize(
    ("url", "said", "is_taken"),
    [
        ("https://a.example.org/a.bin", {}, True),
        ("b.bin", {}, True),
        ("http://a.example.org/a.bin", {}, False),
        ("http://a.example.org/a.bin", HASHED, True),
        ("http://a.example.org/a.bin", {"md5": "0" * 32}, True),
        ("http://a.example.org/a.bin", {"sha256": "none"}, False),
    ],
)
def test_an_encrypted_list_names_no_file_that_anybody_could_replace(
    url: str, said: dict[str, str], is_taken: bool
) -> None:
    for where, taken in (("https", is_taken), ("http", True)):
        address = f"{where}://lists.example.org/list.json"
        parsed = parse_manifest(json.dumps([{"url": url} | said]).encode(), address)
        listing = without_risk(parsed, address)
        assert (len(listing.files) == 1) is taken
        assert listing.refused == ({} if taken else {"a.bin": Cause.NOT_ENCRYPTED})


async def test_a_clock_that_was_set_back_does_not_keep_a_source_unasked(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    publish(site, ("pump", "1.0.0"))
    (source,) = await add(hass, site)
    asked = len(site.asked)
    source.memory.checked = "2040-01-01T00:00:00+00:00"
    assert house.entry is not None
    assert await hass.config_entries.async_reload(house.entry.entry_id)
    await until(lambda: len(site.asked) > asked)
