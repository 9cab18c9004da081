"""Every mDNS announcement of a module, also those that change nothing Home Assistant reports.

The browser of the zeroconf integration tells of changes only; a module that restarts into the
same records says just as much as one with new ones, so the records themselves are watched.
"""

from collections.abc import Callable
from socket import inet_ntoa
from typing import override

# The record classes are public in zeroconf's docs, but not in its `__all__`.
from zeroconf import (  # type: ignore[attr-defined]
    DNSAddress,
    DNSOutgoing,
    DNSPointer,
    DNSQuestion,
    DNSRecord,
    DNSService,
    DNSText,
    RecordUpdate,
    RecordUpdateListener,
    ServiceInfo,
    Zeroconf,
    current_time_millis,
)
from zeroconf.const import _CLASS_IN, _FLAGS_QR_QUERY, _TYPE_A, _TYPE_SRV, _TYPE_TXT

from homeassistant.core import CALLBACK_TYPE, callback

from ..ota import SERVICE_TYPE, ModuleFacts, facts_from_announcement

type Heard = Callable[[ModuleFacts | None], None]
"""Called with what a module said, or None when it said goodbye."""


class Announcements(RecordUpdateListener):
    """Hands each module's announcements to whoever listens for its service name."""

    def __init__(self, zeroconf: Zeroconf) -> None:
        """Take the shared zeroconf instance; it is not listened to before `async_start`."""
        self._zeroconf = zeroconf
        self._listeners: dict[str, Heard] = {}
        self._said: set[str] = set()
        self._gone: set[str] = set()

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Listen; returns what stops it."""
        self._zeroconf.async_add_listener(self, None)
        return lambda: self._zeroconf.async_remove_listener(self)

    @callback
    def async_listen(self, service_name: str, heard: Heard) -> CALLBACK_TYPE:
        """Call `heard` for every announcement of one service; returns what stops it."""
        name = service_name.lower()
        self._listeners[name] = heard

        @callback
        def stop() -> None:
            self._listeners.pop(name, None)

        return stop

    @override
    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        """Note whose TXT or SRV records came; they may come in several calls."""
        for update in records:
            record = update.new
            name = record.name.lower()
            if record.type not in {_TYPE_TXT, _TYPE_SRV} or name not in self._listeners:
                continue
            if not record.is_expired(now):
                self._said.add(name)
            elif not record.ttl:  # others only grew old, in the cache or by a newer one
                self._gone.add(name)

    @override
    def async_update_records_complete(self) -> None:
        """Hand on what was said, now that the cache holds all of it."""
        said, gone = self._said, self._gone - self._said
        self._said, self._gone = set(), set()
        for name in said:
            if facts := self.facts(name):
                self._tell(name, facts)
        for name in gone:
            self._tell(name, None)

    def _tell(self, name: str, facts: ModuleFacts | None) -> None:
        if heard := self._listeners.get(name):
            heard(facts)

    def facts(self, service_name: str) -> ModuleFacts | None:
        """Return what the cache holds about a service, None when that is not enough."""
        service = self._newest(service_name, DNSService, _TYPE_SRV)
        if service is None or service.port is None:
            return None
        address = self._newest(service.server, DNSAddress, _TYPE_A)
        text = self._newest(service_name, DNSText, _TYPE_TXT)
        if address is None:
            return None
        said = ServiceInfo(SERVICE_TYPE, service_name, properties=text.text if text else b"")
        host = inet_ntoa(address.address)
        return facts_from_announcement(service.server, host, service.port, said.decoded_properties)

    def told_at(self, service_name: str) -> float:
        """Return when a service said last what it is (`time.monotonic()`), 0 for never."""
        text = self._newest(service_name, DNSText, _TYPE_TXT)
        return text.created / 1000 if text else 0.0

    def _newest[R: DNSRecord](self, name: str, kind: type[R], type_: int) -> R | None:
        """Return the record of this name that was heard last.

        A module that goes back to what it said before has that in the cache already, before what
        it said in between, which is kept for some seconds more (RFC 6762, 10.2).
        """
        now = current_time_millis()
        records = self._zeroconf.cache.async_all_by_details(name, type_, _CLASS_IN)
        heard = [item for item in records if isinstance(item, kind) and not item.is_expired(now)]
        return max(heard, key=lambda item: (item.created, item.ttl), default=None)

    def find(self, host: str, port: int) -> str | None:
        """Return the service name that last announced an address or host name, with a port.

        The cache may hold several: what a module said stays there for two minutes after the
        router has given its address to another one.
        """
        host = host.lower().removesuffix(".local")
        found = []
        for record in self._zeroconf.cache.async_entries_with_name(SERVICE_TYPE):
            if isinstance(record, DNSPointer):
                facts = self.facts(record.alias)
                if facts and facts.port == port and host in {facts.host, facts.name.lower()}:
                    found.append((self._address_told(record.alias), record.alias))
        return max(found)[1] if found else None

    def _address_told(self, service_name: str) -> float:
        """Return when a service said last where it is, on the clock of zeroconf."""
        service = self._newest(service_name, DNSService, _TYPE_SRV)
        address = self._newest(service.server, DNSAddress, _TYPE_A) if service else None
        return address.created if address else 0.0

    def is_others(self, service_name: str | None, host: str, port: int) -> bool:
        """Whether this address was announced by others last, not by the module of that name."""
        if service_name is None:
            return False
        found = self.find(host, port)
        return found is not None and found.lower() != service_name.lower()

    @callback
    def async_ask(self, service_name: str) -> None:
        """Ask a module for its records; what it answers reaches the listener."""
        question = DNSOutgoing(_FLAGS_QR_QUERY)
        question.add_question(DNSQuestion(service_name, _TYPE_TXT, _CLASS_IN))
        self._zeroconf.async_send(question)
