"""Every mDNS announcement of a module, also those that change nothing Home Assistant reports.

The browser of the zeroconf integration tells of changes only; a module that restarts into the
same records says just as much as one with new ones, so the records themselves are watched.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from heapq import nlargest
from socket import inet_aton, inet_ntoa
import time
from typing import Final, override

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
from zeroconf.const import _CLASS_IN, _FLAGS_QR_QUERY, _TYPE_A, _TYPE_PTR, _TYPE_SRV, _TYPE_TXT

from homeassistant.core import CALLBACK_TYPE, callback

from ..ota import SERVICE_TYPE, ModuleFacts, facts_from_announcement

_CLAIMS: Final = 8
"""Addresses kept of one name, and names looked at of one address; more are a flood."""

_EXCEPT: Final = 200
"""Services named in a question as known, so that they need not answer: seven packets of 1,460
bytes with names of 32 characters."""

_ADDRESS_KEPT: Final = 120.0
"""Seconds that the address of a host is kept at least, by what responders say (RFC 6762, 10)."""

type Heard = Callable[[ModuleFacts | None], None]
"""Called with what a module said, or None when it said goodbye."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Somebody said in one packet to be a module, and where: two boards may claim one name."""

    facts: ModuleFacts
    at: float
    """When (`time.monotonic()`)."""
    told: float
    """When it said what else the facts hold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """The newest TXT of a name."""

    speaker: str | None
    """The host that said it, None where that cannot be told."""
    content: bytes


class Announcements(RecordUpdateListener):
    """Hands each module's announcements to whoever listens for its service name."""

    def __init__(self, zeroconf: Zeroconf) -> None:
        """Take the shared zeroconf instance; it is not listened to before `async_start`."""
        self._zeroconf = zeroconf
        self._listeners: dict[str, list[Heard]] = {}
        self._claims: dict[str, dict[tuple[str, int], Claim]] = {}
        self._texts: dict[str, Text] = {}
        self._since: dict[str, float] = {}
        """Since when a name is listened for (`time.monotonic()`)."""
        self._packet: list[DNSRecord] = []
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
        listeners = self._listeners.setdefault(name, [])
        listeners.append(heard)
        if name not in self._since:
            self._since[name] = current_time_millis() / 1000
            self._take_cached(name)

        @callback
        def stop() -> None:
            if heard in listeners:
                listeners.remove(heard)
            if not listeners and self._listeners.get(name) is listeners:
                del self._listeners[name], self._since[name]
                self._claims.pop(name, None)
                self._texts.pop(name, None)

        return stop

    def _take_cached(self, name: str) -> None:
        """Take what was said of a name before anybody listened for it.

        The cache keeps of two boards with one name the text of one and the address of the other:
        they are of one board where they were heard in one packet.
        """
        text, at = self._newest(name, DNSText, _TYPE_TXT), self._address_told(name)
        is_one = text is None or text.created / 1000 == at
        facts = self.facts(name)
        if text is not None:
            speaker = facts.host if is_one and facts is not None else None
            self._texts[name] = Text(speaker=speaker, content=text.text)
        if facts is not None:
            said = facts if is_one else _bare(facts)
            self._claims[name] = {_place(facts): Claim(facts=said, at=at, told=at)}

    @override
    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        """Note whose TXT or SRV records came; they may come in several calls."""
        for update in records:
            record = update.new
            name = record.name.lower()
            if not record.is_expired(now):
                self._packet.append(record)
            if record.type not in {_TYPE_TXT, _TYPE_SRV} or name not in self._listeners:
                continue
            if not record.is_expired(now):
                self._said.add(name)
            elif not record.ttl:  # others only grew old, in the cache or by a newer one
                self._gone.add(name)

    @override
    def async_update_records_complete(self) -> None:
        """Hand on what was said, now that the cache holds all of it."""
        said, gone, packet = self._said, self._gone - self._said, self._packet
        self._said, self._gone, self._packet = set(), set(), []
        for name in said:
            for facts in self._said_in(packet, name):
                self._tell(name, facts)
        for name in gone:
            self._tell(name, None)

    def _said_in(self, packet: list[DNSRecord], name: str) -> Iterator[ModuleFacts]:
        """Yield what one packet says of a service, once for each address it names.

        What it leaves out is taken from the cache where that is the same board's: there, of two
        boards with one name, the records of both are mixed.
        """
        said_now = next((item for item in packet if _is(item, DNSService, name)), None)
        service = said_now or self._newest(name, DNSService, _TYPE_SRV)
        text = next((item for item in packet if _is(item, DNSText, name)), None)
        # Looked for first: a record may expire between two looks at the cache.
        if not isinstance(service, DNSService) or (known := self.facts(name)) is None:
            if isinstance(text, DNSText):
                self._texts[name] = Text(speaker=None, content=text.text)
            return
        server = service.server.lower()
        hosts = [
            inet_ntoa(item.address)
            for item in packet
            if isinstance(item, DNSAddress) and item.type == _TYPE_A and item.name.lower() == server
        ]
        if isinstance(text, DNSText):
            speaker = hosts[-1] if hosts else self._speaker(name, known.host, text.text)
            self._texts[name] = Text(speaker=speaker, content=text.text)
        said = self._texts.get(name)
        speaker = known.host if said is None else said.speaker
        if not hosts and speaker is not None:
            yield replace(known, host=speaker, port=service.port)
        for host in dict.fromkeys(hosts):
            facts = replace(known, host=host, port=service.port)
            told = host == speaker
            self._note(name, facts, told=told)
            yield facts if told else self._without_text(name, facts)

    def _speaker(self, name: str, host: str, content: bytes) -> str | None:
        """Return the host that a text without an address is from, None where it may be another.

        Where nobody has listened for long, somebody may have the name who was not heard yet.
        """
        last = self._texts.get(name)
        if last is not None and last.content == content and last.speaker is not None:
            return last.speaker
        lately = time.monotonic() - _ADDRESS_KEPT
        hosts = {item.facts.host for item in self.claims(name, lately)}
        return host if hosts <= {host} and self._since.get(name, 0.0) < lately else None

    def _without_text(self, name: str, facts: ModuleFacts) -> ModuleFacts:
        """Return what is known of a place whose board did not say the text in the cache."""
        before = self._claims.get(name, {}).get(_place(facts))
        said = before.facts if before else _bare(facts)
        return replace(said, firmware=None, version=None, sketch_md5=None, sketch_size=None)

    def _note(self, name: str, facts: ModuleFacts, *, told: bool = True) -> None:
        """Keep who claims a name that somebody listens for; `told` when with its text."""
        if name not in self._listeners:
            return
        now = current_time_millis() / 1000
        claims = self._claims.setdefault(name, {})
        before = claims.get(_place(facts))
        if told:
            claim = Claim(facts=facts, at=now, told=self.told_at(name) or now)
        elif before is not None:
            claim = replace(before, at=now)
        else:
            claim = Claim(facts=_bare(facts), at=now, told=now)
        claims[_place(facts)] = claim
        if len(claims) > _CLAIMS:  # who was there before a flood stays
            del claims[list(claims)[-2]]

    @callback
    def async_claimed(self, service_name: str, facts: ModuleFacts) -> None:
        """Take what somebody else has heard, as the browser of Home Assistant does."""
        self._note(service_name.lower(), facts)

    def claims(self, service_name: str, since: float = 0.0) -> list[Claim]:
        """Return who claimed a name since then (`time.monotonic()`), the newest first."""
        claims = self._claims.get(service_name.lower(), {}).values()
        return sorted((item for item in claims if item.at >= since), key=lambda item: -item.at)

    def _tell(self, name: str, facts: ModuleFacts | None) -> None:
        for heard in list(self._listeners.get(name, ())):
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

    def names_of(self, mac: str) -> list[str]:
        """Return the services that announce a MAC, as far as the cache knows; who asks is silent.

        Looked for in the bytes: there may be thousands of services that somebody made up.
        """
        cache = self._zeroconf.cache
        groups = mac.split(":")
        dotted = ".".join("".join(groups[at : at + 2]) for at in (0, 2, 4))
        bare = [group.lstrip("0") or "0" for group in groups]
        said_so = [mark.join(spelt) for mark in "-:" for spelt in (groups, bare)]
        spelt = [mark.encode() for mark in ("".join(groups), dotted, *said_so)]

        def has_it(name: str) -> bool:
            said = [name.encode()]
            said += [
                one.text for one in cache.async_entries_with_name(name) if type(one) is DNSText
            ]
            return any(mark in text.lower() for text in said for mark in spelt)

        pointers = cache.async_all_by_details(SERVICE_TYPE, _TYPE_PTR, _CLASS_IN)
        return [one.alias for one in pointers if isinstance(one, DNSPointer) and has_it(one.alias)]

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

    def find(self, host: str, port: int | None) -> str | None:
        """Return the service name that last announced an address or host name, with a port.

        Without a port any will do: an address belongs to one module. The cache may hold several:
        what a module said stays there for two minutes after the router has given its address to
        another one.
        """
        found = self._announced_at(host, port)
        return max(found)[1] if found else None

    def _announced_at(self, host: str, port: int | None) -> list[tuple[float, str]]:
        """Return when which services said last that they are there."""
        host = host.lower().removesuffix(".local")
        found = []
        for alias in self._services_of(self._servers_at(host)):
            facts = self.facts(alias)
            if facts is None or host not in {facts.host, facts.name.lower()}:
                continue
            if port in {facts.port, None}:
                found.append((self._address_told(alias), alias))
        return found

    def _servers_at(self, host: str) -> list[str]:
        """Return which names said last that an address is theirs, or the host name that it is.

        Asked so and not of each service in turn: there may be thousands that somebody made up.
        """
        try:
            address = inet_aton(host)
        except OSError:
            return [f"{host}.local."]
        told = {
            record.key: record.created
            for records in self._zeroconf.cache.cache.values()
            for record in records
            if isinstance(record, DNSAddress) and record.address == address
        }
        return nlargest(_CLAIMS, told, key=lambda name: told[name])

    def _services_of(self, servers: list[str]) -> list[str]:
        """Return the services that these servers have, the newest first."""
        told = {
            record.name: record.created
            for server in servers
            for record in self._zeroconf.cache.async_entries_with_server(server)
            if isinstance(record, DNSService) and record.name.lower().endswith(SERVICE_TYPE)
        }
        return nlargest(_CLAIMS, told, key=lambda name: told[name])

    def _address_told(self, service_name: str) -> float:
        """Return when a service said last where it is (`time.monotonic()`)."""
        service = self._newest(service_name, DNSService, _TYPE_SRV)
        address = self._newest(service.server, DNSAddress, _TYPE_A) if service else None
        return address.created / 1000 if address else 0.0

    def is_others(self, service_name: str | None, host: str, port: int | None) -> bool:
        """Whether this address was announced by others last, not by the module of that name."""
        return service_name is not None and self.other_at(service_name, host, port) is not None

    def other_at(self, service_name: str, host: str, port: int | None) -> str | None:
        """Return another service that announced this address after the one of that name did."""
        name = service_name.lower()
        others = [one for one in self._announced_at(host, port) if one[1].lower() != name]
        known = [one[0] for one in self._announced_at(host, port) if one[1].lower() == name]
        place = host.lower().removesuffix(".local")
        known += [item.at for item in self.claims(name) if place in _names(item.facts)]
        if not others or max(others)[0] <= max(known, default=0.0):
            return None
        return max(others)[1]

    @callback
    def async_ask(self, service_name: str) -> None:
        """Ask for a module's records; what it answers reaches the listener.

        For all three: a question for TXT alone brings neither SRV nor A.
        """
        service = self._newest(service_name, DNSService, _TYPE_SRV)
        server = service.server if service else f"{service_name.partition('.')[0]}.local."
        question = DNSOutgoing(_FLAGS_QR_QUERY)
        for name, kind in ((service_name, _TYPE_SRV), (service_name, _TYPE_TXT), (server, _TYPE_A)):
            question.add_question(DNSQuestion(name, kind, _CLASS_IN))
        self._zeroconf.async_send(question)

    @callback
    def async_call_the_roll(self) -> None:
        """Ask who is there at all, except those who said so lately.

        A browser asks again for what it knows. What was silent until its records expired, while
        the network was away, it does not know any more, and nobody announces itself twice.
        """
        now = current_time_millis()
        pointers = self._zeroconf.cache.async_all_by_details(SERVICE_TYPE, _TYPE_PTR, _CLASS_IN)
        lately = (item for item in pointers if not item.is_stale(now))
        question = DNSOutgoing(_FLAGS_QR_QUERY)
        question.add_question(DNSQuestion(SERVICE_TYPE, _TYPE_PTR, _CLASS_IN))
        for item in nlargest(_EXCEPT, lately, key=lambda item: item.created):
            question.add_answer_at_time(item, now)
        self._zeroconf.async_send(question)


def _is(record: DNSRecord, kind: type[DNSRecord], name: str) -> bool:
    return isinstance(record, kind) and record.name.lower() == name


def _bare(facts: ModuleFacts) -> ModuleFacts:
    return ModuleFacts(name=facts.name, host=facts.host, port=facts.port)


def _place(facts: ModuleFacts) -> tuple[str, int]:
    return facts.host, facts.port


def _names(facts: ModuleFacts) -> set[str]:
    return {facts.host, facts.name.lower()}
