"""A download that breaks off goes on only with the rest of the same file."""

from pathlib import Path

from aiohttp import web
import pytest

from custom_components.esp_ota.library import async_download_resumed, resumed
from custom_components.esp_ota.ota import Account, Artifact, Cause, Reach, SourceError
from homeassistant.core import HomeAssistant
from tests.kit.web_site import Site

OLD, NEW = b"old" * 1000, b"new" * 1000


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that aiohttp serves; who is cut off tries again at once."""
    monkeypatch.setattr(resumed, "_PAUSE", 0.0)
    path = tmp_path / "valve.bin"
    path.write_bytes(OLD)
    return path


async def fetch(hass: HomeAssistant, site: Site) -> bytes:
    url = site.url("/valve.bin")
    artifact = Artifact(
        file_name="valve.bin", url=url, size=len(OLD), sha1=None, sha256=None, md5=None
    )
    return await async_download_resumed(
        hass, artifact, account=Account(host=url), reach=Reach.of(url)
    )


def etag_of(path: Path) -> str:
    """Return what aiohttp says of a file."""
    stat = path.stat()
    return f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'


def cut(path: Path) -> web.Response:
    """Return the beginning of a file, which ends a thousand bytes later than it says."""
    return web.Response(body=path.read_bytes()[:1000], headers={"ETag": etag_of(path)})


async def test_the_rest_of_another_file_is_not_added_though_the_server_sends_it(
    hass: HomeAssistant, site: Site, firmware: Path
) -> None:
    """What aiohttp serves answers `If-Range` with an ETag by a part of whatever it has."""
    asked: list[str | None] = []

    def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("If-Range"))
        if len(asked) > 1:
            return web.FileResponse(firmware)
        said = cut(firmware)
        firmware.unlink()
        firmware.write_bytes(NEW)
        return said

    site.answers["/valve.bin"] = answer
    assert await fetch(hass, site) == NEW
    assert asked[0] is asked[2] is None
    assert asked[1] is not None


async def test_the_rest_of_the_same_file_is_added(
    hass: HomeAssistant, site: Site, firmware: Path
) -> None:
    asked: list[str | None] = []

    def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range"))
        return web.FileResponse(firmware) if len(asked) > 1 else cut(firmware)

    site.answers["/valve.bin"] = answer
    assert await fetch(hass, site) == OLD
    assert asked == [None, "bytes=1000-"]


async def test_a_part_without_an_etag_is_believed_to_be_of_the_file_that_was_asked_for(
    hass: HomeAssistant, site: Site, firmware: Path
) -> None:
    """RFC 9110 wants one there; a sum still proves the whole."""
    asked: list[str | None] = []

    def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range"))
        if len(asked) == 1:
            return cut(firmware)
        headers = {"Content-Range": f"bytes 1000-2999/{len(OLD)}"}
        return web.Response(status=206, body=OLD[1000:], headers=headers)

    site.answers["/valve.bin"] = answer
    assert await fetch(hass, site) == OLD
    assert asked == [None, "bytes=1000-"]


async def test_a_part_that_begins_elsewhere_is_not_taken_for_the_whole(
    hass: HomeAssistant, site: Site, firmware: Path
) -> None:
    def answer(request: web.Request) -> web.StreamResponse:
        if "Range" not in request.headers:
            return cut(firmware)
        headers = {"Content-Range": f"bytes 0-999/{len(OLD)}", "ETag": etag_of(firmware)}
        return web.Response(status=206, body=OLD[:1000], headers=headers)

    site.answers["/valve.bin"] = answer
    with pytest.raises(SourceError) as caught:
        await fetch(hass, site)
    assert caught.value.cause is Cause.DOWNLOAD_BROKEN
