"""What the processes know of each other: names, addresses, entries, packets."""

from collections.abc import Iterator
import socket
from typing import Any, Final

from zeroconf import (  # type: ignore[attr-defined]
    DNSAddress,
    DNSOutgoing,
    DNSPointer,
    DNSService,
    DNSText,
)
from zeroconf.const import (
    _CLASS_IN,
    _CLASS_UNIQUE,
    _FLAGS_QR_RESPONSE,
    _TYPE_A,
    _TYPE_PTR,
    _TYPE_SRV,
    _TYPE_TXT,
)

DOMAIN: Final = "esp_ota"
FIRMWARE: Final = "bench"
RELEASES: Final = 20
"""So many are there, and are kept when one more comes."""
RUNS: Final = f"1.{RELEASES - 1}.0"
"""The version that all modules run: the last of these."""
ADDED: Final = 9
"""Releases that are added one after the other; a median of them is told."""
SECRET: Final = "secret-of-the-house"
POLL_EVERY: Final = 60.0
ANNOUNCED_EVERY: Final = 900.0
"""Seconds: more often than records of 75 minutes have to be asked for."""
SERVICE_TYPE: Final = "_arduino._tcp.local."
STRANGER: Final = "stranger-"
PULL_PATH: Final = f"/api/esp_ota/pull/{SECRET}"
NO_PATH: Final = f"/api/nobody/{SECRET}"


def host(number: int, net: int = 1) -> str:
    """Return a module's address: each has its own, as at home."""
    return f"127.{net}.{number // 250}.{number % 250 + 1}"


def mac(number: int) -> str:
    """Return a module's MAC."""
    return f"5c:cf:7f:01:{number // 256:02x}:{number % 256:02x}"


def house_entry() -> dict[str, Any]:
    """Return the house's entry, which keeps all releases."""
    return {
        "domain": DOMAIN,
        "entry_id": "house",
        "unique_id": "house",
        "data": {"kind": "house", "pull_secret": SECRET},
        "options": {"keep": RELEASES},
    }


def module_entry(number: int) -> dict[str, Any]:
    """Return the entry of a module, as the flow makes it."""
    name = f"module-{number}"
    data = {
        "kind": "module",
        "name": name,
        "host": host(number),
        "port": 8266,
        "service_name": f"{name}.{SERVICE_TYPE}",
        "board": "nodemcuv2",
        "mac": mac(number),
        "auth_required": None,
        "transports": ["arduino_ota", "http_pull"],
    }
    return {
        "domain": DOMAIN,
        "entry_id": name,
        "title": name,
        "unique_id": mac(number),
        "data": data,
        "options": {"equipment": "nothing", "firmware": FIRMWARE},
    }


def _announcement(name: str, address: str, txt: dict[str, str]) -> bytes:
    """Return what a module says of itself when it starts (LEAmDNS, ESPmDNS)."""
    service, server = f"{name}.{SERVICE_TYPE}", f"{name}.local."
    pairs = (f"{key}={value}".encode() for key, value in txt.items())
    text = b"".join(bytes([len(pair)]) + pair for pair in pairs)
    unique = _CLASS_IN | _CLASS_UNIQUE
    said = DNSOutgoing(_FLAGS_QR_RESPONSE)
    for record in (
        DNSPointer(SERVICE_TYPE, _TYPE_PTR, _CLASS_IN, 4500, service),
        DNSService(service, _TYPE_SRV, unique, 120, 0, 0, 8266, server),
        DNSText(service, _TYPE_TXT, unique, 4500, text),
        DNSAddress(server, _TYPE_A, unique, 120, socket.inet_aton(address)),
    ):
        said.add_answer_at_time(record, 0)
    (packet,) = said.packets()
    return packet


def announcements(modules: int) -> Iterator[bytes]:
    """Yield what each module says."""
    for number in range(modules):
        own = {"mac": mac(number), "fw_name": FIRMWARE, "fw_version": RUNS}
        yield _announcement(f"module-{number}", host(number), {"board": "nodemcuv2", **own})


def strangers(count: int) -> Iterator[bytes]:
    """Yield what modules say that nobody has."""
    for number in range(count):
        yield _announcement(f"{STRANGER}{number}", host(number, net=99), {"board": "nodemcuv2"})


def request(number: int, path: str) -> bytes:
    """Return what a module asks, as `ESP8266httpUpdate` does."""
    said = {
        "STA-MAC": mac(number).upper(),
        "AP-MAC": mac(number).upper(),
        "free-space": "2809856",
        "sketch-size": "336400",
        "sketch-md5": "0123456789abcdef0123456789abcdef",
        "chip-size": "4194304",
        "sdk-version": "2.2.2-dev(38a443e)",
        "mode": "sketch",
        "version": RUNS,
    }
    lines = [
        f"GET {path} HTTP/1.0",
        "Host: 127.0.0.1",
        "User-Agent: ESP8266-http-Update",
        "Connection: close",
        *(f"x-ESP8266-{name}: {value}" for name, value in said.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
