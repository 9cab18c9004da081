"""A short form of `script/fuzz pull`, and proof that it finds what it looks for."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
import json
import logging
from typing import Any

from aiohttp import web
import pytest

from custom_components.esp_ota.ota import PullLimits
from tests.fuzz import __main__ as fuzz
from tests.fuzz._asking import Asker
from tests.fuzz._cases import Case, Cases
from tests.fuzz._house import HOUSE_SECRET, OTHER_MAC, OWN_SECRET, Alarms, entries
from tests.kit.entries import firmware
from tests.kit.garden import Garden, until
from tests.virtual_module import PULL_REQUESTS
from tests.virtual_module.plain_server import PlainServer, offer
from tests.virtual_module.recorded import SAMPLE_MAC


@pytest.fixture
async def port(garden: Garden) -> AsyncIterator[int]:
    """Return where a house listens that has an install open."""
    limits = PullLimits(offer=60.0, hold=60.0)
    garden.house.patience = replace(garden.house.patience, pull=limits)
    for entry in entries():
        await garden.add(entry)
    runner = web.AppRunner(garden.hass.http.app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.slow
async def test_generated_requests_find_nothing(
    garden: Garden, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    release = await garden.release("2.0.0")
    image = await garden.house.library.async_read(release)
    installing = asyncio.create_task(garden.install())
    await until(lambda: garden.card.attributes["stage"] == "queued")
    alarms: list[dict[str, Any]] = []
    handler = Alarms(alarms.append)
    logging.getLogger().addHandler(handler)

    asker, cases = Asker(port, image, 1), Cases(1, HOUSE_SECRET)
    for _ in range(15):
        await asyncio.gather(*(asker.ask(cases.next()) for _ in range(15)))
    assert (await asker.poll(HOUSE_SECRET, OTHER_MAC))[0] == "304"
    await asyncio.gather(*(asker.ask(cases.next()) for _ in range(100)))

    assert asker.failures == []
    assert asker.statuses["404"] > 50
    assert asker.statuses["304"] > 10
    # The offer was there all the time.
    assert await asker.poll(OWN_SECRET, SAMPLE_MAC) == ("200", image)
    installing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await installing
    await garden.hass.async_block_till_done()
    logging.getLogger().removeHandler(handler)
    assert alarms == []
    assert "Login attempt" not in caplog.text


def test_the_same_seed_makes_the_same_requests() -> None:
    def some(seed: int) -> list[Case]:
        cases = Cases(seed, HOUSE_SECRET)
        return [cases.next() for _ in range(150)]

    first = some(1)
    assert first == some(1)
    assert first != some(2)
    assert len({case.kind for case in first}) == 12
    assert not any(OWN_SECRET.encode() in case.raw for case in first)


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        pytest.param(offer(b"anything"), "x-MD5", id="an offer"),
        pytest.param(b"HTTP/1.1 404 Go\r\n\r\n" + firmware("1.0.0"), "xe9", id="an image"),
        pytest.param(b"HTTP/1.1 500 Oops\r\n\r\n", "500", id="a broken server"),
    ],
)
async def test_what_must_not_come_back_is_seen(reply: bytes, found: str) -> None:
    plain = PlainServer(reply)
    server = await asyncio.start_server(plain.serve, "127.0.0.1", 0)
    async with server:
        asker = Asker(server.sockets[0].getsockname()[1], firmware("1.0.0"), 1)
        raw = PULL_REQUESTS["esp32"].raw
        await asker.ask(Case(kind="module", raw=raw))
        await asker.ask(Case(kind="module", raw=raw))  # 304 by now
        server.close_clients()
    assert len(asker.failures) == 1
    assert found in asker.failures[0]


def test_an_exception_in_the_log_is_an_alarm_and_a_broken_request_is_none() -> None:
    alarms: list[dict[str, Any]] = []
    log = logging.getLogger("any.component")
    log.addHandler(Alarms(alarms.append))
    log.warning("nothing special")
    assert alarms == []
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        log.warning("caught", exc_info=True)
    log.error("broke")
    assert len(alarms) == 2
    assert "ZeroDivisionError" in alarms[0]["alarm"]


def test_script_fuzz_runs_a_part_and_fails_with_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(runs: int, seed: int) -> dict[str, Any]:
        return {"runs": runs, "seed": seed, "failures": ["one"] if seed == 3 else []}

    monkeypatch.setattr("tests.fuzz.pull.run", run)
    monkeypatch.setattr("sys.argv", ["fuzz", "pull", "--seed", "2"])
    assert fuzz.main() == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 100_000
    monkeypatch.setattr("sys.argv", ["fuzz", "pull", "--seed", "3", "--runs", "5"])
    assert fuzz.main() == 1
    assert json.loads(capsys.readouterr().out) == {"runs": 5, "seed": 3, "failures": ["one"]}
