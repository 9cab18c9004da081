"""Which update page is it? Found out by looking, and said when it cannot be told."""

import gzip

import pytest

from custom_components.esp_ota.ota import Cause, Delivery, OtaError, UploadDialect, recognise
from custom_components.esp_ota.ota.exceptions import ModuleAuthError, ModuleConnectionError
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.transport.uploading import PAGES, page as module_page, quick, upload
from tests.ota.transport.web_scripts import page, web
from tests.virtual_module import HttpDialect, Seen

LOOKED_AT = [one for one in PAGES if one.values[0] is not HttpDialect.WIFI_OTA]
LOCKED = [one for one in LOOKED_AT if one.values[0] not in {"pretty_ota", "tasmota", "web_update"}]
"""Those that show nothing of themselves without a password."""


async def unrecognised(port: int, password: str | None = None) -> OtaError:
    with pytest.raises(OtaError) as caught:
        await recognise("127.0.0.1", port, password=password, limits=quick())
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


@pytest.mark.parametrize(("dialect", "chip"), LOOKED_AT)
async def test_each_page_is_recognised_and_nothing_happens_to_the_module(
    dialect: str, chip: str
) -> None:
    async with module_page(dialect, chip, password="secret") as module:
        found = await recognise("127.0.0.1", module.http_port, password="secret", limits=quick())
        assert found == dialect
        assert {line.split(" ")[0] for line in module.requests} == {"GET"}
        # Tasmota's own page decides what its next upload is taken for.
        assert not any("/up " in line for line in module.requests)
        assert set(module.events.names()) <= {"up", "closed"}


async def test_wifi_ota_is_known_by_its_port_and_not_even_visited() -> None:
    assert await recognise("127.0.0.1", 65280) is UploadDialect.WIFI_OTA


async def test_without_a_dialect_each_upload_begins_with_a_look() -> None:
    async with module_page("elegant_ota") as module:
        assert await upload(module, dialect=None).send() is Delivery.ACCEPTED
        await module.wait_for("back")


@pytest.mark.parametrize(("dialect", "chip"), LOCKED)
async def test_a_locked_page_asks_for_the_password(dialect: str, chip: str) -> None:
    async with module_page(dialect, chip, password="secret") as module:
        error = await unrecognised(module.http_port)
        assert isinstance(error, ModuleAuthError)
        assert error.cause is Cause.PASSWORD_MISSING
        error = await unrecognised(module.http_port, password="wrong")
        assert error.cause is Cause.WRONG_PASSWORD


async def test_a_module_without_an_update_page_shows_what_is_there() -> None:
    async with module_page("update_server", missing=True, hostname="garden-valve") as module:
        error = await unrecognised(module.http_port)
        assert isinstance(error, ModuleConnectionError)
        assert error.cause is Cause.UNKNOWN_DIALECT
        assert error.facts["text"].startswith("/: 200 'garden-valve', /update: 404")
        assert not module.events.count_of(Seen.ABORTED)


async def test_a_page_at_a_path_of_its_own_is_found_there() -> None:
    async with module_page("update_server", path="/firmware") as module:
        assert await upload(module, dialect=None, path="/firmware").send() is Delivery.ACCEPTED
        assert "GET /update HTTP/1.1" not in module.requests


@pytest.mark.parametrize(
    "login",
    [
        page(b"", b"Location: /login?to=update", status=b"302 Found"),
        page(b'<form><INPUT name="p" type="password"></form>'),
    ],
)
async def test_a_login_page_is_told_from_an_update_page(login: bytes) -> None:
    async with web({"/update": login}) as server:
        error = await unrecognised(server.port)
        assert isinstance(error, ModuleAuthError)
        assert error.cause is Cause.LOGIN_REQUIRED


@pytest.mark.parametrize(
    ("pages", "dialect"),
    [
        ({"/update": page(b'<input name="firmware" type=password>')}, "esp_easy"),
        ({"/": page(b"<form action=/update><input type=file name=update>")}, "web_update"),
        ({"/update": page(b"<input name = 'filesystem'>")}, "update_server"),
        (
            {"/update": page(gzip.compress(b"`/ota/start?mode=`"), b"content-encoding: GZIP")},
            "elegant_ota",
        ),
        ({"/x": b"", "/update": page(b"", b"server: Tasmota/9.1.0")}, "tasmota"),
    ],
)
async def test_signs_are_found_however_they_are_written(
    pages: dict[str, bytes], dialect: str
) -> None:
    async with web(pages) as server:
        assert await recognise("127.0.0.1", server.port, limits=quick()) == dialect


async def test_a_server_that_says_nothing_is_named() -> None:
    async with web({"/prettyota/queryPrettyOTAInfo": b""}) as server:
        error = await unrecognised(server.port)
        assert error.cause is Cause.HTTP_NO_ANSWER
        assert error.retryable


async def test_what_is_no_http_is_shown() -> None:
    async with web(dict.fromkeys(["/", "/update"], b"SSH-2.0-dropbear\r\n")) as server:
        error = await unrecognised(server.port)
        assert error.cause is Cause.UNKNOWN_DIALECT
        assert "/: ? 'SSH-2.0-dropbear'" in error.facts["text"]
