"""Which addresses a source may have this machine ask: not what is inside the house.

A mere GET switches many a relay, and this machine reaches what nobody on the internet does. Names
are looked up here, and what was looked at is connected to: a name that means another address a
moment later changes nothing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
import socket
from typing import Any, Final, Self

from aiohttp import ClientSession
from aiohttp.resolver import DefaultResolver
from yarl import URL

from ..causes import Cause
from ..details import Detail
from ..exceptions import SourceError

_INSIDE: Final = (
    ".local",
    ".localhost",
    ".lan",
    ".home",
    ".home.arpa",
    ".internal",
    ".intranet",
    ".localdomain",
    ".fritz.box",
)
"""Ends of names that mean something in one house or company only (RFC 6761, 6762, 8375; ICANN's
`.internal`; what routers are sold with)."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
_MOST_ADDRESSES: Final = 4

type Resolve = Callable[[str], Awaitable[Sequence[Mapping[str, Any]]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Public addresses, and the one place inside the house that a person named, if it is one."""

    named: str | None = None
    """Its host."""

    @classmethod
    def of(cls, url: str, *, inside: bool = False) -> Self:
        """Return what a list at this address may reach; `inside` says that it is in the house."""
        try:
            host = URL(url).raw_host or ""
        except ValueError:
            host = ""
        return cls(named=host if inside or is_inside(host) else None)

    async def addresses(self, session: ClientSession, host: str) -> list[str]:
        """Return where a host may be connected to; raises SourceError when nowhere."""
        found = await _resolved(session, host)
        allowed = [item for item in found if host == self.named or is_public(item)]
        if found and not allowed:
            raise SourceError(Cause.SOURCE_INSIDE, host=host, address=found[0])
        return allowed[:_MOST_ADDRESSES]


def is_inside(host: str) -> bool:
    """Whether a host is inside the house by its name alone: who writes it there means that."""
    name = host.lower().removesuffix(".")
    try:
        return not is_public(name)
    except ValueError:
        return "." not in name or name.endswith(_INSIDE)


def is_public(address: str) -> bool:
    """Whether an address is one of the internet; raises ValueError for what is none."""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and (inner := _carried(found)) is not None:
        found = inner
    return found.is_global and not found.is_multicast


def _carried(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one stands for."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


async def _resolved(session: ClientSession, host: str) -> list[str]:
    """Return the addresses of a host; raises SourceError when it has none.

    Home Assistant's own connector knows names of mDNS as well.
    """
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    resolve: Resolve = getattr(session.connector, "async_resolve_host", None) or _looked_up
    try:
        found = [str(item["host"]) for item in await resolve(host)]
    except (OSError, UnicodeError, ValueError) as err:
        detail = Detail.NAME_UNKNOWN
        raise SourceError(Cause.SOURCE_UNREACHABLE, detail=detail, host=host) from err
    # Links of this machine alone have an interface in their address, which no URL has.
    return [item for item in dict.fromkeys(found) if "%" not in item]


async def _looked_up(host: str) -> Sequence[Mapping[str, Any]]:
    resolver = DefaultResolver()
    try:
        return await resolver.resolve(host, family=socket.AF_UNSPEC)
    finally:
        await resolver.close()
