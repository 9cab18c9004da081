"""Somebody on the network who can say anything over mDNS."""

import socket

from zeroconf import (
    DNSAddress,
    DNSOutgoing,
    DNSPointer,
    DNSRecord,
    DNSService,
    DNSText,
)
from zeroconf.asyncio import AsyncZeroconf
from zeroconf.const import (
    _CLASS_IN,
    _CLASS_UNIQUE,
    _FLAGS_AA,
    _FLAGS_QR_RESPONSE,
    _TYPE_A,
    _TYPE_PTR,
    _TYPE_SRV,
    _TYPE_TXT,
)

from custom_components.esp_ota.ota import SERVICE_TYPE

NAME = f"garden-valve.{SERVICE_TYPE}"


TTL = 120


class Air:
    """A stranger on the network who can say anything."""

    def __init__(self, responder: AsyncZeroconf) -> None:
        """Speak through a responder of its own."""
        self.responder = responder

    def say(
        self,
        *names: str,
        version: str = "1.0.0",
        ttl: int = TTL,
        host: str = "127.0.0.1",
        without: str = "",
    ) -> None:
        """Announce services in one packet, perhaps `without` "text" or "address"."""
        packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        unique = _CLASS_IN | _CLASS_UNIQUE
        for name in names:
            service, server = f"{name}.{SERVICE_TYPE}", f"{name}.local."
            text = b"\x10fw_version=" + version.encode()
            text = bytes([len(text) - 1]) + text[1:]
            pointer = DNSPointer(SERVICE_TYPE, _TYPE_PTR, _CLASS_IN, ttl, service)
            packet.add_answer_at_time(pointer, 0)
            if without != "text":
                packet.add_answer_at_time(DNSText(service, _TYPE_TXT, unique, ttl, text), 0)
            srv = DNSService(service, _TYPE_SRV, unique, ttl, 0, 0, 8266, server)
            packet.add_answer_at_time(srv, 0)
            if without != "address":
                address = socket.inet_aton(host)
                packet.add_answer_at_time(DNSAddress(server, _TYPE_A, unique, ttl, address), 0)
        self.responder.zeroconf.async_send(packet)

    def send(self, *records: DNSRecord) -> None:
        """Send one packet."""
        packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        for record in records:
            packet.add_answer_at_time(record, 0)
        self.responder.zeroconf.async_send(packet)

    def say_text_about_the_type(self) -> None:
        """Send a record that nobody expects under the name of the type itself."""
        packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        packet.add_answer_at_time(DNSText(SERVICE_TYPE, _TYPE_TXT, _CLASS_IN, TTL, b"\x01x"), 0)
        self.responder.zeroconf.async_send(packet)


_UNIQUE = _CLASS_IN | _CLASS_UNIQUE


def txt(*said: str, name: str = "garden-valve", ttl: int = TTL) -> DNSText:
    """Return a text record that flushes what was said before, as modules send it."""
    text = b"".join(bytes([len(one)]) + one.encode() for one in said)
    return DNSText(f"{name}.{SERVICE_TYPE}", _TYPE_TXT, _UNIQUE, ttl, text)


def srv(name: str = "garden-valve", port: int = 8266, ttl: int = TTL) -> DNSService:
    """Return a service record."""
    service, server = f"{name}.{SERVICE_TYPE}", f"{name}.local."
    return DNSService(service, _TYPE_SRV, _UNIQUE, ttl, 0, 0, port, server)


def a(host: str, name: str = "garden-valve", ttl: int = TTL) -> DNSAddress:
    """Return an address record."""
    return DNSAddress(f"{name}.local.", _TYPE_A, _UNIQUE, ttl, socket.inet_aton(host))
