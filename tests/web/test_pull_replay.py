"""The pull endpoint against bytes that nobody here made up, and against modules that pull."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Self

import pytest

from homeassistant.helpers import issue_registry as ir
from tests.kit.asking import PATH, SECRET, asking, sampled
from tests.kit.garden import CLOSED_AND_OPENED, Garden, until
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import PULL_REQUESTS, Fault, RecordedRequest, Seen
from tests.virtual_module.chips import Chip
from tests.virtual_module.recorded import SAMPLE_LOGIN

OPTIONAL = {
    Chip.ESP8266: "x-ESP8266-",
    Chip.ESP32: "x-ESP32-",
    Chip.RP2040: "x-Pico-",
}


@dataclass(frozen=True)
class Reply:
    """A reply as it came, taken apart no further than needed."""

    status_line: str
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, raw: bytes) -> Self:
        head, end, body = raw.partition(b"\r\n\r\n")
        assert end, f"no end of headers in {raw!r}"
        first, *lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        assert len(headers) == len(lines), f"a header came twice: {lines}"
        return cls(first, headers, body)


async def exchange(port: int, raw: bytes, sender: str = "127.0.0.1") -> Reply:
    """Send bytes and read to the end of the connection, which the endpoint closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(sender, 0))
    writer.write(raw)
    async with asyncio.timeout(10):
        reply = await reader.read()
    writer.close()
    return Reply.of(reply)


def aimed(recorded: RecordedRequest, port: int, secret: str = SECRET) -> RecordedRequest:
    path = f"{PATH}/{secret}" if secret else PATH
    return recorded.to(path, f"127.0.0.1:{port}")


def assert_nothing_new(reply: Reply, version: str = "1.0") -> None:
    """Check every byte that a module looks at."""
    assert reply.status_line == f"HTTP/{version} 304 Not Modified"
    assert reply.body == b""
    assert not {"transfer-encoding", "content-encoding", "location", "x-md5"} & set(reply.headers)
    assert reply.headers.get("content-length", "0") == "0"


@pytest.mark.parametrize("name", [name for name in PULL_REQUESTS if "version" not in name])
async def test_what_a_core_sends_is_answered_nothing_new(
    garden: Garden, port: int, name: str
) -> None:
    recorded = PULL_REQUESTS[name]
    module = await garden.add(sampled(recorded.chip))
    assert_nothing_new(await exchange(port, aimed(recorded, port).raw))
    facts = module.runtime_data.coordinator.facts()
    assert facts.family == {"rp2040": "rp2"}.get(recorded.chip, recorded.chip)
    assert facts.version == "1.4.0"


@pytest.mark.parametrize("name", [name for name in PULL_REQUESTS if name.endswith("no_version")])
async def test_a_sketch_need_not_say_its_version(garden: Garden, port: int, name: str) -> None:
    await garden.add(sampled(PULL_REQUESTS[name].chip))
    assert_nothing_new(await exchange(port, aimed(PULL_REQUESTS[name], port).raw))


async def test_a_version_query_gets_200_which_is_all_that_its_client_takes(
    garden: Garden, port: int
) -> None:
    await garden.add(sampled())
    await garden.release("1.5.0")
    reply = await exchange(port, aimed(PULL_REQUESTS["esp8266_git_version"], port).raw)
    assert reply.status_line == "HTTP/1.0 200 OK"
    assert reply.headers["x-version"] == "1.5.0"
    assert reply.body == b""


@pytest.mark.parametrize("name", [name for name in PULL_REQUESTS if name.endswith("login")])
async def test_a_login_may_stand_in_for_the_path(garden: Garden, port: int, name: str) -> None:
    recorded = PULL_REQUESTS[name]
    secret = SAMPLE_LOGIN.partition(":")[2]
    await garden.add(sampled(recorded.chip, pull_secret=secret))
    assert_nothing_new(await exchange(port, aimed(recorded, port, "").raw))
    # A login is no excuse for a wrong path.
    reply = await exchange(port, aimed(recorded, port, "wrong").raw)
    assert (reply.status_line, reply.body) == ("HTTP/1.0 404 Not Found", b"")


@pytest.mark.parametrize("name", ["esp8266_3", "esp32", "pico"])
async def test_every_header_but_the_identity_may_be_missing(
    garden: Garden, port: int, name: str
) -> None:
    recorded = aimed(PULL_REQUESTS[name], port)
    await garden.add(sampled(recorded.chip))
    names = [line.partition(":")[0] for line in recorded.lines[1:]]
    needed = {"Host", "User-Agent", f"{OPTIONAL[recorded.chip]}STA-MAC"}
    for missing in names:
        reply = await exchange(port, recorded.without(missing).raw)
        if missing not in needed:
            assert_nothing_new(reply)
        elif missing != "Host":
            assert (reply.status_line, reply.body) == ("HTTP/1.0 403 Forbidden", b"")


@pytest.mark.parametrize("name", ["esp8266_3", "esp32", "pico"])
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
async def test_the_case_of_names_does_not_matter(
    garden: Garden, port: int, name: str, case: Any
) -> None:
    recorded = aimed(PULL_REQUESTS[name], port)
    await garden.add(sampled(recorded.chip))
    lines = [":".join([case(x), y]) for x, y in (x.split(":", 1) for x in recorded.lines[1:])]
    recased = replace(recorded, lines=(recorded.lines[0], *lines))
    assert_nothing_new(await exchange(port, recased.raw))


async def test_http_1_1_is_understood_too(garden: Garden, port: int) -> None:
    await garden.add(sampled())
    raw = aimed(PULL_REQUESTS["esp8266_3"], port).raw.replace(b"HTTP/1.0", b"HTTP/1.1")
    assert_nothing_new(await exchange(port, raw), "1.1")


async def test_a_flood_of_strangers_is_told_once_and_hides_nobody(
    garden: Garden, port: int
) -> None:
    raw = aimed(PULL_REQUESTS["pico"], port).raw
    for number in range(32):
        stranger = raw.replace(b"a1:b2:c3", b"00:00:%02x" % number)
        assert_nothing_new(await exchange(port, stranger))
    await garden.hass.async_block_till_done()
    flows = garden.hass.config_entries.flow
    assert len(flows.async_progress()) == 4
    (issue,) = ir.async_get(garden.hass).issues.values()
    assert issue.translation_key == "left_out"
    assert_issue_is_whole(issue)

    honest = raw.replace(b"a1:b2:c3", b"00:01:00")
    assert_nothing_new(await exchange(port, honest, sender="127.0.0.7"))
    await garden.hass.async_block_till_done()
    assert len(flows.async_progress()) == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chip", "login"),
    [(Chip.ESP8266, ""), (Chip.ESP32, ""), (Chip.RP2040, ""), (Chip.ESP8266, f"m:{SECRET}@")],
)
async def test_a_module_that_pulls_is_updated(
    garden: Garden, port: int, chip: Chip, login: str
) -> None:
    entry = await garden.add(sampled(chip))
    release = await garden.release("1.1.0", chip.value)
    await garden.release("1.0.0", chip.value)
    path = PATH if login else f"{PATH}/{SECRET}"
    async with asking(port, chip, url=f"http://{login}127.0.0.1:{port}{path}") as module:
        await garden.runs("1.0.0")
        await garden.install()
        assert (await module.wait_for("back")).details["version"] == "1.1.0"
        assert module.running_md5 == release.image.plain_md5
        assert not module.events.count_of(Seen.PULL_FAILED)
        await until(lambda: garden.card.attributes["last_verdict"] == "verified")
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chip", "fault", "cause"),
    [
        (Chip.ESP8266, Fault.RESET, "connection_lost"),
        (Chip.ESP32, Fault.RESET, "connection_lost"),
        (Chip.ESP8266, Fault.NOT_ENOUGH_SPACE, "download_declined"),
        (Chip.ESP32, Fault.NOT_ENOUGH_SPACE, "download_declined"),
        (Chip.RP2040, Fault.NOT_ENOUGH_SPACE, "download_declined"),
        (Chip.RP2040, Fault.HANG_AFTER_ACCEPT, "stalled"),
        (Chip.ESP8266, Fault.HANG_MIDWAY, "stalled"),
        (Chip.ESP32, Fault.SILENT_DEATH, "no_poll"),  # it was tried again, and nobody asked
        (Chip.ESP8266, Fault.OLD_SKETCH_BACK, "old_firmware_asks"),
        (Chip.RP2040, Fault.NO_RESTART, "old_version_back"),
        (Chip.ESP32, Fault.WRONG_MD5, "old_firmware_asks"),
    ],
)
async def test_what_goes_wrong_with_a_pull_is_named(
    garden: Garden, port: int, chip: Chip, fault: Fault, cause: str
) -> None:
    limits = replace(garden.house.patience.pull, stall=0.5, offer=3.0)
    garden.house.patience = replace(garden.house.patience, pull=limits)
    await garden.add(sampled(chip))
    await garden.release("1.1.0", chip.value, size=1024 * 1024)
    await garden.release("1.0.0", chip.value)
    room = {"slot_size": 0x200000, "fs_size": 0x200000, "offline_time": 1.0}
    async with asking(port, chip, faults=[fault], **room):
        await garden.runs("1.0.0")
        await garden.refused(cause)
