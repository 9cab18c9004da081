"""Why a module stays silent, or does not come back to us: what can be found out from here."""

import fcntl
from ipaddress import IPv4Address, IPv4Network
import socket
import struct
from typing import Final

from ..causes import Cause
from ..exceptions import ModuleConnectionError
from ..models import ChipFamily
from .datagram import IGNORED, DatagramSocket, is_closed
from .discovery import DEFAULT_PORTS

_SIOCGIFADDR: Final = 0x8915
_SIOCGIFNETMASK: Final = 0x891B
_SOCKADDR_ADDRESS: Final = slice(20, 24)
"""Where a `struct ifreq` has the four bytes of an address (netdevice(7))."""

_TRANSLATED: Final = (
    IPv4Network("172.16.0.0/12"),  # bridges of Docker
    IPv4Network("10.88.0.0/16"),  # of Podman
    IPv4Network("192.168.65.0/24"),  # Docker Desktop's virtual machine
    IPv4Network("10.0.2.0/24"),  # user networks of QEMU and VirtualBox
    IPv4Network("100.64.0.0/10"),  # carrier NAT, and VPNs that borrow its range
)
"""Where a machine gets an address that is translated on its way to the house's network."""
_CLOSED_WAIT: Final = 0.5
"""Seconds for "port unreachable", which comes within a round trip or not at all."""


async def why_unreachable(host: str, port: int, family: ChipFamily | None) -> ModuleConnectionError:
    """Return why a module whose ArduinoOTA did not answer a probe may be out of reach."""
    try:
        udp = await DatagramSocket.open(host, port)
    except socket.gaierror:
        return ModuleConnectionError(Cause.HOST_NOT_FOUND)
    except OSError:
        return ModuleConnectionError(Cause.UNREACHABLE)
    cause = Cause.UNREACHABLE
    try:
        udp.send(IGNORED)
        await udp.receive(_CLOSED_WAIT)
    except ConnectionRefusedError:
        cause = Cause.PORT_CLOSED
    except OSError:
        pass  # nobody answers ARP
    finally:
        udp.close()
    return await why_silent(
        ModuleConnectionError(cause),
        host=udp.remote_address,
        port=port,
        family=family,
        our_address=udp.local_address,
    )


async def why_silent(
    error: ModuleConnectionError,
    *,
    host: str,
    port: int,
    family: ChipFamily | None,
    our_address: str,
) -> ModuleConnectionError:
    """Return a more telling error for a module that did not answer on UDP, else the same."""
    if error.cause is Cause.PORT_CLOSED:
        usual = await _usual_port(host, port, family)
        return ModuleConnectionError(Cause.WRONG_PORT, usual_port=usual) if usual else error
    silent = error.cause in {Cause.NO_ANSWER, Cause.UNREACHABLE}
    elsewhere = not (is_neighbour(our_address, host) or is_translated(our_address, host))
    if silent and elsewhere:
        return ModuleConnectionError(Cause.OTHER_SUBNET, our_address=our_address)
    return error


async def _usual_port(host: str, port: int, family: ChipFamily | None) -> int | None:
    """Return a usual port of ArduinoOTA at which, unlike at this one, something listens."""
    usual = [DEFAULT_PORTS[family]] if family else list(DEFAULT_PORTS.values())
    for other in usual:
        if other != port and not await is_closed(host, other, _CLOSED_WAIT):
            return other
    return None


def is_neighbour(ours: str, module: str) -> bool:
    """Whether the module is in the same network, so that no router stands in between."""
    return IPv4Address(module) in _network_of(ours)


def is_translated(ours: str, module: str) -> bool:
    """Whether the module probably sees another address of ours and cannot reach this one.

    A house may well use such a range for itself: then its modules are in the same range.
    """
    if is_neighbour(ours, module):
        return False
    return any(
        IPv4Address(ours) in range_ and IPv4Address(module) not in range_ for range_ in _TRANSLATED
    )


def _network_of(address: str) -> IPv4Network:
    """Return the network of one of our addresses, as its interface is set up.

    Only the first address of an interface is told; for others a network as most homes have it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode())
            try:
                found = fcntl.ioctl(asked, _SIOCGIFADDR, request)[_SOCKADDR_ADDRESS]
                mask = fcntl.ioctl(asked, _SIOCGIFNETMASK, request)[_SOCKADDR_ADDRESS]
            except OSError:
                continue  # no IPv4 address
            if socket.inet_ntoa(found) == address:
                return IPv4Network((address, socket.inet_ntoa(mask)), strict=False)
    return IPv4Network((address, 24), strict=False)
