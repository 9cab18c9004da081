"""Build machines: what they send over real sockets, and what they hear."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
import gzip
import hashlib
from http import HTTPStatus
import io
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, FormData
from aiohttp.test_utils import TestClient
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import Library
from homeassistant.core import HomeAssistant
from tests.corpus.filesystems import littlefs
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import Garden, until
from tests.virtual_module import build_image

URL = "/api/esp_ota/firmware"

type Client = TestClient[Any, Any]
type Send = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


@pytest.fixture
def library(hass: HomeAssistant, esp_ota: None) -> Library:
    return hass.data[HOUSE].library


@pytest.fixture
async def client(esp_ota: None, hass_client: ClientSessionGenerator) -> Client:
    """Return a build machine with the token of an administrator."""
    return await hass_client()


async def told(response: ClientResponse) -> tuple[int, dict[str, Any]]:
    return response.status, await response.json()


@pytest.fixture
def send(client: Client) -> Send:
    """Return what sends a form as curl does."""

    async def send_form(
        data: bytes, name: str = "garden.bin", **fields: str
    ) -> tuple[int, dict[str, Any]]:
        form = FormData()
        for key, value in fields.items():
            form.add_field(key, value)
        form.add_field("file", io.BytesIO(data), filename=name)
        return await told(await client.post(URL, data=form))

    return send_form


def leftovers(config_dir: Path) -> list[Path]:
    """Return the files on their way in: such a file has no name, but is open."""
    folder = config_dir / "esp_ota" / "incoming"
    held = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            held.append(link.readlink())
    return [*folder.iterdir(), *(path for path in held if path.is_relative_to(folder))]


async def test_a_build_is_added_and_its_facts_are_answered(
    library: Library, send: Send, config_dir: Path
) -> None:
    data = firmware("1.1.0")
    status, answer = await send(data, notes="Closes by itself.\nQuieter.")

    (release,) = library.releases
    assert status == HTTPStatus.CREATED
    assert answer == release.facts() | {"new": True, "offered_to": []}
    assert answer["sha256"] == hashlib.sha256(data).hexdigest()
    assert (release.source, release.notes) == ("build", "Closes by itself.\nQuieter.")
    assert leftovers(config_dir) == []


async def test_the_same_build_once_more_is_no_error(library: Library, send: Send) -> None:
    await send(firmware("1.1.0"))
    status, answer = await send(firmware("1.1.0"))
    assert (status, answer["new"]) == (HTTPStatus.OK, False)
    assert len(library.releases) == 1


async def test_all_that_a_form_says_is_taken(library: Library, send: Send) -> None:
    data = littlefs()
    status, answer = await send(
        data,
        "data.bin",
        firmware="pump",
        version="2.0.0",
        chip="ESP32-S3",
        kind="filesystem",
        signature="untrusted comment: x\nRUQ=",
        sha256=hashlib.sha256(data).hexdigest().upper(),
    )
    assert status == HTTPStatus.CREATED
    assert (answer["firmware"], answer["version"]) == ("pump", "2.0.0")
    assert (answer["chip"], answer["kind"], answer["signed"]) == ("esp32s3", "filesystem", True)
    assert library.releases[0].signature == "untrusted comment: x\nRUQ="


async def test_a_signature_may_come_as_a_file_behind_the_image(
    client: Client, library: Library
) -> None:
    form = FormData()
    form.add_field("file", io.BytesIO(firmware("1.1.0")), filename="a.bin")
    form.add_field("signature", io.BytesIO(b"signed\n"), filename="a.bin.minisig")
    assert (await client.post(URL, data=form)).status == HTTPStatus.CREATED
    assert library.releases[0].signature == "signed"


async def test_bare_bytes_are_taken_with_the_fields_in_the_address(
    client: Client, library: Library
) -> None:
    data = gzip.compress(firmware("", name=""))
    query = {"file": "builds/garden-valve-1.1.0.bin.gz", "notes": "x"}
    status, answer = await told(await client.post(URL, params=query, data=data))
    assert status == HTTPStatus.CREATED
    assert (answer["firmware"], answer["version"], answer["packed"]) == (
        "garden-valve",
        "1.1.0",
        True,
    )


async def test_a_build_shows_on_the_card_before_its_upload_is_answered(
    garden: Garden, start_module: StartModule, client: Client
) -> None:
    await garden.release("1.0.0")
    await garden.add(entry_for(await start_module()))
    form = FormData()
    form.add_field("file", io.BytesIO(firmware("1.1.0")), filename="a.bin")
    answer = await (await client.post(URL, data=form)).json()
    assert garden.card.attributes["latest_version"] == "1.1.0"
    assert answer["offered_to"] == ["garden-valve"]


@pytest.mark.parametrize(
    ("data", "fields", "status", "error"),
    [
        (b"<html>404", {}, 422, "html_page"),
        (b"", {}, 422, "empty_file"),
        (b"\x7fELF" + bytes(60), {}, 422, "elf_file"),
        (firmware("1.1.0")[:50_000], {}, 422, "truncated_image"),
        (firmware("", name=""), {}, 422, "version_missing"),
        (firmware("1.1.0"), {"sha256": "ab" * 32}, 422, "checksum_mismatch"),
        (firmware("1.1.0"), {"kind": "filesystem"}, 422, "kind_mismatch"),
        (firmware("1.1.0"), {"kind": "boot"}, 400, "field_invalid"),
        (firmware("1.1.0"), {"version": "1 1"}, 400, "field_invalid"),
        (firmware("1.1.0"), {"password": "x"}, 400, "field_invalid"),
        (firmware("1.1.0"), {"signature": "x" * 5000}, 400, "field_invalid"),
    ],
)
async def test_a_build_that_cannot_be_used_is_answered_with_a_sentence(
    library: Library,
    send: Send,
    config_dir: Path,
    data: bytes,
    fields: dict[str, str],
    status: int,
    error: str,
) -> None:
    got, answer = await send(data, **fields)
    assert (got, answer["error"], answer["file"] or "garden.bin") == (status, error, "garden.bin")
    assert answer["message"].endswith(".")
    assert "{" not in answer["message"]
    assert library.releases == []
    assert leftovers(config_dir) == []


async def test_another_build_of_a_known_version_is_a_conflict(library: Library, send: Send) -> None:
    await send(firmware("1.1.0"))
    status, answer = await send(firmware("1.2.0"), version="1.1.0")
    assert (status, answer["error"]) == (HTTPStatus.CONFLICT, "release_conflict")
    assert "garden-valve 1.1.0 for esp8266" in answer["message"]


async def test_a_request_without_a_file_is_told_so(client: Client, library: Library) -> None:
    form = FormData(default_to_multipart=True)
    form.add_field("firmware", "x")
    for body in (form, b""):
        status, answer = await told(await client.post(URL, data=body))
        assert (status, answer["error"]) == (HTTPStatus.BAD_REQUEST, "file_missing")


# aiohttp repeats a header that it cannot read, in whatever bytes it came.
@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        b"--x\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\nhalf',
        b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n\r\n--x--\r\n',
        b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: \xff\xfe\r\n\r\n1\r\n--x--\r\n",
    ],
)
async def test_a_form_that_is_none_changes_nothing(
    client: Client, library: Library, config_dir: Path, body: bytes
) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = await client.post(URL, data=body, headers=headers)
    assert 400 <= response.status < 500
    assert (await response.json())["message"].endswith(".")
    assert library.releases == []
    assert leftovers(config_dir) == []


@pytest.mark.slow
async def test_an_image_larger_than_what_home_assistant_takes_elsewhere_is_taken(
    library: Library, send: Send
) -> None:
    big = littlefs(20 * 1024 * 1024)
    status, _ = await send(big, "big-1.0.0.littlefs.bin")
    assert status == HTTPStatus.CREATED
    assert library.releases[0].image.size == len(big)


@pytest.mark.parametrize("says_its_size", [True, False])
async def test_a_file_too_large_for_any_module_is_not_taken_whole(
    client: Client, library: Library, config_dir: Path, says_its_size: bool
) -> None:
    async def body() -> Any:
        for _ in range(40):
            yield bytes(1024 * 1024)

    data = bytes(40 * 1024 * 1024) if says_its_size else body()
    status, answer = await told(await client.post(URL, params={"file": "a.bin"}, data=data))
    assert (status, answer["error"]) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "oversized_file")
    assert leftovers(config_dir) == []


async def test_a_disk_that_cannot_be_written_is_no_fault_of_the_build_machine(
    library: Library, send: Send, config_dir: Path
) -> None:
    folder = config_dir / "esp_ota" / "incoming"
    folder.write_text("no folder")
    status, answer = await send(firmware("1.1.0"))
    assert (status, answer["error"]) == (HTTPStatus.INSUFFICIENT_STORAGE, "not_stored")
    folder.unlink()
    assert (await send(firmware("1.1.0")))[0] == HTTPStatus.CREATED


async def test_an_upload_that_breaks_off_leaves_nothing(
    client: Client, library: Library, config_dir: Path, hass_access_token: str
) -> None:
    data = firmware("1.1.0")
    head = (
        f"POST {URL}?file=a.bin HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
        f"Authorization: Bearer {hass_access_token}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head.encode() + data[:-1])
    await until(lambda: (config_dir / "esp_ota/incoming").is_dir() and leftovers(config_dir))
    writer.close()
    await until(lambda: not leftovers(config_dir))
    assert library.releases == []


async def test_without_a_token_nothing_is_taken(
    library: Library, hass_client_no_auth: ClientSessionGenerator
) -> None:
    client = await hass_client_no_auth()
    response = await client.post(URL, data=firmware("1.1.0"))
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert library.releases == []


async def test_the_token_of_a_mere_user_is_not_enough(
    library: Library, hass_client: ClientSessionGenerator, hass_read_only_access_token: str
) -> None:
    client = await hass_client(hass_read_only_access_token)
    status, answer = await told(await client.post(URL, data=firmware("1.1.0")))
    assert (status, answer["error"]) == (HTTPStatus.FORBIDDEN, "not_admin")
    assert library.releases == []


# Looked at, and not kept


async def test_a_look_says_what_a_file_would_be_and_keeps_nothing(
    library: Library, send: Send, config_dir: Path
) -> None:
    status, answer = await send(firmware("1.1.0"), look="1")
    assert status == HTTPStatus.OK
    assert (answer["firmware"], answer["version"], answer["chip"]) == (
        "garden-valve",
        "1.1.0",
        "esp8266",
    )
    assert (answer["new"], answer["kept"], answer.get("error")) == (True, False, None)
    assert library.releases == []
    assert leftovers(config_dir) == []


async def test_a_look_says_that_a_file_is_there_already_and_what_it_is_called(
    library: Library, send: Send
) -> None:
    await send(firmware("1.1.0"), firmware="shed-valve", version="7")
    _, answer = await send(firmware("1.1.0"), look="1", firmware="other")
    assert (answer["firmware"], answer["version"], answer["new"]) == ("shed-valve", "7", False)


async def test_a_look_says_what_is_against_a_file_and_what_is_known_of_it(
    library: Library, send: Send
) -> None:
    await send(firmware("1.1.0"))
    other = build_image("esp8266", name="garden-valve", version="1.1.0", size=9000)
    status, answer = await send(other, look="1")
    assert (status, answer["error"]) == (HTTPStatus.OK, "release_conflict")
    assert "in the library already, with other bytes" in answer["message"]

    status, answer = await send(other, look="1", version="1.1.1")
    assert (answer["version"], answer.get("error")) == ("1.1.1", None)

    nameless = build_image("esp8266", name="", version="", size=9000)
    status, answer = await send(nameless, name="x.bin", look="1")
    assert (status, answer["error"]) == (HTTPStatus.OK, "version_missing")
    assert (answer["chip"], answer["kind"], answer["size"]) == ("esp8266", "sketch", len(nameless))
    assert [release.version for release in library.releases] == ["1.1.0"]


async def test_a_look_at_what_is_no_firmware_says_so(library: Library, send: Send) -> None:
    status, answer = await send(b"<html>404", look="1")
    assert (status, answer["error"]) == (HTTPStatus.UNPROCESSABLE_ENTITY, "html_page")


async def test_what_comes_from_the_page_was_brought_by_a_person(
    library: Library, send: Send
) -> None:
    await send(firmware("1.1.0"), source="upload")
    (release,) = library.releases
    assert release.source == "upload"
