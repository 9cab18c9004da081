"""Uploads that no build machine sends: they are answered, and leave nothing."""

from http import HTTPStatus
from typing import Any

from aiohttp.test_utils import TestClient
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import Library
from homeassistant.core import HomeAssistant
from tests.kit.entries import firmware

URL = "/api/esp_ota/firmware"
BOUNDARY = {"Content-Type": "multipart/form-data; boundary=x"}

type Client = TestClient[Any, Any]


@pytest.fixture
async def client(esp_ota: None, hass_client: ClientSessionGenerator) -> Client:
    return await hass_client()


@pytest.fixture
def library(hass: HomeAssistant, esp_ota: None) -> Library:
    return hass.data[HOUSE].library


def form(disposition: bytes, data: bytes) -> bytes:
    head = b"--x\r\nContent-Disposition: form-data; " + disposition
    return head + b"\r\n\r\n" + data + b"\r\n--x--\r\n"


@pytest.mark.parametrize(
    "disposition",
    [
        b'name="file"; filename="\xff\xfe.bin"',
        b'name="file"; filename="../../etc/passwd\x1b.bin"',
        b"name=\"file\"; filename*=utf-8''%ED%A0%80.bin",
        b"name=\"file\"; filename*=utf-16''%D8%00.bin",
        b'name="file"; filename="' + b"x" * 4000 + b'.bin"',
        b'name="\xff"; filename="a.bin"',
        b'name="file"',
        b'name=""',
    ],
)
@pytest.mark.filterwarnings("ignore:.*filename")
@pytest.mark.parametrize("data", [b"<html>no</html>", firmware("1.1.0")], ids=["page", "image"])
async def test_odd_names_of_files_are_answered(
    client: Client, library: Library, disposition: bytes, data: bytes
) -> None:
    answer = await client.post(URL, data=form(disposition, data), headers=BOUNDARY)
    assert answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    assert await answer.json()
    assert len(library.releases) <= 1


@pytest.mark.parametrize(
    "query",
    ["file=%ED%A0%80.bin", "file=%FF", "notes=%ED%A0%80", "firmware=%F0%9F", "version=%ED%BF%BF"],
)
async def test_odd_words_in_the_address_are_answered(
    client: Client, library: Library, query: str
) -> None:
    for data in (b"<html>no</html>", firmware("1.1.0")):
        answer = await client.post(f"{URL}?{query}", data=data)
        assert answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        assert await answer.json()
