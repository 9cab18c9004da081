"""Every mDNS announcement of a module, also those that change nothing Home Assistant reports.

The browser of the zeroconf integration tells of changes only; a module that restarts into the
same records says just as much as one with new ones, so the records themselves are watched.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from heapq import nlargest
from socket import inet_ntoa
import time
from typing import Final, override

# The record classes are public in zeroconf's docs, but not in its `__all__`.
from zeroconf import (  # type: ignore[attr-defined]
    DNSAddress,
    DNSOutgoing,
    DNSQuestion,
    DNSRecord,
    DNSService,
    DNSText,
    RecordUpdate,
    RecordUpdateListener,
    Zeroconf,
    current_time_millis,
)
from zeroconf.const import _CLASS_IN, _FLAGS_QR_QUERY, _TYPE_A, _TYPE_PTR, _TYPE_SRV, _TYPE_TXT

from homeassistant.core import CALLBACK_TYPE, callback

from ..ota import SERVICE_TYPE, ModuleFacts, facts_from_announcement
from .records import Records

_CLAIMS: Final = 8
"""Addresses kept of one name; more are a flood."""

_EXCEPT: Final = 200
"""Services named in a question as known, so that they need not answer: seven packets of 1,460
bytes with names of 32 characters."""

_ANSWER: Final = 1.4
"""Seconds for an answer: a responder may hold it back for one (RFC 6762, 6)."""
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

    speakers: frozenset[str]
    """The hosts of the board that said it, none where that cannot be told."""
    content: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """Who wants to know what is said of one service."""

    heard: Heard
    unclear: Callable[[], None]
    """Called when it cannot be told whose the text is: who is asked for all says it in one."""


class Announcements(Records, RecordUpdateListener):
    """Hands each module's announcements to whoever listens for its service name."""

    def __init__(self, zeroconf: Zeroconf) -> None:
        """Take the shared zeroconf instance; it is not listened to before `async_start`."""
        super().__init__(zeroconf)
        self._listeners: dict[str, list[Listener]] = {}
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
    def async_listen(
        self, service_name: str, heard: Heard, unclear: Callable[[], None] = lambda: None
    ) -> CALLBACK_TYPE:
        """Call `heard` for every announcement of one service; returns what stops it."""
        name, listener = service_name.lower(), Listener(heard, unclear)
        listeners = self._listeners.setdefault(name, [])
        listeners.append(listener)
        if name not in self._since:
            self._since[name] = current_time_millis() / 1000
            self._take_cached(name)

        @callback
        def stop() -> None:
            if listener in listeners:
                listeners.remove(listener)
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
        text, at = self.newest(name, DNSText, _TYPE_TXT), self.address_told(name)
        is_one, facts = self.is_one(name), self.facts(name)
        if text is not None:
            speakers = frozenset({facts.host} if is_one and facts is not None else ())
            self._texts[name] = Text(speakers=speakers, content=text.text)
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
            if name not in self._listeners:  # who was told of another one has left
                continue
            for facts in self._said_in(packet, name):
                self._tell(name, facts)
            if (text := self._texts.get(name)) is not None and not text.speakers:
                for listener in list(self._listeners.get(name, ())):
                    listener.unclear()
        for name in gone:
            self._tell(name, None)

    def _said_in(self, packet: list[DNSRecord], name: str) -> Iterator[ModuleFacts]:
        """Yield what one packet says of a service, once for each address it names.

        What it leaves out is taken from the cache where that is the same board's: there, of two
        boards with one name, the records of both are mixed.
        """
        said_now = next((item for item in packet if _is(item, DNSService, name)), None)
        service = said_now or self.newest(name, DNSService, _TYPE_SRV)
        server = service.server.lower() if isinstance(service, DNSService) else None
        hosts = [
            inet_ntoa(item.address)
            for item in packet
            if isinstance(item, DNSAddress) and item.type == _TYPE_A and item.name.lower() == server
        ]
        text = next((item for item in packet if _is(item, DNSText, name)), None)
        if isinstance(text, DNSText):
            speakers = frozenset(hosts) or self._speakers(name, text.text)
            self._texts[name] = Text(speakers=speakers, content=text.text)
        # Looked for first: a record may expire between two looks at the cache.
        if not isinstance(service, DNSService) or (known := self.facts(name)) is None:
            return
        speakers = self._speakers_of_newest(name, known.host)
        if not hosts and speakers:
            host = known.host if known.host in speakers else min(speakers)
            yield replace(known, host=host, port=service.port)
        for host in dict.fromkeys(hosts):
            facts = replace(known, host=host, port=service.port)
            told = host in speakers
            self._note(name, facts, told=told)
            yield facts if told else self._without_text(name, facts)

    def _speakers(self, name: str, content: bytes) -> frozenset[str]:
        """Return who said a text that came without an address, none where it may be another.

        Where nobody has listened for long, somebody may have the name who was not heard yet.
        """
        last = self._texts.get(name)
        if last is not None and last.content == content and last.speakers:
            return last.speakers
        lately = time.monotonic() - _ADDRESS_KEPT
        hosts = frozenset(item.facts.host for item in self.claims(name, lately))
        if not hosts and (facts := self.facts(name)) is not None:
            hosts = frozenset({facts.host})
        is_known = len(hosts) == 1 and self._since.get(name, 0.0) < lately
        return hosts if is_known else frozenset()

    def _speakers_of_newest(self, name: str, host: str) -> frozenset[str]:
        """Return who said the text that the cache has: with that of one gone, maybe another's."""
        said, newest = self._texts.get(name), self.newest(name, DNSText, _TYPE_TXT)
        if newest is not None and (said is None or said.content != newest.text):
            said = self._texts[name] = Text(speakers=frozenset(), content=newest.text)
        return frozenset({host}) if said is None else said.speakers

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

    async def async_said_at(self, service_name: str, host: str) -> ModuleFacts | None:
        """Return what the board at an address says of itself, under a name that is in the cache.

        It is asked where the cache may have the words of another one.
        """
        if self.is_one(service_name):
            return self.facts(service_name)
        said = asyncio.Event()

        def heard(facts: ModuleFacts | None) -> None:
            if facts is not None and facts.host == host:
                said.set()

        stops = self.async_start(), self.async_listen(service_name, heard)
        try:
            self.async_ask(service_name)
            with suppress(TimeoutError):
                async with asyncio.timeout(_ANSWER):
                    await said.wait()
            here = (one.facts for one in self.claims(service_name) if one.facts.host == host)
            return next(here, None)
        finally:
            for stop in stops:
                stop()

    @callback
    def async_claimed(self, service_name: str, facts: ModuleFacts) -> None:
        """Take what somebody else has heard, as the browser of Home Assistant does."""
        name = service_name.lower()
        self._note(name, facts if self.is_one(name) else _bare(facts))

    def claims(self, service_name: str, since: float = 0.0) -> list[Claim]:
        """Return who claimed a name since then (`time.monotonic()`), the newest first."""
        claims = self._claims.get(service_name.lower(), {}).values()
        return sorted((item for item in claims if item.at >= since), key=lambda item: -item.at)

    def _tell(self, name: str, facts: ModuleFacts | None) -> None:
        for listener in list(self._listeners.get(name, ())):
            listener.heard(facts)

    def is_others(self, service_name: str | None, host: str, port: int | None) -> bool:
        """Whether this address was announced by others last, not by the module of that name."""
        return service_name is not None and self.other_at(service_name, host, port) is not None

    def other_at(self, service_name: str, host: str, port: int | None) -> str | None:
        """Return another service that announced this address after the one of that name did."""
        name = service_name.lower()
        others = [one for one in self.announced_at(host, port) if one[1].lower() != name]
        known = [one[0] for one in self.announced_at(host, port) if one[1].lower() == name]
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
        service = self.newest(service_name, DNSService, _TYPE_SRV)
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
    return facts_from_announcement(facts.name, facts.host, facts.port, {})


def _place(facts: ModuleFacts) -> tuple[str, int]:
    return facts.host, facts.port


def _names(facts: ModuleFacts) -> set[str]:
    return {facts.host, facts.name.lower()}
