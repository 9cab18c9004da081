"""The cores' virtual update servers meet curl, which nobody here wrote; and faults of any page."""

import asyncio
import gzip
import json
from pathlib import Path
import socket
import sys
from typing import Any

import pytest

from tests.kit.places import ROOT
from tests.tools.curl import SIZE, SUCCESS, Curl, image, module_with, needs_curl
from tests.virtual_module import Fault, Seen, build_filesystem, build_image, gzip_image

pytestmark = needs_curl

# The cores' update server


@pytest.mark.parametrize("chip", ["esp8266", "esp32", "rp2040"])
async def test_curl_updates_a_module_through_the_update_server(chip: str, curl_for: Any) -> None:
    async with module_with("update_server", chip) as module:
        curl = curl_for(module)
        said = await curl.upload("/update", "firmware", image(chip), *curl.origin)
        assert said.startswith("200 ")
        assert SUCCESS in said
        assert (await module.wait_for("back")).details["version"] == "2.0.0"
        assert module.running_image == image(chip)


@pytest.mark.parametrize("chip", ["esp8266", "esp32", "rp2040"])
async def test_the_field_tells_filesystems_apart_and_any_other_is_firmware(
    chip: str, curl_for: Any
) -> None:
    files = build_filesystem(16 * 1024)
    async with module_with("update_server", chip) as module:
        curl = curl_for(module)
        assert SUCCESS in await curl.upload("/update", "filesystem", files, *curl.origin)
        await module.wait_for("back")
        assert module.fs_image == files
        assert SUCCESS in await curl.upload("/update", "whatever", image(chip), *curl.origin)
        await module.wait_for("back", count=2)
        assert module.running_version == "2.0.0"


async def test_the_page_shows_both_fields_and_options_answers_y(curl_for: Any) -> None:
    async with module_with("update_server") as module:
        said = await curl_for(module)("/update")
        assert "name='firmware'" in said
        assert "name='filesystem'" in said
        assert await curl_for(module)("/update", "-X", "OPTIONS") == "200 y"
    async with module_with("update_server", "esp32") as module:
        assert (await curl_for(module)("/update", "-X", "OPTIONS")).startswith("404")


async def test_a_foreign_origin_is_refused_with_200_or_401(curl_for: Any) -> None:
    for arguments in ((), ("-H", "Origin: http://example.org")):
        async with module_with("update_server", "esp32") as module:
            said = await curl_for(module).upload("/update", "firmware", image("esp32"), *arguments)
            assert said == "200 Update error: Wrong origin received!"
            assert not module.events.count_of(Seen.FIRST_BYTE)
    async with module_with("update_server", "esp32", http={"password": "secret"}) as module:
        said = await curl_for(module).upload(
            "/update", "firmware", image("esp32"), "-u", "admin:secret"
        )
        assert said.startswith("401")
    async with module_with("update_server", "esp32", generation="legacy") as module:
        assert SUCCESS in await curl_for(module).upload("/update", "firmware", image("esp32"))


async def test_401_comes_after_the_whole_body_and_nothing_is_written(curl_for: Any) -> None:
    async with module_with("update_server", http={"password": "secret"}) as module:
        curl = curl_for(module)
        size_instead_of_status = ("-w", "|%{size_upload}")
        said = await curl.upload("/update", "firmware", image("esp8266"), *size_instead_of_status)
        size, _, body = said.partition(" ")
        assert body == ""
        assert int(size) > SIZE
        assert not module.events.count_of(Seen.FIRST_BYTE)
        said = await curl.upload("/update", "firmware", image("esp8266"), "-u", "admin:secret")
        assert SUCCESS in said


@pytest.mark.parametrize(
    ("chip", "data", "error"),
    [
        ("esp8266", b"<html>".ljust(SIZE), "ERROR[10]: Magic byte is not 0xE9"),
        ("esp32", b"<html>".ljust(SIZE), "Wrong Magic Byte"),
        ("esp32", gzip_image(image("esp32")), "Wrong Magic Byte"),
        ("esp32", image("esp32c3"), "Could Not Activate The Firmware"),
        ("esp8266", b"", "ERROR[13]: No data supplied"),
    ],
)
async def test_a_refusal_comes_with_200(chip: str, data: bytes, error: str, curl_for: Any) -> None:
    async with module_with("update_server", chip) as module:
        curl = curl_for(module)
        said = await curl.upload("/update", "firmware", data, *curl.origin)
        assert said == f"200 Update error: {error}"
        assert module.restarts == 0
        assert SUCCESS in await curl.upload("/update", "firmware", image(chip), *curl.origin)


async def test_an_esp8266_unpacks_gzip_since_core_2_7_and_checks_no_size(curl_for: Any) -> None:
    packed = gzip_image(image("esp8266"))
    async with module_with("update_server", core="2.6.0") as module:
        assert "ERROR[10]" in await curl_for(module).upload("/update", "firmware", packed)
    async with module_with("update_server") as module:
        assert SUCCESS in await curl_for(module).upload("/update", "firmware", packed)
        assert (await module.wait_for("back")).details["version"] == "2.0.0"
    async with module_with("update_server") as module:
        # A truncated file is taken: nobody said how long it should be. It bricks the module.
        half = image("esp8266")[: SIZE // 2]
        assert SUCCESS in await curl_for(module).upload("/update", "firmware", half)
        await module.wait_for(Seen.BRICKED)


async def test_too_large_for_the_room_is_error_4(curl_for: Any) -> None:
    async with module_with("update_server", slot_size=200 * 1024) as module:
        data = build_image("esp8266", version="2.0.0", size=120 * 1024)
        said = await curl_for(module).upload("/update", "firmware", data)
        assert said == "200 Update error: ERROR[4]: Not Enough Space"


@pytest.mark.slow
async def test_chunked_and_empty_bodies_reset_the_connection(curl_for: Any) -> None:
    async with module_with("update_server") as module:
        curl = curl_for(module)
        said = await curl.upload(
            "/update", "firmware", image("esp8266"), "-H", "Transfer-Encoding: chunked"
        )
        assert said.startswith("000")
        empty = ("-H", "Content-Type: multipart/form-data; boundary=x", "-d", "")
        assert (await curl("/update", "-X", "POST", *empty)).startswith("000")
        assert SUCCESS in await curl.upload("/update", "firmware", image("esp8266"))


async def test_another_page_is_not_found_once_the_body_is_read(curl_for: Any) -> None:
    async with module_with("update_server", http={"missing": True}) as module:
        said = await curl_for(module).upload("/update", "firmware", image("esp8266"))
        assert said == "404 Not found: /update"


async def test_esp_easy_has_one_field_and_no_origin_rule(curl_for: Any) -> None:
    async with module_with("esp_easy", "esp32") as module:
        curl = curl_for(module)
        page = await curl("/update")
        assert "name='firmware'" in page
        assert "filesystem" not in page
        assert SUCCESS in await curl.upload("/update", "firmware", image("esp32"))


# Faults


@pytest.mark.parametrize("dialect", ["update_server", "web_update", "esp_easy"])
async def test_a_reset_in_the_middle_leaves_the_module_ready(dialect: str, curl_for: Any) -> None:
    field = "update" if dialect == "web_update" else "firmware"
    async with module_with(dialect, faults={Fault.RESET: 1}) as module:
        curl = curl_for(module)
        assert (await curl.upload("/update", field, image("esp8266"))).startswith("000")
        assert (await curl.upload("/update", field, image("esp8266"))).startswith("200")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Fault.CLOSE_WITHOUT_OK, Fault.REBOOT_WITHOUT_OK])
async def test_a_restart_without_a_word(fault: Fault, curl_for: Any) -> None:
    async with module_with("update_server", faults=[fault]) as module:
        said = await curl_for(module).upload(
            "/update", "firmware", image("esp8266"), "--max-time", "2"
        )
        assert said.startswith("000")
        assert (await module.wait_for("back")).details["version"] == "2.0.0"


async def test_the_old_sketch_comes_back(curl_for: Any) -> None:
    async with module_with("update_server", faults=[Fault.OLD_SKETCH_BACK]) as module:
        assert SUCCESS in await curl_for(module).upload("/update", "firmware", image("esp8266"))
        assert (await module.wait_for("back")).details["version"] == "1.0.0"


@pytest.mark.slow
async def test_both_doors_are_open_and_shut_together() -> None:
    async with module_with("update_server") as module:
        ports = (module.port, module.http_port)
        await module.power_cycle()
        await module.wait_for("back")
        assert (module.port, module.http_port) == ports
        reader, writer = await asyncio.open_connection("127.0.0.1", module.http_port)
        writer.write(b"GET /update HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n")
        assert b"200 OK" in await reader.read()
        writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", ports[1])


@pytest.mark.slow
async def test_a_module_as_a_process_has_a_page_on_request(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.virtual_module", "--no-advertise", "--port", "0"),
        *("--time-scale", "0.005", "--password", "secret", "--http", f"update_server:{port}"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert json.loads(await process.stdout.readline())["event"] == "up"
        curl = Curl(port, tmp_path)
        said = await curl.upload("/update", "firmware", image("esp8266"), "-u", "admin:secret")
        assert SUCCESS in said
        while (event := json.loads(await process.stdout.readline()))["event"] != "back":
            pass
        assert event["version"] == "2.0.0"
        process.terminate()
        assert await process.wait() == 0


async def test_a_page_sends_its_bytes_packed_as_the_libraries_do() -> None:
    async with module_with("pretty_ota", "esp32") as module:
        reader, writer = await asyncio.open_connection("127.0.0.1", module.http_port)
        writer.write(b"GET /update HTTP/1.1\r\n\r\n")
        _, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert gzip.decompress(body) == b"<title>PrettyOTA</title>"
        writer.close()
