"""Ask whether a module is alive without changing anything on it.

An invitation would begin an update, so two things are asked that lwIP answers by itself:
a TCP connection to the OTA port number (nothing listens there: a reset is a sign of life) and
an empty datagram, which every module ignores and whose only answer can be "port unreachable".
"""

import asyncio
import errno
from typing import Final

from .datagram import is_closed

_UDP_WAIT: Final = 0.15
"""Seconds for "port unreachable", which comes within a round trip or not at all."""


async def is_alive(host: str, port: int, timeout: float) -> bool:
    """Whether the module's address answers and its OTA port is not known to be closed."""
    try:
        async with asyncio.timeout(timeout):
            return await _host_answers(host, port) and not await is_closed(host, port, _UDP_WAIT)
    except TimeoutError:
        return False


async def is_there(host: str, port: int, timeout: float) -> bool:
    """Whether anything answers at an address, be it that nothing listens there."""
    try:
        async with asyncio.timeout(timeout):
            return await _host_answers(host, port)
    except TimeoutError:
        return False


async def is_listening(host: str, port: int, timeout: float) -> bool:
    """Whether a web server takes a connection; a sketch that runs without one is no use."""
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError, OSError:
        return False
    writer.transport.abort()
    return True


async def _host_answers(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError, ConnectionResetError:
        return True
    except OSError as err:
        # A host that refuses this port by a firewall rule is there as well.
        return err.errno in {errno.EACCES, errno.EPERM}
    writer.transport.abort()
    return True
