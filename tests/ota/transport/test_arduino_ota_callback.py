"""The connection that a module opens to us, and how a push lets go of it."""

import asyncio
import socket
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    ArduinoOtaPush,
    Cause,
    ChipFamily,
    Delivery,
    Fixed,
    SafeStateError,
)
from custom_components.esp_ota.ota.exceptions import (
    CallbackError,
    ModuleAuthError,
    TransferError,
)
from tests.kit.entries import StartModule
from tests.kit.pushing import (
    EACH,
    GENERATIONS,
    PASSWORD,
    failure_of,
    new_firmware,
    payload_for,
    push,
    quick,
)
from tests.ota.transport.scripted import ScriptedModule
from tests.virtual_module import (
    Fault,
    Seen,
)

# The call-back


@pytest.mark.slow
async def test_a_fixed_call_back_port_is_the_one_the_module_is_told(
    start_module: StartModule,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    module = await start_module()
    for count in (1, 2):  # and once more, although the old connection is hardly gone
        assert await push(module, callback_port=lambda: port).send() is Delivery.ACCEPTED
        assert module.events.last(Seen.INVITED).details["port"] == port
        await module.events.wait_for(Seen.BACK, 20, count)


async def test_a_taken_call_back_port_is_told_before_anything_is_sent(
    start_module: StartModule,
) -> None:
    module = await start_module()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        failed = await failure_of(CallbackError, push(module, callback_port=lambda: port).send())
    assert failed.cause is Cause.CALLBACK_PORT_TAKEN
    assert failed.facts["callback_port"] == str(port)
    assert module.events.names() == ["up"]


class ScriptedPush:
    """A push to a scripted module, in a task of its own."""

    def __init__(self, module: ScriptedModule, data: bytes, **options: Any) -> None:
        limits = options.pop("limits", None) or quick()
        self.module = module
        self.progress: list[tuple[int, int]] = []
        transport = ArduinoOtaPush(Fixed(module.host, module.port), limits=limits, **options)
        self.task = asyncio.ensure_future(
            transport.send(
                payload_for(data),
                before_first_byte=lambda: None,
                on_progress=lambda *step: self.progress.append(step),
            )
        )

    async def ended(self) -> Delivery:
        async with asyncio.timeout(20):
            return await self.task


@pytest.mark.slow
async def test_a_connection_from_behind_a_nat_is_named() -> None:
    async with ScriptedModule() as module:
        sending = ScriptedPush(module, b"\xe9" * 5000, limits=quick(callback=0.5))
        invitation = await module.hear()
        module.say(b"OK")
        translated = await module.call_back(invitation, source="127.0.0.2")
        failed = await failure_of(CallbackError, sending.ended())
        with pytest.raises(ConnectionResetError):
            await module.read(translated, 1)
    assert failed.cause is Cause.CALLBACK_FROM_OTHER
    assert failed.facts["other"] == "127.0.0.2"


async def test_a_stranger_gets_nothing_and_the_module_gets_the_image() -> None:
    data = b"\xe9" + bytes(range(250)) * 40
    async with ScriptedModule() as module:
        sending = ScriptedPush(module, data)
        invitation = await module.hear()
        stranger = await module.call_back(invitation, source="127.0.0.2")
        module.say(b"OK")
        with pytest.raises(ConnectionResetError):
            await module.read(stranger, 1)
        connection = await module.call_back(invitation)
        assert await module.read(connection, len(data)) == data
        connection.send(b"OK")
        assert await sending.ended() is Delivery.ACCEPTED
        assert await module.read(connection, 1) == b""


async def test_a_classic_sketch_that_answers_over_tcp_only_is_served() -> None:
    data = b"\xe9" * 9000
    async with ScriptedModule() as module:
        sending = ScriptedPush(module, data)
        connection = await module.call_back(await module.hear())
        assert await module.read(connection, len(data)) == data
        connection.send(b"OK\r\n")
        assert await sending.ended() is Delivery.ACCEPTED


async def test_a_refusal_that_crosses_the_connection_is_outdone_by_it() -> None:
    data = b"\xe9" * 9000
    async with ScriptedModule() as module:
        sending = ScriptedPush(module, data)
        invitation = await module.hear()
        connection = await module.call_back(invitation)
        assert await module.read(connection, 1) == b"\xe9"
        module.say(b"ERR: ERROR[15]: Update already running\n")
        assert await module.read(connection, len(data) - 1) == data[1:]
        connection.send(b"OK")
        assert await sending.ended() is Delivery.ACCEPTED


@pytest.mark.parametrize("length", [31, 40, 128])
async def test_a_challenge_of_unknown_length_is_told_with_its_length(length: int) -> None:
    async with ScriptedModule() as module:
        sending = ScriptedPush(module, b"\xe9" * 100, password=PASSWORD)
        await module.hear()
        module.say(b"AUTH " + b"a" * length)
        failed = await failure_of(ModuleAuthError, sending.ended())
    assert failed.cause is Cause.AUTH_UNKNOWN
    assert failed.facts["length"] == str(length)


async def test_the_address_told_is_the_one_on_the_way_to_the_module() -> None:
    async with ScriptedModule("127.0.0.2") as module:
        sending = ScriptedPush(
            module, b"\xe9" * 100, family=ChipFamily.ESP8266, limits=quick(callback=0.1)
        )
        await module.hear()
        module.say(b"OK")
        failed = await failure_of(CallbackError, sending.ended())
    assert failed.facts["host"] == "127.0.0.2"
    assert failed.facts["our_address"] == module.sources[0][0]


# Stopping


@pytest.mark.slow
@EACH
async def test_the_last_look_can_stop_it_before_the_first_byte(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], limit_scale=0.3)

    def no() -> None:
        raise SafeStateError(Cause.SAFE_STATE_BROKEN)

    with pytest.raises(SafeStateError):
        await push(module, before_first_byte=no).send()
    await module.events.wait_for(Seen.CONNECTED, 5)
    await module.events.wait_for(Seen.ABORTED, 10)
    assert module.events.count_of(Seen.FIRST_BYTE) == 0


async def test_the_last_look_is_taken_once_and_after_the_module_connected(
    start_module: StartModule,
) -> None:
    module = await start_module(password=PASSWORD)
    looks: list[list[str]] = []
    sending = push(
        module,
        password=PASSWORD,
        before_first_byte=lambda: looks.append(module.events.names()),
    )
    await sending.send()
    assert len(looks) == 1
    assert "auth_ok" in looks[0]
    assert "first_byte" not in looks[0]


@pytest.mark.slow
@EACH
async def test_cancelling_frees_the_module_at_once(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], sector_time=0.01)
    before = module.running_md5
    sending = asyncio.ensure_future(push(module, new_firmware(module, size=512 * 1024)).send())
    await module.events.wait_for(Seen.FIRST_BYTE, 10)
    await asyncio.sleep(0.05)
    sending.cancel()
    await asyncio.wait({sending})
    assert sending.cancelled()
    await module.events.wait_for(Seen.ABORTED, 10)
    assert module.running_md5 == before
    again = push(module)
    assert await again.send() is Delivery.ACCEPTED
    await module.events.wait_for(Seen.BACK, 20)
    assert module.running_image == again.data


async def test_an_abort_is_a_reset_and_never_a_half_close() -> None:
    async with ScriptedModule() as module:
        sending = ScriptedPush(module, b"\xe9" * 200_000)
        invitation = await module.hear()
        connection = await module.call_back(invitation, window=2144)
        module.say(b"OK")
        assert len(await module.read(connection, 5000)) == 5000
        sending.task.cancel()
        with pytest.raises(ConnectionResetError):
            await module.read(connection, 200_000)
        await asyncio.wait({sending.task})
        assert sending.task.cancelled()


async def test_cancelling_while_the_module_is_invited_leaves_no_open_port() -> None:
    async with ScriptedModule() as module:
        sending = ScriptedPush(module, b"\xe9" * 100)
        invitation = await module.hear()
        sending.task.cancel()
        await asyncio.wait({sending.task})
        assert sending.task.cancelled()
        with pytest.raises(ConnectionRefusedError):
            await module.call_back(invitation)


async def test_cancelling_between_connection_and_first_byte_resets() -> None:
    async with ScriptedModule() as module:
        for steps in range(8):  # wherever the event loop happens to be
            sending = ScriptedPush(module, b"\xe9" * 20)
            connection = await module.call_back(await module.hear())
            for _ in range(steps):
                await asyncio.sleep(0)
            sending.task.cancel()
            await asyncio.wait({sending.task})
            assert sending.task.cancelled()
            with pytest.raises(ConnectionResetError):
                await module.read(connection, 21)


@pytest.mark.slow
@EACH
async def test_a_stalled_module_is_freed_by_a_reset(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], faults={Fault.HANG_AFTER_ACCEPT: 1})
    with pytest.raises(TransferError):
        await push(module, limits=quick(stall=0.2)).send()
    await module.events.wait_for(Seen.ABORTED, 10)
    assert await push(module).send() is Delivery.ACCEPTED
