"""Transports ask where the module is before each connection, and who is there."""

from contextlib import AsyncExitStack
import json

import pytest

from custom_components.esp_ota.ota import (
    Address,
    ArduinoOtaPush,
    Cause,
    HttpUpload,
    InstallRefused,
    ModuleConnectionError,
    UploadDialect,
)
from custom_components.esp_ota.ota.transport._board import raise_for_other_board
from tests.kit.entries import StartModule
from tests.kit.pushing import new_firmware, payload_for, quick
from tests.virtual_module import HttpConfig, HttpModule, ModuleConfig, Seen


class Moving:
    """Says after each answer that the module is somewhere else."""

    def __init__(self, *addresses: Address) -> None:
        self._left = list(addresses)
        self.asked = 0
        self.gone = False

    async def now(self) -> Address:
        self.asked += 1
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]

    def confirm(self, address: Address) -> None:
        if self.gone:
            raise ModuleConnectionError(Cause.MOVED, host=address.host)


async def send(transport: HttpUpload | ArduinoOtaPush, data: bytes) -> None:
    await transport.send(
        payload_for(data), before_first_byte=lambda: None, on_progress=lambda *_: None
    )


async def test_each_page_is_asked_for_where_the_module_is_by_then() -> None:
    def module(host: str) -> HttpModule:
        config = ModuleConfig(host=host, time_scale=0.02)
        return HttpModule(config, HttpConfig(dialect="async_elegant_ota"))

    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(module("127.0.0.2"))
        new = await stack.enter_async_context(module("127.0.0.3"))
        # As `find`, as the check page, and from then on for the upload.
        addresses = [Address(old.host, old.http_port)] * 2 + [Address(new.host, new.http_port)]
        where = Moving(*addresses)
        transport = HttpUpload(where, dialect=UploadDialect.ASYNC_ELEGANT_OTA)

        await send(transport, new_firmware(new))

        assert where.asked == 3
        assert [line.split()[1] for line in old.requests] == ["/update/identity"]
        assert not old.events.count_of(Seen.FIRST_BYTE)
        assert new.events.count_of(Seen.INSTALLED) == 1


@pytest.mark.parametrize("seconds", ["at once", "after the invitation"])
async def test_a_module_that_is_gone_by_now_gets_no_byte(
    start_module: StartModule, seconds: str
) -> None:
    module = await start_module()
    where = Moving(Address(module.host, module.port))
    where.gone = seconds == "at once"
    module.events.listeners.append(lambda _event: setattr(where, "gone", True))

    with pytest.raises(ModuleConnectionError) as caught:
        await send(ArduinoOtaPush(where, limits=quick()), new_firmware(module))

    assert caught.value.cause is Cause.MOVED
    assert caught.value.retryable
    assert module.events.count_of(Seen.INVITED) == (seconds != "at once")
    assert not module.events.count_of(Seen.FIRST_BYTE)


@pytest.mark.parametrize(
    ("mac", "is_refused"),
    [("5c:cf:7f:a1:b2:c3", False), ("5c:cf:7f:a1:b2:c4", True), (None, False)],
)
async def test_a_page_of_another_board_is_refused_before_anything_is_sent(
    mac: str | None, is_refused: bool
) -> None:
    config = ModuleConfig(time_scale=0.02)
    async with HttpModule(config, HttpConfig(dialect="async_elegant_ota")) as module:
        where = Moving(Address(module.host, module.http_port))
        transport = HttpUpload(where, dialect=UploadDialect.ASYNC_ELEGANT_OTA, mac=mac)
        if not is_refused:
            await send(transport, new_firmware(module))
            assert module.events.count_of(Seen.INSTALLED) == 1
            return
        with pytest.raises(InstallRefused) as caught:
            await send(transport, new_firmware(module))
        assert caught.value.cause is Cause.WRONG_MODULE
        assert not caught.value.retryable
        assert not module.events.count_of(Seen.FIRST_BYTE)


@pytest.mark.parametrize(
    ("hardware", "said", "is_refused"),
    [
        ("ESP8266", "10597059", False),  # a1:b2:c3
        ("ESP8266", "10597060", True),
        ("ESP8266", "2", False),
        ("ESP8266", "KITCHEN", False),
        ("ESP32", "A17FCF5C", False),
        ("ESP32", "A27FCF5C", True),
        ("ESP32", "CAFEBABE", False),
        ("RP2040", "10597060", False),
    ],
)
def test_only_an_id_that_is_made_of_a_mac_says_who_it_is(
    hardware: str, said: str, is_refused: bool
) -> None:
    page = json.dumps({"id": said, "hardware": hardware}).encode()
    if not is_refused:
        raise_for_other_board(page, "5c:cf:7f:a1:b2:c3")
        return
    with pytest.raises(InstallRefused):
        raise_for_other_board(page, "5c:cf:7f:a1:b2:c3")


@pytest.mark.parametrize("page", [b"", b"[]", b"1", b"{}", b'{"id": 1}', b"\xff"])
def test_a_page_that_says_nothing_refuses_nothing(page: bytes) -> None:
    raise_for_other_board(page, "5c:cf:7f:a1:b2:c3")
