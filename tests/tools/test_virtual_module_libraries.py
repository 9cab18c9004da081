"""Virtual pages of libraries and whole firmwares meet curl, and the rules of their sources."""

import base64
import hashlib
import json
from typing import Any

import pytest

from tests.tools.curl import SIZE, image, module_with, needs_curl
from tests.virtual_module import Fault, build_filesystem

pytestmark = needs_curl

# The examples and the libraries


@pytest.mark.parametrize("chip", ["esp8266", "esp32"])
async def test_the_example_says_ok_or_fail_and_restarts_in_both_cases(
    chip: str, curl_for: Any
) -> None:
    async with module_with("web_update", chip) as module:
        curl = curl_for(module)
        assert "name='update'" in await curl("/")
        assert await curl.upload("/update", "update", b"<html>".ljust(SIZE)) == "200 FAIL"
        assert (await module.wait_for("back")).details["version"] == "1.0.0"
        assert await curl.upload("/update", "update", image(chip)) == "200 OK"
        assert (await module.wait_for("back", count=2)).details["version"] == "2.0.0"


@pytest.mark.parametrize("asynchronous", [True, False])
@pytest.mark.parametrize("chip", ["esp8266", "esp32", "rp2040"])
async def test_elegant_ota_never_checks_its_md5(
    chip: str, asynchronous: bool, curl_for: Any
) -> None:
    async with module_with("elegant_ota", chip, http={"asynchronous": asynchronous}) as module:
        curl = curl_for(module)
        assert "/ota/start" in await curl("/update")
        assert await curl("/ota/start?mode=fr&hash=12") == "400 MD5 parameter invalid"
        assert await curl(f"/ota/start?mode=fr&hash={'0' * 32}") == "200 OK"
        assert await curl.upload("/ota/upload", "file", image(chip)) == "200 OK"
        assert (await module.wait_for("back")).details["version"] == "2.0.0"
        files = build_filesystem(16 * 1024)
        assert await curl("/ota/start?mode=fs") == "200 OK"
        assert await curl.upload("/ota/upload", "file", files) == "200 OK"
        await module.wait_for("back", count=2)
        assert module.fs_image == files


async def test_elegant_ota_appends_to_what_an_earlier_host_has_left(curl_for: Any) -> None:
    data = image("esp32")
    md5 = hashlib.md5(data).hexdigest()
    async with module_with("elegant_ota", "esp32", faults={Fault.RESET: 1}) as module:
        curl = curl_for(module)
        assert await curl(f"/ota/start?mode=fr&hash={md5}") == "200 OK"
        assert (await curl.upload("/ota/upload", "file", data)).startswith("000")
        # It says OK and begins nothing; but the MD5 of all that came is checked this once.
        assert await curl(f"/ota/start?mode=fr&hash={md5}") == "200 OK"
        assert await curl.upload("/ota/upload", "file", data) == "400 MD5 Check Failed"
        assert await curl(f"/ota/start?mode=fr&hash={md5}") == "200 OK"
        assert await curl.upload("/ota/upload", "file", data) == "200 OK"


async def test_elegant_ota_refuses_with_400(curl_for: Any) -> None:
    async with module_with("elegant_ota", "esp32", http={"password": "x"}) as module:
        curl = curl_for(module)
        assert (await curl("/ota/start?mode=fr")).startswith("401")
        who = ("-u", "admin:x")
        assert await curl("/ota/start?mode=fr", *who) == "200 OK"
        said = await curl.upload("/ota/upload", "file", image("esp32c3"), *who)
        assert said == "400 Could Not Activate The Firmware"
        assert module.restarts == 0


@pytest.mark.parametrize("chip", ["esp8266", "esp32"])
async def test_async_elegant_ota_wants_the_md5_first(chip: str, curl_for: Any) -> None:
    data = image(chip)
    md5 = hashlib.md5(data).hexdigest()
    async with module_with("async_elegant_ota", chip) as module:
        curl = curl_for(module)
        found = json.loads((await curl("/update/identity")).removeprefix("200 "))
        assert found["hardware"] == chip.upper()
        file = f"firmware=@{curl.file(data)};filename=firmware"
        assert "MD5 parameter missing" in await curl("/update", "-F", file)
        assert "MD5 parameter missing" in await curl("/update", "-F", file, "-F", f"MD5={md5}")
        assert "MD5 parameter invalid" in await curl("/update", "-F", "MD5=12", "-F", file)
        assert await curl("/update", "-F", f"MD5={md5}", "-F", file) == "200 OK"
        assert (await module.wait_for("back")).details["version"] == "2.0.0"
        files = build_filesystem(16 * 1024)
        file = f"any=@{curl.file(files)};filename=filesystem"
        assert await curl("/update", "-F", f"MD5={md5}", "-F", file) == "200 OK"
        assert module.fs_image == files


async def test_pretty_ota_logs_in_checks_and_is_busy(curl_for: Any) -> None:
    data = image("esp32")
    md5 = hashlib.md5(data).hexdigest()
    start = f"/prettyota/start?mode=fw&reboot=true&hash={md5}"
    async with module_with("pretty_ota", "esp32", http={"password": "secret"}) as module:
        curl = curl_for(module)
        info = json.loads((await curl("/prettyota/queryPrettyOTAInfo")).removeprefix("200 "))
        assert info["authenticationEnabled"] is True
        assert (await curl("/update")).startswith("302")
        assert await curl(start) == "401 Not authenticated"

        def login(password: str) -> str:
            digest = hashlib.md5(password.encode()).hexdigest()
            return json.dumps({"userId": "admin", "password": digest})

        assert "401" in await curl(info["loginURL"], "-d", login("wrong"))
        said = await curl(info["loginURL"], "-d", login("secret"), "-D", "-")
        cookie = next(line for line in said.splitlines() if line.startswith("Set-Cookie: "))
        known = ("-H", "Cookie: " + cookie.removeprefix("Set-Cookie: ").strip())
        for name in ("mode", "reboot", "hash"):
            missing = start.replace(f"{name}=", "other=")
            assert await curl(missing, *known) == f"400 Missing parameter in URL: {name}"
        assert (await curl(start.replace(md5, "0" * 32), *known)).startswith("200")
        assert await curl(start, *known) == "400 An update is already running"
        said = await curl.upload("/prettyota/upload", "file", data, *known)
        assert said.startswith("400 ERROR_HASH_MISMATCH")
        assert (await curl(start, *known)).startswith("200")
        assert await curl.upload("/prettyota/upload", "file", data, *known) == "200 "
        assert (await module.wait_for("back")).details["version"] == "2.0.0"


# Whole firmwares, and WiFiOTA


async def test_tasmota_wants_its_page_first_and_a_referer_of_its_own(curl_for: Any) -> None:
    data = image("esp8266")
    own = ("-H", "Referer: http://127.0.0.1/")
    async with module_with("tasmota", http={"password": "x"}) as module:
        curl = curl_for(module)
        who = ("-u", "admin:x", *own)
        assert (await curl("/up", "-u", "admin:x")).startswith("000")
        assert (await curl("/up", "-u", "admin:x", "-H", "Referer: http://1.2.3.4/")).startswith(
            "000"
        )
        assert (await curl("/up", *own)).startswith("401")
        said = await curl.upload(f"/u2?fsz={SIZE}", "u2", data, *who)
        assert "Failed" in said
        assert "Not enough space" in said  # taken for settings
        assert "name='u2'" in await curl("/up", *who)
        said = await curl.upload(f"/u2?fsz={SIZE}", "u2", b"<html>".ljust(SIZE), *who)
        assert "Magic byte is not 0xE9" in said
        said = await curl.upload(f"/u2?fsz={SIZE}", "u2", data, *who)
        assert "Successful" in said
        assert (await module.wait_for("back")).details["version"] == "2.0.0"


async def test_tasmota_names_itself_on_every_page(curl_for: Any) -> None:
    async with module_with("tasmota") as module:
        said = await curl_for(module)("/no/such/page", "-D", "-")
        assert "HTTP/1.1 404" in said
        assert "Server: Tasmota/" in said


async def test_wifi_ota_takes_a_bare_body_and_compares_letter_by_letter(curl_for: Any) -> None:
    data = image("esp8266")
    async with module_with("wifi_ota", http={"password": "x"}) as module:
        curl = curl_for(module)
        body = ("--data-binary", f"@{curl.file(data)}", "-H", "Expect:")
        assert await curl("/sketch", *body) == "401 Unauthorized"
        assert await curl("/", *body) == "404 Not Found"
        small = ("-H", "authorization: Basic " + base64.b64encode(b"arduino:x").decode())
        assert await curl("/sketch", *body, *small) == "401 Unauthorized"
        assert await curl("/sketch", "-X", "POST", "-u", "arduino:x") == "400 Bad Request"
        assert await curl("/sketch", *body, "-u", "arduino:x") == "200 OK"
        assert (await module.wait_for("back")).details["version"] == "2.0.0"


async def test_wifi_ota_replaces_files_too(curl_for: Any) -> None:
    files = build_filesystem(16 * 1024)
    async with module_with("wifi_ota") as module:
        curl = curl_for(module)
        body = ("--data-binary", f"@{curl.file(files)}", "-u", "arduino:")
        assert await curl("/data", *body) == "200 OK"
        await module.wait_for("back")
        assert module.fs_image == files
