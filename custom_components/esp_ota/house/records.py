"""What zeroconf's cache holds about modules; of two boards with one name it has some of each."""

from collections.abc import Mapping
from heapq import nlargest
from ipaddress import ip_address
from socket import inet_aton, inet_ntoa
from typing import Final

from zeroconf import (  # type: ignore[attr-defined]
    DNSAddress,
    DNSPointer,
    DNSRecord,
    DNSService,
    DNSText,
    ServiceInfo,
    Zeroconf,
    current_time_millis,
)
from zeroconf.const import _CLASS_IN, _TYPE_A, _TYPE_PTR, _TYPE_SRV, _TYPE_TXT

from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from ..ota import SERVICE_TYPE, ModuleFacts, facts_from_announcement

_MOST: Final = 8
"""Names looked at of one address; more are a flood."""


class Records:
    """Looked up by the name of a service, by a MAC, or by an address."""

    def __init__(self, zeroconf: Zeroconf) -> None:
        """Take the shared zeroconf instance."""
        self._zeroconf = zeroconf

    def facts(self, service_name: str) -> ModuleFacts | None:
        """Return what the cache holds about a service, None when that is not enough."""
        service = self.newest(service_name, DNSService, _TYPE_SRV)
        if service is None or service.port is None:
            return None
        address = self.newest(service.server, DNSAddress, _TYPE_A)
        if address is None:
            return None
        host, said = inet_ntoa(address.address), self._properties(service_name)
        return facts_from_announcement(service.server, host, service.port, said)

    def _properties(self, service_name: str) -> dict[str, str | None]:
        text = self.newest(service_name, DNSText, _TYPE_TXT)
        said = ServiceInfo(SERVICE_TYPE, service_name, properties=text.text if text else b"")
        return said.decoded_properties

    def info(self, service_name: str) -> ZeroconfServiceInfo | None:
        """Return what Home Assistant would hand over of a service, None when that is not enough."""
        if (facts := self.facts(service_name)) is None:
            return None
        return as_discovered(service_name, facts, self._properties(service_name))

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
        text = self.newest(service_name, DNSText, _TYPE_TXT)
        return text.created / 1000 if text else 0.0

    def newest[R: DNSRecord](self, name: str, kind: type[R], type_: int) -> R | None:
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
        found = self.announced_at(host, port)
        return max(found)[1] if found else None

    def announced_at(self, host: str, port: int | None) -> list[tuple[float, str]]:
        """Return when which services said last that they are there."""
        host = host.lower().removesuffix(".local")
        found = []
        for alias in self._services_of(self._servers_at(host)):
            facts = self.facts(alias)
            if facts is None or host not in {facts.host, facts.name.lower()}:
                continue
            if port in {facts.port, None}:
                found.append((self.address_told(alias), alias))
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
        return nlargest(_MOST, told, key=lambda name: told[name])

    def _services_of(self, servers: list[str]) -> list[str]:
        """Return the services that these servers have, the newest first."""
        told = {
            record.name: record.created
            for server in servers
            for record in self._zeroconf.cache.async_entries_with_server(server)
            if isinstance(record, DNSService) and record.name.lower().endswith(SERVICE_TYPE)
        }
        return nlargest(_MOST, told, key=lambda name: told[name])

    def address_told(self, service_name: str) -> float:
        """Return when a service said last where it is (`time.monotonic()`)."""
        service = self.newest(service_name, DNSService, _TYPE_SRV)
        address = self.newest(service.server, DNSAddress, _TYPE_A) if service else None
        return address.created / 1000 if address else 0.0

    def is_one(self, name: str) -> bool:
        """Whether text and address in the cache came in one packet.

        What somebody flushed gets the time of that, and lives for a second more.
        """
        text = self.newest(name, DNSText, _TYPE_TXT)
        return text is None or (text.created / 1000 == self.address_told(name) and text.ttl > 1)


def as_discovered(
    service_name: str, facts: ModuleFacts, properties: Mapping[str, str | None]
) -> ZeroconfServiceInfo:
    """Return what Home Assistant hands over of a module that it discovers."""
    address = ip_address(facts.host)
    return ZeroconfServiceInfo(
        ip_address=address,
        ip_addresses=[address],
        port=facts.port,
        hostname=f"{facts.name}.local.",
        type=SERVICE_TYPE,
        name=service_name,
        properties=dict(properties),
    )
