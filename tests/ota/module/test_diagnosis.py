"""What our own address and a module's ports tell about a silence."""

from ipaddress import IPv4Network
import socket

import pytest

from custom_components.esp_ota.ota import DEFAULT_PORTS, Cause, ChipFamily
from custom_components.esp_ota.ota.exceptions import ModuleConnectionError
from custom_components.esp_ota.ota.module import (
    diagnosis,
    is_translated,
    why_silent,
    why_unreachable,
)
from custom_components.esp_ota.ota.module.diagnosis import is_neighbour

HOST = "127.0.0.1"


@pytest.fixture
def _networks_of_24_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        diagnosis, "_network_of", lambda ours: IPv4Network((ours, 24), strict=False)
    )


@pytest.mark.usefixtures("_networks_of_24_bits")
@pytest.mark.parametrize(
    ("ours", "module", "translated"),
    [
        ("192.168.1.5", "192.168.1.80", False),
        ("192.168.1.5", "192.168.20.80", False),  # behind a router
        ("10.0.0.5", "10.9.0.80", False),
        ("172.17.0.2", "192.168.1.80", True),  # a bridge of Docker
        ("172.30.33.4", "10.0.0.9", True),
        ("172.17.0.2", "172.17.0.9", False),  # both in it
        ("172.20.1.5", "172.20.9.80", False),  # a house that uses this range
        ("172.32.0.2", "192.168.1.80", False),  # just outside of it
        ("10.88.0.7", "192.168.1.80", True),  # Podman
        ("192.168.65.3", "192.168.1.80", True),  # Docker Desktop
        ("10.0.2.15", "192.168.1.80", True),  # a virtual machine
        ("10.0.2.15", "10.0.2.80", False),
        ("100.101.3.4", "192.168.1.80", True),  # a VPN
    ],
)
def test_an_address_of_a_container_is_known_by_its_range(
    ours: str, module: str, translated: bool
) -> None:
    assert is_translated(ours, module) is translated


def test_who_is_a_neighbour_says_our_own_interface() -> None:
    assert is_neighbour(HOST, "127.200.3.4")  # loopback has 8 bits
    assert not is_neighbour(HOST, "128.0.0.1")


def test_an_address_that_no_interface_tells_has_a_usual_network() -> None:
    assert is_neighbour("203.0.113.9", "203.0.113.200")
    assert not is_neighbour("203.0.113.9", "203.0.114.9")


@pytest.mark.usefixtures("_networks_of_24_bits")
@pytest.mark.parametrize(
    ("cause", "ours", "host", "told"),
    [
        (Cause.NO_ANSWER, "192.168.1.5", "192.168.1.80", Cause.NO_ANSWER),
        (Cause.NO_ANSWER, "192.168.1.5", "192.168.20.80", Cause.OTHER_SUBNET),
        (Cause.UNREACHABLE, "192.168.1.5", "192.168.20.80", Cause.OTHER_SUBNET),
        (Cause.UNEXPECTED_REPLY, "192.168.1.5", "192.168.20.80", Cause.UNEXPECTED_REPLY),
        (Cause.NO_ANSWER, "172.17.0.2", "192.168.1.80", Cause.NO_ANSWER),
    ],
    ids=["neighbour", "behind a router", "unreachable", "answered", "from a container"],
)
async def test_a_silence_is_told_by_where_the_module_is(
    cause: Cause, ours: str, host: str, told: Cause
) -> None:
    error = await why_silent(
        ModuleConnectionError(cause), host=host, port=8266, family=None, our_address=ours
    )

    assert error.cause is told
    assert error.retryable
    assert error.facts == ({"our_address": ours} if told is Cause.OTHER_SUBNET else {})


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in sockets:
        one.bind((HOST, 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.mark.slow
@pytest.mark.parametrize("listens", [True, False])
async def test_a_closed_port_is_the_wrong_one_only_if_the_usual_one_is_open(
    monkeypatch: pytest.MonkeyPatch, listens: bool
) -> None:
    closed, usual, *others = free_ports(4)
    for family, port in zip(ChipFamily, [usual, *others], strict=True):
        monkeypatch.setitem(DEFAULT_PORTS, family, port)
    error = ModuleConnectionError(Cause.PORT_CLOSED)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as module:
        module.bind((HOST, usual) if listens else (HOST, 0))

        told = await why_silent(
            error, host=HOST, port=closed, family=ChipFamily.ESP8266, our_address=HOST
        )

    assert told.cause is (Cause.WRONG_PORT if listens else Cause.PORT_CLOSED)
    assert told.facts == ({"usual_port": str(usual)} if listens else {})


async def test_the_port_that_was_tried_is_never_called_the_better_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(diagnosis, "is_closed", pytest.fail)
    port = DEFAULT_PORTS[ChipFamily.ESP32]
    error = ModuleConnectionError(Cause.PORT_CLOSED)

    told = await why_silent(error, host=HOST, port=port, family=ChipFamily.ESP32, our_address=HOST)

    assert told is error


# Before anything was sent


@pytest.mark.slow
async def test_a_module_at_another_port_is_found_out_before_an_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed, usual, *others = free_ports(4)
    for family, port in zip(ChipFamily, [usual, *others], strict=True):
        monkeypatch.setitem(DEFAULT_PORTS, family, port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as module:
        module.bind((HOST, usual))

        error = await why_unreachable(HOST, closed, None)
        module.setblocking(False)
        assert module.recv(100) == b""  # which every module ignores

    assert error.cause is Cause.WRONG_PORT
    assert error.facts == {"usual_port": str(usual)}


async def test_a_port_that_is_closed_is_told_from_a_module_that_is_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(diagnosis, "_CLOSED_WAIT", 0.1)
    closed, *usual = free_ports(4)
    for family, port in zip(ChipFamily, usual, strict=True):
        monkeypatch.setitem(DEFAULT_PORTS, family, port)
    assert (await why_unreachable(HOST, closed, None)).cause is Cause.PORT_CLOSED

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind((HOST, closed))
        assert (await why_unreachable(HOST, closed, None)).cause is Cause.UNREACHABLE


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Cause.HOST_NOT_FOUND),
        (OSError(101, "Network is unreachable"), Cause.UNREACHABLE),
    ],
    ids=["no such name", "no route"],
)
async def test_an_address_that_cannot_be_asked_is_told(
    monkeypatch: pytest.MonkeyPatch, error: OSError, cause: Cause
) -> None:
    async def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(diagnosis.DatagramSocket, "open", fails)

    assert (await why_unreachable("valve.local", 8266, None)).cause is cause


async def test_an_error_of_the_network_is_no_closed_port(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: object) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(diagnosis.DatagramSocket, "receive", nobody)

    assert (await why_unreachable(HOST, 8266, None)).cause is Cause.UNREACHABLE
