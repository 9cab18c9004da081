"""Whole pushes to virtual modules: every ending has a name and whole sentence."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
import logging
import socket
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    DEFAULT_PORTS,
    ArduinoOtaPush,
    Cause,
    ChipFamily,
    Delivery,
    Fixed,
    ImageKind,
    OtaError,
    PushLimits,
    SafeStateError,
)
from custom_components.esp_ota.ota.exceptions import (
    CallbackError,
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
    TransferError,
)
from custom_components.esp_ota.ota.module import DatagramSocket, diagnosis
from tests.kit.entries import StartModule
from tests.kit.pushing import GENERATIONS, new_firmware, payload_for, push, quick
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.transport.scripted import ScriptedModule
from tests.virtual_module import (
    Fault,
    Seen,
    VirtualModule,
    build_filesystem,
    build_image,
    gzip_image,
)

EACH = pytest.mark.parametrize("generation", GENERATIONS)
PASSWORD = "watering-can-42"
ALL = tuple(GENERATIONS)
ESP8266, ESP32_MD5, ESP32, PICO = ALL
NUMBERED, ESP32S = (ESP8266, PICO), (ESP32_MD5, ESP32)
"""Modules that answer with numbers, and modules that keep much to themselves."""


# Pushes that succeed


@EACH
@pytest.mark.parametrize("password", [None, PASSWORD], ids=["open", "locked"])
async def test_an_image_arrives(
    start_module: StartModule, generation: str, password: str | None
) -> None:
    module = await start_module(**GENERATIONS[generation], password=password)
    data = new_firmware(module)
    sending = push(module, data, password=password)
    assert await sending.send() is Delivery.ACCEPTED
    assert sending.progress[-1] == (len(data), len(data))
    assert sending.progress == sorted(set(sending.progress))
    await module.events.wait_for(Seen.BACK, 20)
    assert module.running_image == data
    assert module.events.last(Seen.INVITED).details["command"] == 0
    assert module.events.count_of(Seen.INVITED) == 1


@EACH
async def test_a_password_that_nobody_asked_for_does_no_harm(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation])
    assert await push(module, password=PASSWORD).send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.CHALLENGED) == 0


@pytest.mark.parametrize("generation", [ESP8266, PICO])
async def test_a_packed_image_arrives_as_it_is(start_module: StartModule, generation: str) -> None:
    module = await start_module(**GENERATIONS[generation])
    plain = new_firmware(module)
    assert await push(module, gzip_image(plain)).send() is Delivery.ACCEPTED
    await module.events.wait_for(Seen.BACK, 20)
    assert module.running_image == plain


@EACH
async def test_a_file_system_goes_where_it_belongs(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation])
    files = build_filesystem()
    before = module.running_md5
    sending = push(module, files, kind=ImageKind.FILESYSTEM)
    assert await sending.send() is Delivery.ACCEPTED
    await module.events.wait_for(Seen.BACK, 20)
    assert module.events.last(Seen.INVITED).details["command"] == 100
    assert module.board.fs_image[: len(files)] == files
    assert module.running_md5 == before


@pytest.mark.parametrize(
    ("config", "attempts"),
    [
        ({"chip": "esp32", "password": PASSWORD}, 1),
        ({"chip": "esp32", "password_hash": "5EBE2294ECD0E0F08EAB7690D2A6EE69".lower()}, 2),
    ],
    ids=["B", "C"],
)
async def test_a_new_esp32_gets_the_key_its_sketch_stores(
    start_module: StartModule, config: dict[str, Any], attempts: int
) -> None:
    module = await start_module(**config)
    password = config.get("password") or "secret"  # whose MD5 the hash is
    assert await push(module, password=password).send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.CHALLENGED) == attempts
    assert module.events.count_of(Seen.AUTH_FAILED) == attempts - 1
    assert module.events.count_of(Seen.AUTH_MALFORMED) == 0
    nonces = {event.details["nonce"] for event in module.events if event.name is Seen.CHALLENGED}
    assert len(nonces) == attempts


@pytest.mark.parametrize(
    ("generation", "known"),
    [(ESP8266, "1f" * 16), (ESP32_MD5, "1f" * 16), (ESP32, "1f" * 16), (ESP32, "1f" * 32)],
)
async def test_the_hash_a_sketch_was_given_works_as_its_password(
    start_module: StartModule, generation: str, known: str
) -> None:
    module = await start_module(**GENERATIONS[generation], password_hash=known)
    assert await push(module, password=known).send() is Delivery.ACCEPTED


# Row 4: what a lost or late datagram does not break


@pytest.mark.parametrize(
    ("generation", "password"),
    [
        (ESP8266, None),
        (ESP8266, PASSWORD),
        (ESP32_MD5, None),
        (ESP32, PASSWORD),
        (PICO, PASSWORD),
    ],
)
async def test_a_lost_first_reply_is_made_up_for(
    start_module: StartModule, generation: str, password: str | None
) -> None:
    faults = {Fault.LOST_FIRST_REPLY: 1}
    module = await start_module(**GENERATIONS[generation], password=password, faults=faults)
    sending = push(module, password=password, limits=quick(answer=0.4))
    assert await sending.send() is Delivery.ACCEPTED
    if password is not None:
        assert module.events.count_of(Seen.SWALLOWED) == 1


@EACH
async def test_a_challenge_that_a_dead_host_left_behind_costs_one_invitation(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], password=PASSWORD)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.sendto(f"0 4000 100 {'0' * 32}\n".encode(), (module.host, module.port))
        await module.events.wait_for(Seen.CHALLENGED, 5)
    sending = push(module, password=PASSWORD, limits=quick(answer=0.4))
    assert await sending.send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.SWALLOWED) == 1


@EACH
@pytest.mark.parametrize("password", [None, PASSWORD], ids=["open", "locked"])
async def test_the_connection_is_a_yes_when_the_ok_is_lost(
    start_module: StartModule, generation: str, password: str | None
) -> None:
    fault = Fault.LOST_AUTH_REPLY if password else Fault.LOST_FIRST_REPLY
    module = await start_module(**GENERATIONS[generation], password=password, faults=[fault])
    # Who waits for the lost word misses the second an ESP32 gives for the first byte.
    sending = push(module, password=password, limits=quick(answer=30.0, auth_answer=30.0))
    assert await sending.send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.INVITED) == 1


@pytest.mark.slow
async def test_a_late_challenge_is_still_good(start_module: StartModule) -> None:
    module = await start_module(
        password=PASSWORD, faults={Fault.LATE_REPLY: 1}, late_reply_time=0.6
    )
    sending = push(module, password=PASSWORD, limits=quick(answer=0.4, tries=9, auth_answer=1.0))
    assert await sending.send() is Delivery.ACCEPTED


@pytest.mark.slow
async def test_an_esp32_that_hears_one_datagram_a_second_gets_its_password(
    start_module: StartModule,
) -> None:
    slow = {"time_scale": 1.0, "loop_time": 0.9, "auth_time": 0.0}
    module = await start_module(**GENERATIONS[ESP32], password=PASSWORD, **slow)
    # The second invitation is on its way when the first is answered, and cancels that answer.
    sending = push(module, password=PASSWORD, limits=quick(answer=0.5, auth_answer=2.0))
    assert await sending.send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.SWALLOWED) == 1
    assert module.events.count_of(Seen.AUTH_FAILED) == 0


# Row 9: the end is found, or left to the evidence


@EACH
@pytest.mark.parametrize(
    "fault", [Fault.SPLIT_OK, Fault.MERGED_OK, Fault.DUPLICATE_ACK, Fault.SLOW_SECTOR]
)
async def test_an_unusual_ending_is_a_good_one(
    start_module: StartModule, generation: str, fault: Fault
) -> None:
    module = await start_module(**GENERATIONS[generation], faults=[fault], slow_sector_time=0.02)
    assert await push(module).send() is Delivery.ACCEPTED


@EACH
@pytest.mark.parametrize("fault", [Fault.CLOSE_WITHOUT_OK, Fault.REBOOT_WITHOUT_OK])
async def test_a_lost_ok_is_left_to_the_evidence(
    start_module: StartModule, generation: str, fault: Fault
) -> None:
    module = await start_module(**GENERATIONS[generation], faults=[fault])
    data = new_firmware(module)
    sending = push(module, data, limits=quick(result=0.2))
    assert await sending.send() is Delivery.UNCONFIRMED
    assert sending.progress[-1] == (len(data), len(data))
    await module.events.wait_for(Seen.BACK, 20)
    assert module.running_image == data


# Failures


@dataclass(frozen=True, kw_only=True)
class Row:
    """One way to fail, and what the person must hear of it."""

    number: int
    """Row of the table "What users report going wrong" in the protocol notes."""
    story: str
    error: type[OtaError]
    cause: Cause
    generations: tuple[str, ...] = ALL
    module: dict[str, Any] = field(default_factory=dict)
    data: Callable[[VirtualModule], bytes] = new_firmware
    push: dict[str, Any] = field(default_factory=dict)
    limits: PushLimits = field(default_factory=quick)
    text: str | None = None
    """What the module's own words must contain."""


def image_for(chip: str) -> Callable[[VirtualModule], bytes]:
    return lambda module: build_image(chip, version="1.1.0")


def file_system(module: VirtualModule) -> bytes:
    return build_filesystem()


def too_large(module: VirtualModule) -> bytes:
    return new_firmware(module, size=128 * 1024)


def web_page(module: VirtualModule) -> bytes:
    return b"<html>" + bytes(8192)


LOCKED = {"password": PASSWORD}
UNHURRIED = {"sector_time": 0.2}
"""So that an ESP32's older acks are out of the way of its error text: see the test below."""

ROWS = [
    Row(
        number=1,
        story="firewall",
        generations=NUMBERED,
        module={"faults": [Fault.NO_CONNECT]},
        limits=quick(callback=0.3),
        error=CallbackError,
        cause=Cause.NO_CALLBACK,
    ),
    Row(
        number=1,
        story="firewall",
        generations=ESP32S,
        module={"faults": [Fault.NO_CONNECT]},
        limits=quick(callback=0.3),
        error=CallbackError,
        cause=Cause.NO_CALLBACK_OR_TOO_LARGE,
    ),
    Row(
        number=1,
        story="firewall, chip unknown",
        generations=ESP32S,
        module={"faults": [Fault.NO_CONNECT]},
        push={"family": None},
        limits=quick(callback=0.3),
        error=CallbackError,
        cause=Cause.NO_CALLBACK_OR_TOO_LARGE,
    ),
    Row(
        number=3,
        story="busy sketch",
        module={"faults": [Fault.BUSY]},
        limits=quick(answer=0.05),
        error=ModuleConnectionError,
        cause=Cause.NO_ANSWER,
    ),
    Row(
        number=3,
        story="not ArduinoOTA",
        module={"faults": [Fault.GARBAGE_REPLY, Fault.NO_CONNECT]},
        error=ModuleConnectionError,
        cause=Cause.UNEXPECTED_REPLY,
        text="not ArduinoOTA",
    ),
    Row(
        number=5,
        story="flashed by cable",
        generations=(ESP8266,),
        module={"faults": [Fault.BOOT_STRAP]},
        error=ModuleRejectedImage,
        cause=Cause.BOOT_STRAP,
        text="Invalid bootstrapping state",
    ),
    Row(
        number=6,
        story="wrong password",
        module=LOCKED,
        push={"password": "wrong"},
        error=ModuleAuthError,
        cause=Cause.WRONG_PASSWORD,
    ),
    Row(
        number=6,
        story="no password",
        module=LOCKED,
        error=ModuleAuthError,
        cause=Cause.PASSWORD_MISSING,
    ),
    Row(
        number=7,
        story="no answer to the proof",
        module=LOCKED | {"faults": [Fault.LOST_AUTH_REPLY]},
        push={"password": "wrong"},
        limits=quick(auth_answer=0.25),
        error=ModuleAuthError,
        cause=Cause.AUTH_NO_ANSWER,
    ),
    Row(
        number=8,
        story="connection reset",
        module={"faults": [Fault.RESET]},
        error=TransferError,
        cause=Cause.CONNECTION_LOST,
    ),
    Row(
        number=8,
        story="power lost",
        module={"faults": [Fault.SILENT_DEATH]},
        limits=quick(stall=0.3),
        error=TransferError,
        cause=Cause.STALLED,
    ),
    Row(
        number=8,
        story="restart in the middle",
        module={"faults": [Fault.SILENT_DEATH], "revive_after": 0.7},
        limits=quick(restart=0.4),
        error=TransferError,
        cause=Cause.REBOOTED,
    ),
    Row(
        number=8,
        story="sketch hangs",
        module={"faults": [Fault.HANG_AFTER_ACCEPT]},
        limits=quick(stall=0.3),
        error=TransferError,
        cause=Cause.STALLED,
    ),
    Row(
        number=9,
        story="flash wears out",
        generations=NUMBERED,
        module={"faults": [Fault.FLASH_WRITE_ERROR]},
        error=ModuleRejectedImage,
        cause=Cause.FLASH_FAILED,
        text="Flash Write Failed",
    ),
    Row(
        number=9,
        story="flash wears out",
        generations=ESP32S,
        module={"faults": [Fault.FLASH_WRITE_ERROR], "fault_at": 0} | UNHURRIED,
        error=ModuleRejectedImage,
        cause=Cause.FLASH_FAILED,
        text="Flash Write Failed",
    ),
    Row(
        number=9,
        story="other bytes arrived",
        module={"faults": [Fault.WRONG_MD5]},
        error=ModuleRejectedImage,
        cause=Cause.MD5_MISMATCH,
        text="MD5",
    ),
    Row(
        number=9,
        story="signature wanted",
        module={"faults": [Fault.SIGNATURE_REQUIRED]},
        error=ModuleRejectedImage,
        cause=Cause.SIGNATURE,
        text="erification",
    ),
    Row(
        number=12,
        story="too large",
        generations=(ESP8266,),
        module={"slot_size": 160 * 1024},
        data=too_large,
        error=ModuleRejectedImage,
        cause=Cause.NO_SPACE,
        text="ERROR[4]: Not Enough Space",
    ),
    Row(
        number=12,
        story="too large",
        generations=(PICO,),
        module={"slot_size": 64 * 1024},
        data=too_large,
        error=ModuleRejectedImage,
        cause=Cause.NO_SPACE,
        text="ERROR[4]: Not Enough Space",
    ),
    Row(
        number=12,
        story="no file system",
        generations=(PICO,),
        module={"fs_size": 0},
        error=ModuleRejectedImage,
        cause=Cause.NO_FILESYSTEM,
        text="No Filesystem",
    ),
    Row(
        number=12,
        story="too large",
        generations=ESP32S,
        module={"slot_size": 64 * 1024},
        data=too_large,
        limits=quick(callback=0.3),
        error=CallbackError,
        cause=Cause.NO_CALLBACK_OR_TOO_LARGE,
    ),
    Row(
        number=13,
        story="web page",
        generations=(ESP8266, *ESP32S),
        module=UNHURRIED,
        data=web_page,
        error=ModuleRejectedImage,
        cause=Cause.WRONG_MAGIC,
        text="agic",
    ),
    Row(
        number=13,
        story="web page, old core",
        generations=(ESP8266,),
        module={"core": "2.7.4"},
        data=web_page,
        error=ModuleRejectedImage,
        cause=Cause.WRONG_MAGIC,
        text="Magic byte is wrong, not 0xE9",
    ),
    Row(
        number=13,
        story="wrong chip",
        generations=ESP32S,
        data=image_for("esp32c3"),
        error=ModuleRejectedImage,
        cause=Cause.COULD_NOT_ACTIVATE,
        text="Could Not Activate The Firmware",
    ),
    Row(
        number=13,
        story="gzip",
        generations=ESP32S,
        module=UNHURRIED,
        data=lambda module: gzip_image(new_firmware(module)),
        error=ModuleRejectedImage,
        cause=Cause.WRONG_MAGIC,
        text="Wrong Magic Byte",
    ),
    Row(
        number=14,
        story="file system as sketch",
        generations=ESP32S,
        module=UNHURRIED,
        data=file_system,
        error=ModuleRejectedImage,
        cause=Cause.WRONG_MAGIC,
        text="Wrong Magic Byte",
    ),
    Row(
        number=14,
        story="file system as sketch",
        generations=(ESP8266,),
        data=file_system,
        error=ModuleRejectedImage,
        cause=Cause.WRONG_MAGIC,
        text="agic",
    ),
]
CASES = [
    pytest.param(row, generation, id=f"{row.number} {row.story} {generation}")
    for row in ROWS
    for generation in row.generations
]


@pytest.mark.parametrize(("row", "generation"), CASES)
async def test_every_failure_has_its_cause_and_a_whole_sentence(
    start_module: StartModule, row: Row, generation: str
) -> None:
    config = GENERATIONS[generation] | {"auth_time": 0.01} | row.module
    module = await start_module(**config)
    before = module.running_md5
    sending = push(module, row.data(module), limits=row.limits, **row.push)
    with pytest.raises(row.error) as caught:
        async with asyncio.timeout(30):
            await sending.send()
    error = caught.value
    assert type(error) is row.error
    assert error.cause is row.cause
    assert_sentence_is_whole(error.cause, error.facts)
    assert error.facts["host"] == module.host
    assert error.facts["port"] == str(module.port)
    if row.text is not None:
        assert row.text in error.facts["text"]
    assert all(sent < total for sent, total in sending.progress) or row.error is ModuleRejectedImage
    assert module.running_md5 == before


@pytest.mark.parametrize("generation", ESP32S)
async def test_an_error_text_that_a_reset_swallowed_is_a_broken_connection(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], faults=[Fault.FLASH_WRITE_ERROR])
    with pytest.raises(OtaError) as caught:
        await push(module).send()
    # Nagle holds the text back behind unacknowledged acks; closing with unread data drops it.
    assert caught.value.cause in {Cause.FLASH_FAILED, Cause.CONNECTION_LOST}
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


async def test_a_port_where_nothing_listens_is_told_from_silence(
    start_module: StartModule,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    error = await failure(ArduinoOtaPush(Fixed("127.0.0.1", port), limits=quick(answer=0.05)))
    assert isinstance(error, ModuleConnectionError)
    assert error.cause is Cause.PORT_CLOSED
    assert error.facts == {"host": "127.0.0.1", "port": str(port)}


@pytest.mark.parametrize("family", [ChipFamily.ESP32, None], ids=["esp32", "chip unknown"])
async def test_the_usual_port_is_named_when_the_module_listens_there(
    start_module: StartModule, monkeypatch: pytest.MonkeyPatch, family: ChipFamily | None
) -> None:
    module = await start_module(**GENERATIONS[ESP32])
    monkeypatch.setitem(DEFAULT_PORTS, ChipFamily.ESP32, module.port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for other in (ChipFamily.ESP8266, ChipFamily.RP2):
        monkeypatch.setitem(DEFAULT_PORTS, other, port)
    limits = quick(answer=0.05)
    error = await failure(ArduinoOtaPush(Fixed("127.0.0.1", port), family=family, limits=limits))
    assert isinstance(error, ModuleConnectionError)
    assert error.cause is Cause.WRONG_PORT
    assert error.facts == {
        "host": "127.0.0.1",
        "port": str(port),
        "usual_port": str(module.port),
    }
    assert module.events.count_of(Seen.INVITED) == 0


async def test_a_silent_module_in_another_network_is_told_apart(
    start_module: StartModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "_network_of", lambda _ours: IPv4Network("127.0.0.1/32"))
    module = await start_module(host="127.0.0.2", faults=[Fault.BUSY])
    with pytest.raises(ModuleConnectionError) as caught:
        await push(module, limits=quick(answer=0.05)).send()
    assert caught.value.cause is Cause.OTHER_SUBNET
    assert caught.value.facts["our_address"].startswith("127.")
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


@pytest.mark.parametrize("generation", [ESP8266, ESP32])
async def test_a_call_back_that_a_container_keeps_out_is_named(
    start_module: StartModule, monkeypatch: pytest.MonkeyPatch, generation: str
) -> None:
    monkeypatch.setattr(diagnosis, "_network_of", lambda _ours: IPv4Network("127.0.0.1/32"))
    module = await start_module(
        **GENERATIONS[generation], host="127.0.0.2", faults=[Fault.NO_CONNECT]
    )
    inside = IPv4Network("127.0.0.1/32")
    monkeypatch.setattr(diagnosis, "_TRANSLATED", (inside,))
    monkeypatch.setattr(DatagramSocket, "local_address", "127.0.0.1")
    sending = push(module, limits=quick(callback=0.3))
    with pytest.raises(CallbackError) as caught:
        await sending.send()
    assert caught.value.cause is Cause.NO_CALLBACK_CONTAINER
    assert caught.value.facts["our_address"] == "127.0.0.1"
    invited = module.events.last(Seen.INVITED).details["port"]
    assert caught.value.facts["callback_port"] == str(invited)
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


async def test_a_name_nobody_knows_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await failure(ArduinoOtaPush(Fixed("garden-valve.local", 8266)))
    assert isinstance(error, ModuleConnectionError)
    assert error.cause is Cause.HOST_NOT_FOUND
    assert error.facts["host"] == "garden-valve.local"


async def test_an_address_that_cannot_be_sent_to_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_route(*_: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", no_route)
    error = await failure(ArduinoOtaPush(Fixed("192.0.2.1", 8266)))
    assert isinstance(error, ModuleConnectionError)
    assert error.cause is Cause.UNREACHABLE


async def failure(transport: ArduinoOtaPush) -> OtaError:
    """Return why a push over this transport fails."""
    with pytest.raises(OtaError) as caught:
        await transport.send(
            payload_for(b"\xe9" * 100),
            before_first_byte=lambda: None,
            on_progress=lambda *_: None,
        )
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


# The call-back


async def test_a_fixed_call_back_port_is_the_one_the_module_is_told(
    start_module: StartModule,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    module = await start_module()
    for count in (1, 2):  # and once more, although the old connection is hardly gone
        assert await push(module, callback_port=port).send() is Delivery.ACCEPTED
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
        with pytest.raises(CallbackError) as caught:
            await push(module, callback_port=port).send()
    assert caught.value.cause is Cause.CALLBACK_PORT_TAKEN
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    assert caught.value.facts["callback_port"] == str(port)
    assert module.events.names() == ["up"]


class Scripted:
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


async def test_a_connection_from_behind_a_nat_is_named() -> None:
    async with ScriptedModule() as module:
        sending = Scripted(module, b"\xe9" * 5000, limits=quick(callback=0.5))
        invitation = await module.hear()
        module.say(b"OK")
        translated = await module.call_back(invitation, source="127.0.0.2")
        with pytest.raises(CallbackError) as caught:
            await sending.ended()
        with pytest.raises(ConnectionResetError):
            await module.read(translated, 1)
    assert caught.value.cause is Cause.CALLBACK_FROM_OTHER
    assert caught.value.facts["other"] == "127.0.0.2"
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


async def test_a_stranger_gets_nothing_and_the_module_gets_the_image() -> None:
    data = b"\xe9" + bytes(range(250)) * 40
    async with ScriptedModule() as module:
        sending = Scripted(module, data)
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
        sending = Scripted(module, data)
        connection = await module.call_back(await module.hear())
        assert await module.read(connection, len(data)) == data
        connection.send(b"OK\r\n")
        assert await sending.ended() is Delivery.ACCEPTED


async def test_a_refusal_that_crosses_the_connection_is_outdone_by_it() -> None:
    data = b"\xe9" * 9000
    async with ScriptedModule() as module:
        sending = Scripted(module, data)
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
        sending = Scripted(module, b"\xe9" * 100, password=PASSWORD)
        await module.hear()
        module.say(b"AUTH " + b"a" * length)
        with pytest.raises(ModuleAuthError) as caught:
            await sending.ended()
    assert caught.value.cause is Cause.AUTH_UNKNOWN
    assert caught.value.facts["length"] == str(length)
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


async def test_the_address_told_is_the_one_on_the_way_to_the_module() -> None:
    async with ScriptedModule("127.0.0.2") as module:
        sending = Scripted(
            module, b"\xe9" * 100, family=ChipFamily.ESP8266, limits=quick(callback=0.1)
        )
        await module.hear()
        module.say(b"OK")
        with pytest.raises(CallbackError) as caught:
            await sending.ended()
    assert caught.value.facts["host"] == "127.0.0.2"
    assert caught.value.facts["our_address"] == module.sources[0][0]


# Stopping


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
        sending = Scripted(module, b"\xe9" * 200_000)
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
        sending = Scripted(module, b"\xe9" * 100)
        invitation = await module.hear()
        sending.task.cancel()
        await asyncio.wait({sending.task})
        assert sending.task.cancelled()
        with pytest.raises(ConnectionRefusedError):
            await module.call_back(invitation)


async def test_cancelling_between_connection_and_first_byte_resets() -> None:
    async with ScriptedModule() as module:
        for steps in range(8):  # wherever the event loop happens to be
            sending = Scripted(module, b"\xe9" * 20)
            connection = await module.call_back(await module.hear())
            for _ in range(steps):
                await asyncio.sleep(0)
            sending.task.cancel()
            await asyncio.wait({sending.task})
            assert sending.task.cancelled()
            with pytest.raises(ConnectionResetError):
                await module.read(connection, 21)


@EACH
async def test_a_stalled_module_is_freed_by_a_reset(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], faults={Fault.HANG_AFTER_ACCEPT: 1})
    with pytest.raises(TransferError):
        await push(module, limits=quick(stall=0.2)).send()
    await module.events.wait_for(Seen.ABORTED, 10)
    assert await push(module).send() is Delivery.ACCEPTED


# What nobody may see or wait for


@EACH
@pytest.mark.parametrize("given", [PASSWORD, "another-password-4711"])
async def test_no_secret_is_in_a_log_line_or_an_error(
    start_module: StartModule,
    caplog: pytest.LogCaptureFixture,
    generation: str,
    given: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    module = await start_module(**GENERATIONS[generation], password=PASSWORD, auth_time=0.01)
    told = ""
    try:
        await push(module, password=given).send()
    except ModuleAuthError as error:
        told = f"{error} {error!r} {error.facts}"
    assert (given != PASSWORD) == bool(told)
    assert "Inviting 127.0.0.1" in caplog.text
    for secret in (PASSWORD, given):
        assert secret not in caplog.text + told
    nonce = str(module.events.last(Seen.CHALLENGED).details["nonce"])
    assert nonce not in caplog.text + told


@pytest.mark.parametrize("generation", ESP32S)
async def test_an_esp32_has_its_first_byte_within_its_second(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], password=PASSWORD)
    await push(module, password=PASSWORD).send()
    # The module itself gives up after a second, and says so.
    assert module.events.count_of(Seen.ABORTED) == 0
    connected = module.events.last(Seen.CONNECTED).time
    assert module.events.last(Seen.FIRST_BYTE).time - connected < 1.0


def test_a_push_has_a_name_and_waits_of_its_own() -> None:
    assert ArduinoOtaPush(Fixed("192.0.2.1", 8266)).name == "arduino_ota"
    limits = PushLimits()
    assert limits.callback >= 10  # 5 s connect timeout on the module, and a busy loop
    assert limits.invitation.answer * (2 * limits.invitation.tries - 1) >= 10
    assert limits.stream.stall >= 30
    assert limits.stream.result >= 60
