"""PrettyOTA's own way back to what ran before, and pages that have none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    ArduinoOtaPush,
    Cause,
    Delivery,
    Fixed,
    HttpPull,
    HttpUpload,
    OtaError,
    PullDesk,
    SafeStateError,
    Transport,
    UploadDialect,
)
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.transport.uploading import CHIPS, page, quick, upload
from tests.ota.transport.web_scripts import GOOD, page as reply, web
from tests.virtual_module import HttpModule

INFO = "/prettyota/queryInfo"
SWITCH = "/prettyota/doRollback"
POSSIBLE = reply(b'{"rollbackPossible": true}')


def pretty(port: int, **options: Any) -> HttpUpload:
    options = {"dialect": UploadDialect.PRETTY_OTA, "limits": quick()} | options
    return HttpUpload(Fixed("127.0.0.1", port), **options)


async def refused(transport: Transport) -> OtaError:
    with pytest.raises(OtaError) as caught:
        await transport.switch_back(before_switch=lambda: None)
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


@asynccontextmanager
async def updated(**config: Any) -> AsyncIterator[HttpModule]:
    """Switch on a module that has been updated from 1.0.0 to 1.1.0 by its page."""
    async with page("pretty_ota", "esp32", **config) as module:
        assert await upload(module, password=config.get("password")).send() is Delivery.ACCEPTED
        await module.wait_for("back")
        assert module.running_version == "1.1.0"
        yield module


@pytest.mark.parametrize("password", [None, "correct horse"])
async def test_what_ran_before_is_started_from_the_other_slot(password: str | None) -> None:
    async with updated(password=password) as module:
        asked = []
        transport = pretty(module.http_port, password=password)
        delivery = await transport.switch_back(before_switch=lambda: asked.append(1))
        assert delivery is Delivery.ACCEPTED
        await module.wait_for("back", count=2)
        assert module.running_version == "1.0.0"
        assert asked == [1]


async def test_a_module_with_one_firmware_has_nothing_to_start() -> None:
    async with page("pretty_ota", "esp32") as module:
        assert (await refused(pretty(module.http_port))).cause is Cause.NO_OTHER_SLOT
        await asyncio.sleep(0.05)
        assert module.restarts == 0


async def test_a_safe_state_that_broke_keeps_the_module_as_it_is() -> None:
    def broken() -> None:
        raise SafeStateError(Cause.SAFE_STATE_BROKEN)

    async with updated() as module:
        with pytest.raises(SafeStateError):
            await pretty(module.http_port).switch_back(before_switch=broken)
        assert not any(SWITCH in line for line in module.requests)


async def test_a_wrong_password_switches_nothing() -> None:
    async with updated(password="correct horse") as module:
        transport = pretty(module.http_port, password="wrong")
        assert (await refused(transport)).cause is Cause.WRONG_PASSWORD
        assert module.restarts == 1


@pytest.mark.parametrize("dialect", [one for one in CHIPS if one != "pretty_ota"])
async def test_other_pages_have_no_such_thing(dialect: str) -> None:
    async with web(GOOD) as server:
        transport = pretty(server.port, dialect=UploadDialect(dialect))
        assert (await refused(transport)).cause is Cause.NO_OTHER_SLOT
        assert server.requests == []


async def test_doors_without_pages_have_no_such_thing() -> None:
    for transport in (ArduinoOtaPush(Fixed("127.0.0.1", 1)), HttpPull(PullDesk())):
        assert (await refused(transport)).cause is Cause.NO_OTHER_SLOT


@pytest.mark.parametrize(
    ("info", "cause"),
    [
        (reply(b'{"rollbackPossible": false}'), Cause.NO_OTHER_SLOT),
        (reply(b'{"rollbackPossible": "yes"}'), Cause.NO_OTHER_SLOT),
        (reply(b'"rollbackPossible"' + b"[" * 50_000), Cause.NO_OTHER_SLOT),
        (reply(b"<h1>Valve</h1>"), Cause.UNKNOWN_DIALECT),
        (reply(b"", status=b"404 Not Found"), Cause.PAGE_NOT_FOUND),
        (b"", Cause.HTTP_NO_ANSWER),
    ],
)
async def test_only_a_plain_yes_is_one(info: bytes, cause: Cause) -> None:
    async with web(GOOD | {INFO: info}) as server:
        assert (await refused(pretty(server.port))).cause is cause
        assert not any(SWITCH.encode() in request for request in server.requests)


@pytest.mark.parametrize(
    ("answer", "delivery"),
    [(reply(b""), Delivery.ACCEPTED), (b"", Delivery.UNCONFIRMED)],
    ids=["yes", "no answer"],
)
async def test_a_module_that_restarts_without_an_answer_may_have_switched(
    answer: bytes, delivery: Delivery
) -> None:
    async with web(GOOD | {INFO: POSSIBLE, SWITCH: answer}) as server:
        transport = pretty(server.port)
        assert await transport.switch_back(before_switch=lambda: None) is delivery


async def test_a_module_that_says_no_is_heard() -> None:
    text = b"Could not roll back to previous firmware"
    no = reply(text, status=b"400 Bad Request")
    async with web(GOOD | {INFO: POSSIBLE, SWITCH: no}) as server:
        error = await refused(pretty(server.port))
        assert (error.cause, error.facts["text"]) == (Cause.REJECTED, text.decode())
