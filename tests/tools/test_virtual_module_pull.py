"""Modules that pull ask byte by byte as the cores do, and believe what the cores believe."""

import gzip
import hashlib
from typing import Any

import pytest

from tests.tools.chips import ESP32, ESP8266, PICO, PULLERS, SIZE, image_for
from tests.virtual_module import (
    PULL_REQUESTS,
    Generation,
    ModuleConfig,
    PullConfig,
    PullMode,
    RecordedRequest,
    Seen,
    build_filesystem,
)
from tests.virtual_module.chips import Chip
from tests.virtual_module.images import FLASH_MODES
from tests.virtual_module.plain_server import NOTHING_NEW, offer, pulling
from tests.virtual_module.recorded import SAMPLE_LOGIN, SAMPLE_MAC, sample_image

# What they ask


def configured(recorded: RecordedRequest) -> dict[str, Any]:
    """Return the module that would send a recorded request."""
    mode = recorded.header("x-Pico-Mode") or recorded.header(
        "x-ESP32-mode" if recorded.chip is Chip.ESP32 else "x-ESP8266-mode"
    )
    assert mode is not None
    tells = any("-version: 1.4.0" in line.lower() for line in recorded.lines)
    user, _, password = SAMPLE_LOGIN.partition(":")
    login = {"username": user, "password": password} if recorded.header("Authorization") else {}
    no_md5 = recorded.core == "1.0"
    pull = {
        "steps": (PullMode(mode),),
        "tells_version": tells,
        "without": ["x-ESP32-sketch-md5"] if no_md5 else [],
    }
    config = {
        "chip": recorded.chip,
        "generation": Generation.LEGACY,
        "image": sample_image(recorded.chip),
        "mac": SAMPLE_MAC,
        "pull": pull | login,
    }
    return config | ({"core": recorded.core} if recorded.chip is Chip.ESP8266 else {})


@pytest.mark.parametrize("name", PULL_REQUESTS)
async def test_the_request_is_the_cores_to_the_letter(name: str) -> None:
    recorded = PULL_REQUESTS[name]
    async with pulling(**configured(recorded)) as (module, server):
        await module.wait_for("answered")
        assert server.requests[0] == recorded.to("/update", f"127.0.0.1:{server.port}").raw
        assert module.asked[0] == server.requests[0]


def test_every_generation_is_written_down() -> None:
    cores = {(one.chip, one.core) for one in PULL_REQUESTS.values()}
    assert {core for chip, core in cores if chip is Chip.ESP8266} == {
        *("2.3.0", "2.4.2", "2.5.2", "2.6.3", "2.7.4", "3.1.2", "3.2.0"),
    }
    assert {chip for chip, _ in cores} == {Chip.ESP8266, Chip.ESP32, Chip.RP2040}
    assert all(one.source for one in PULL_REQUESTS.values())


def test_a_recorded_request_can_be_sent_elsewhere_and_lose_a_header() -> None:
    recorded = PULL_REQUESTS["esp8266_3"].to("/api/x?y=1", "10.0.0.5:8123")
    assert recorded.raw.startswith(b"GET /api/x?y=1 HTTP/1.0\r\nHost: 10.0.0.5:8123\r\nUser-")
    assert recorded.raw.endswith(b"\r\nContent-Length: 0\r\n\r\n")
    less = recorded.without("X-esp8266-SKETCH-md5")
    assert len(less.lines) == len(recorded.lines) - 1
    assert less.header("x-ESP8266-sketch-md5") is None
    with pytest.raises(AssertionError, match="no x-nothing"):
        recorded.without("x-nothing")


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("http://127.0.0.1:{port}", b"GET / HTTP/1.0\r\nHost: 127.0.0.1:"),
        ("http://127.0.0.1:{port}/a/b?c=d", b"GET /a/b?c=d HTTP/1.0\r\nHost: 127.0.0.1:"),
        ("http://u:p%40@127.0.0.1:{port}/a", b"GET /a HTTP/1.0\r\nHost: 127.0.0.1:"),
    ],
)
async def test_a_url_is_sent_as_it_is(url: str, start: bytes) -> None:
    async with pulling(pull={"poll_interval": 60.0}) as (_, first):
        given = {"pull": {"url": url.format(port=first.port)}}
        async with pulling(**given) as (module, _):
            await module.wait_for("no_update")
        asked = first.requests[-1]
    assert asked.startswith(start)
    # Nobody decodes a login, and no login is sent that the URL does not have.
    assert (b"Authorization: Basic dTpwJTQw\r\n" in asked) == ("@" in url)


@pytest.mark.parametrize("chip", PULLERS)
async def test_each_header_may_be_missing_alone(chip: dict[str, Any]) -> None:
    async with pulling(**chip) as (module, _):
        await module.wait_for("answered")
        whole = module.asked[0].split(b"\r\n")
    names = [line.partition(b":")[0].decode() for line in whole[1:-2]]
    assert len(names) > 6
    for name in names:
        async with pulling(**chip, pull={"without": [name.upper()]}) as (module, server):
            await module.wait_for("answered")
            now = server.requests[0].split(b"\r\n")
            missing = [line.partition(b":")[0].decode() for line in whole if line not in now]
            assert missing in ([name], ["Host", name])  # the port differs


def test_what_no_client_could_ask_is_no_configuration() -> None:
    with pytest.raises(ValueError, match="speak http"):
        PullConfig(url="https://127.0.0.1/")
    pull = PullConfig(url="http://127.0.0.1/", steps=(PullMode.VERSION,))
    with pytest.raises(ValueError, match="asks for version"):
        ModuleConfig(chip=Chip.ESP32, pull=pull)


# What becomes of it


@pytest.mark.parametrize("chip", PULLERS)
async def test_an_offered_sketch_runs_and_says_so_at_the_next_poll(chip: dict[str, Any]) -> None:
    image = image_for(chip)
    async with pulling(NOTHING_NEW, offer(image), **chip) as (module, server):
        assert (await module.wait_for("back")).details["version"] == "2.0.0"
        await module.wait_for("no_update", count=2)
        assert module.running_image == image
        assert server.endings[1] == "closed"
        before, _, after = [request.decode() for request in server.requests[:3]]
        assert "ersion: 1.0.0\r\n" in before
        assert "ersion: 2.0.0\r\n" in after
        if chip is not PICO:
            assert f"-sketch-md5: {hashlib.md5(image).hexdigest()}\r\n" in after
            assert f"-sketch-size: {SIZE}\r\n" in after


@pytest.mark.parametrize(
    ("chip", "told"),
    [
        (ESP8266, [b"free-space: %d" % (0x200000 - 96 * 1024), b"free-space: 2064384"]),
        (ESP32, [b"free-space: 1310720", b"free-space: 1310720"]),
        (ESP32 | {"slot_size": 0x1E0000}, [b"free-space: 1966080"] * 2),
    ],
)
async def test_the_free_space_is_that_of_the_slot(chip: dict[str, Any], told: list[bytes]) -> None:
    async with pulling(offer(image_for(chip)), **chip) as (module, server):
        await module.wait_for("no_update")
        asked = [server.requests[0], server.requests[1]]
        assert all(text in request for text, request in zip(told, asked, strict=True))


async def test_a_signature_behind_the_sketch_is_no_part_of_it() -> None:
    image = image_for(ESP8266)
    signed = image + bytes(256) + (256).to_bytes(4, "little")
    async with pulling(offer(signed), **ESP8266) as (module, server):
        await module.wait_for("no_update")
        assert hashlib.md5(image).hexdigest().encode() in server.requests[1]


@pytest.mark.parametrize(("core", "patched"), [("2.3.0", False), ("3.1.2", True)])
async def test_an_esp8266_keeps_its_flash_mode_and_so_has_another_md5(
    core: str, patched: bool
) -> None:
    image = image_for(ESP8266, flash_mode="qio")
    async with pulling(offer(image), **ESP8266, core=core) as (module, _):
        await module.wait_for("back")
        mode = FLASH_MODES["dio" if patched else "qio"]
        assert module.running_image == image[:2] + bytes([mode]) + image[3:]
        assert (module.running_md5 != hashlib.md5(image).hexdigest()) == patched


@pytest.mark.parametrize(
    ("chip", "runs"),
    [
        (ESP8266, True),
        (ESP8266 | {"core": "2.7.0"}, True),
        (ESP8266 | {"core": "2.6.3"}, False),
        (ESP32, False),
        (PICO, True),
    ],
)
async def test_gzip_is_for_those_who_unpack_it(chip: dict[str, Any], runs: bool) -> None:
    image = image_for(chip)
    async with pulling(offer(gzip.compress(image)), **chip) as (module, _):
        if runs:
            await module.wait_for("back")
            assert module.running_image == image
        else:
            failed = await module.wait_for("pull_failed")
            assert failed.details["text"] == "Verify Bin Header Failed"
            assert not module.events.count_of(Seen.FIRST_BYTE)


@pytest.mark.parametrize(
    ("chip", "restarts"),
    [(ESP8266, 0), (ESP8266 | {"core": "2.3.0"}, 1), (ESP32, 0), (PICO, 0)],
)
async def test_files_are_replaced_and_only_the_oldest_core_restarts(
    chip: dict[str, Any], restarts: int
) -> None:
    files = build_filesystem(16 * 1024)
    pull = {"steps": (PullMode.FILESYSTEM,)}
    async with pulling(offer(files), **chip, pull=pull) as (module, server):
        await module.wait_for("no_update")
        assert module.fs_image == files
        assert module.restarts == restarts
        assert b"ode: spiffs\r\n" in server.requests[0]


@pytest.mark.parametrize("chip", PULLERS)
async def test_a_sketch_may_fetch_files_first_and_itself_after(chip: dict[str, Any]) -> None:
    files, image = build_filesystem(16 * 1024), image_for(chip)
    pull = {"steps": (PullMode.FILESYSTEM, PullMode.SKETCH), "poll_interval": 30.0}
    async with pulling(offer(files), offer(image), **chip, pull=pull) as (module, server):
        await module.wait_for("back")
        await module.wait_for("no_update", count=2)
        assert (module.fs_image, module.running_image) == (files, image)
        modes = [b"ode: sketch" in request for request in server.requests]
        assert modes == [False, True, False, True]


async def test_version_mode_wants_200_with_a_version_and_takes_no_body() -> None:
    told = offer(b"ignored", "x-version: 2.1.0")
    pull = {"steps": (PullMode.VERSION,)}
    async with pulling(told, offer(b""), core="3.2.0", pull=pull) as (module, server):
        assert (await module.wait_for("version_told")).details["version"] == "2.1.0"
        assert (await module.wait_for("pull_failed")).details["code"] == -109
        # There is no "nothing new" in this mode.
        assert (await module.wait_for("pull_failed", count=2)).details["code"] == -104
        assert b"x-ESP8266-mode: version\r\n" in server.requests[0]
