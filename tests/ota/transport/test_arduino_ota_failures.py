"""Whole pushes that fail: every failure has its cause, and a sentence that says it whole."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from ipaddress import IPv4Network
import socket
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    DEFAULT_PORTS,
    ArduinoOtaPush,
    Cause,
    ChipFamily,
    Fixed,
    OtaError,
    PushLimits,
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
from tests.kit.pushing import (
    ALL,
    ESP32,
    ESP32S,
    ESP8266,
    GENERATIONS,
    NUMBERED,
    PASSWORD,
    PICO,
    failure_of,
    new_firmware,
    payload_for,
    push,
    quick,
)
from tests.virtual_module import (
    Fault,
    Seen,
    VirtualModule,
    build_filesystem,
    build_image,
    gzip_image,
)


@dataclass(frozen=True)
class Row:
    """One way to fail, and what the person must hear of it."""

    story: str
    """What a user would report; the number in front tells rows of one story apart."""
    generations: tuple[str, ...]
    cause: Cause
    module: dict[str, Any] = field(default_factory=dict)
    _: KW_ONLY
    data: Callable[[VirtualModule], bytes] = new_firmware
    push: dict[str, Any] = field(default_factory=dict)
    limits: PushLimits = field(default_factory=quick)
    text: str | None = None
    """What the module's own words must contain."""


def other_chip(module: VirtualModule) -> bytes:
    return build_image("esp32c3", version="1.1.0")


def packed(module: VirtualModule) -> bytes:
    return gzip_image(new_firmware(module))


def file_system(module: VirtualModule) -> bytes:
    return build_filesystem()


def too_large(module: VirtualModule) -> bytes:
    return new_firmware(module, size=128 * 1024)


def web_page(module: VirtualModule) -> bytes:
    return b"<html>" + bytes(8192)


def faulty(*faults: Fault, **config: Any) -> dict[str, Any]:
    return {"faults": [*faults], **config}


LOCKED: dict[str, Any] = {"password": PASSWORD}
UNHURRIED: dict[str, Any] = {"sector_time": 0.2}
"""So that an ESP32's older acks are out of the way of its error text: see the test below."""

ROWS = {
    CallbackError: [
        Row(
            "1 firewall",
            NUMBERED,
            Cause.NO_CALLBACK,
            faulty(Fault.NO_CONNECT),
            limits=quick(callback=0.3),
        ),
        Row(
            "1 firewall",
            ESP32S,
            Cause.NO_CALLBACK_OR_TOO_LARGE,
            faulty(Fault.NO_CONNECT),
            limits=quick(callback=0.3),
        ),
        Row(
            "1 firewall, chip unknown",
            ESP32S,
            Cause.NO_CALLBACK_OR_TOO_LARGE,
            faulty(Fault.NO_CONNECT),
            push={"family": None},
            limits=quick(callback=0.3),
        ),
        Row(
            "12 too large",
            ESP32S,
            Cause.NO_CALLBACK_OR_TOO_LARGE,
            {"slot_size": 64 * 1024},
            data=too_large,
            limits=quick(callback=0.3),
        ),
    ],
    ModuleConnectionError: [
        Row("3 busy sketch", ALL, Cause.NO_ANSWER, faulty(Fault.BUSY), limits=quick(answer=0.05)),
        Row(
            "3 not ArduinoOTA",
            ALL,
            Cause.UNEXPECTED_REPLY,
            faulty(Fault.GARBAGE_REPLY, Fault.NO_CONNECT),
            text="not ArduinoOTA",
        ),
    ],
    ModuleRejectedImage: [
        Row(
            "5 flashed by cable",
            (ESP8266,),
            Cause.BOOT_STRAP,
            faulty(Fault.BOOT_STRAP),
            text="Invalid bootstrapping state",
        ),
        Row(
            "9 flash wears out",
            NUMBERED,
            Cause.FLASH_FAILED,
            faulty(Fault.FLASH_WRITE_ERROR),
            text="Flash Write Failed",
        ),
        Row(
            "9 flash wears out",
            ESP32S,
            Cause.FLASH_FAILED,
            faulty(Fault.FLASH_WRITE_ERROR, fault_at=0, **UNHURRIED),
            text="Flash Write Failed",
        ),
        Row("9 other bytes arrived", ALL, Cause.MD5_MISMATCH, faulty(Fault.WRONG_MD5), text="MD5"),
        Row(
            "9 signature wanted",
            ALL,
            Cause.SIGNATURE,
            faulty(Fault.SIGNATURE_REQUIRED),
            text="erification",
        ),
        Row(
            "12 too large",
            (ESP8266,),
            Cause.NO_SPACE,
            {"slot_size": 160 * 1024},
            data=too_large,
            text="ERROR[4]: Not Enough Space",
        ),
        Row(
            "12 too large",
            (PICO,),
            Cause.NO_SPACE,
            {"slot_size": 64 * 1024},
            data=too_large,
            text="ERROR[4]: Not Enough Space",
        ),
        Row(
            "12 no file system", (PICO,), Cause.NO_FILESYSTEM, {"fs_size": 0}, text="No Filesystem"
        ),
        Row(
            "13 web page",
            (ESP8266, *ESP32S),
            Cause.WRONG_MAGIC,
            UNHURRIED,
            data=web_page,
            text="agic",
        ),
        Row(
            "13 web page, old core",
            (ESP8266,),
            Cause.WRONG_MAGIC,
            {"core": "2.7.4"},
            data=web_page,
            text="Magic byte is wrong, not 0xE9",
        ),
        Row(
            "13 wrong chip",
            ESP32S,
            Cause.COULD_NOT_ACTIVATE,
            data=other_chip,
            text="Could Not Activate The Firmware",
        ),
        Row("13 gzip", ESP32S, Cause.WRONG_MAGIC, UNHURRIED, data=packed, text="Wrong Magic Byte"),
        Row(
            "14 file system as sketch",
            ESP32S,
            Cause.WRONG_MAGIC,
            UNHURRIED,
            data=file_system,
            text="Wrong Magic Byte",
        ),
        Row(
            "14 file system as sketch", (ESP8266,), Cause.WRONG_MAGIC, data=file_system, text="agic"
        ),
    ],
    ModuleAuthError: [
        Row("6 wrong password", ALL, Cause.WRONG_PASSWORD, LOCKED, push={"password": "wrong"}),
        Row("6 no password", ALL, Cause.PASSWORD_MISSING, LOCKED),
        Row(
            "7 no answer to the proof",
            ALL,
            Cause.AUTH_NO_ANSWER,
            faulty(Fault.LOST_AUTH_REPLY, **LOCKED),
            push={"password": "wrong"},
            limits=quick(auth_answer=0.25),
        ),
    ],
    TransferError: [
        Row("8 connection reset", ALL, Cause.CONNECTION_LOST, faulty(Fault.RESET)),
        Row(
            "8 power lost", ALL, Cause.STALLED, faulty(Fault.SILENT_DEATH), limits=quick(stall=0.3)
        ),
        Row(
            "8 restart in the middle",
            ALL,
            Cause.REBOOTED,
            faulty(Fault.SILENT_DEATH, revive_after=0.7),
            limits=quick(restart=0.4),
        ),
        Row(
            "8 sketch hangs",
            ALL,
            Cause.STALLED,
            faulty(Fault.HANG_AFTER_ACCEPT),
            limits=quick(stall=0.3),
        ),
    ],
}
CASES = [
    pytest.param(error, row, generation, id=f"{row.story} {generation}")
    for error, rows in ROWS.items()
    for row in rows
    for generation in row.generations
]


@pytest.mark.parametrize(("error", "row", "generation"), CASES)
async def test_every_failure_has_its_cause_and_a_whole_sentence(
    start_module: StartModule, error: type[OtaError], row: Row, generation: str
) -> None:
    config = GENERATIONS[generation] | {"auth_time": 0.01} | row.module
    module = await start_module(**config)
    before = module.running_md5
    sending = push(module, row.data(module), limits=row.limits, **row.push)
    failed = await failure_of(error, sending.send())
    assert type(failed) is error
    assert failed.cause is row.cause
    facts = failed.facts
    assert (facts["host"], facts["port"]) == (module.host, str(module.port))
    if row.text is not None:
        assert row.text in facts["text"]
    assert all(sent < total for sent, total in sending.progress) or error is ModuleRejectedImage
    assert module.running_md5 == before


@pytest.mark.parametrize("generation", ESP32S)
async def test_an_error_text_that_a_reset_swallowed_is_a_broken_connection(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], faults=[Fault.FLASH_WRITE_ERROR])
    failed = await failure_of(OtaError, push(module).send())
    # Nagle holds the text back behind unacknowledged acks; closing with unread data drops it.
    assert failed.cause in {Cause.FLASH_FAILED, Cause.CONNECTION_LOST}


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
async def test_a_silent_module_in_another_network_is_told_apart(
    start_module: StartModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "_network_of", lambda _ours: IPv4Network("127.0.0.1/32"))
    module = await start_module(host="127.0.0.2", faults=[Fault.BUSY])
    failed = await failure_of(ModuleConnectionError, push(module, limits=quick(answer=0.05)).send())
    assert failed.cause is Cause.OTHER_SUBNET
    assert failed.facts["our_address"].startswith("127.")


@pytest.mark.slow
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
    failed = await failure_of(CallbackError, sending.send())
    assert failed.cause is Cause.NO_CALLBACK_CONTAINER
    assert failed.facts["our_address"] == "127.0.0.1"
    invited = module.events.last(Seen.INVITED).details["port"]
    assert failed.facts["callback_port"] == str(invited)


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
    sending = transport.send(
        payload_for(b"\xe9" * 100),
        before_first_byte=lambda: None,
        on_progress=lambda *_: None,
    )
    return await failure_of(OtaError, sending)
