"""Virtual update pages meet curl, which nobody here wrote, and the rules of their sources."""

import asyncio
import base64
import gzip
import hashlib
import json
from pathlib import Path
import shutil
import socket
import sys
from typing import Any

import pytest

from tests.kit.places import ROOT
from tests.virtual_module import (
    Fault,
    HttpConfig,
    HttpDialect,
    HttpModule,
    ModuleConfig,
    Seen,
    build_filesystem,
    build_image,
    gzip_image,
)

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")

SIZE = 32 * 1024
SUCCESS = "Update Success! Rebooting..."


def module_with(dialect: str, chip: str = "esp8266", **config: Any) -> HttpModule:
    """Return a quick module; the keyword `http` has fields of its update page."""
    http = HttpConfig(dialect=HttpDialect(dialect), **config.pop("http", {}))
    defaults = {"time_scale": 0.005, "limit_scale": 0.3}
    return HttpModule(ModuleConfig(chip=chip, **defaults | config), http)


class Curl:
    """Runs curl against one module."""

    def __init__(self, port: int, folder: Path) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._folder = folder
        self.origin = ("-H", f"Origin: {self._base}")

    def file(self, data: bytes) -> str:
        """Keep bytes where curl finds them."""
        path = self._folder / hashlib.md5(data).hexdigest()
        path.write_bytes(data)
        return str(path)

    async def __call__(self, path: str, *arguments: str) -> str:
        """Return status and body as one line; the status is 000 without an answer."""
        assert CURL is not None
        process = await asyncio.create_subprocess_exec(
            CURL,
            *("--silent", "--max-time", "20", "--compressed", "--noproxy", "*"),
            *("--write-out", "|%{http_code}", *arguments, self._base + path),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        body, _, status = output.decode("latin-1").rpartition("|")
        return f"{status} {body.strip()}"

    async def upload(self, path: str, field: str, data: bytes, *arguments: str) -> str:
        """Send a form with one file."""
        return await self(path, *arguments, "-F", f"{field}=@{self.file(data)}")


@pytest.fixture
def curl_for(tmp_path: Path) -> Any:
    """Return what makes a curl for a module."""
    return lambda module: Curl(module.http_port, tmp_path)


def image(chip: str, version: str = "2.0.0") -> bytes:
    return build_image(chip, version=version, size=SIZE)


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
