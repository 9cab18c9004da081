"""A link that holds every packet back for a while, with a program at its far end.

    python -m tests.bench.link --one-way-ms 10 -- PROGRAM [ARG ...]

Makes `link0` with 10.99.0.1 here, and the same with 10.99.0.2 in a new network namespace in which
PROGRAM runs. Real TCP and real windows; works where the kernel has no sch_netem. Needs the right to
make namespaces and tun devices, which `script/netns` gives. Ends when PROGRAM ends.
"""

import argparse
import asyncio
from contextlib import suppress
import fcntl
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
from typing import Final

NEAR: Final = "10.99.0.1"
FAR: Final = "10.99.0.2"
_DEVICE: Final = "link0"
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN_NO_PI: Final = 0x1001


def _open_end(address: str) -> int:
    """Make this namespace's end of the link; return its packet descriptor."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH", _DEVICE.encode(), _IFF_TUN_NO_PI))
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "addr", "add", f"{address}/24", "dev", _DEVICE],
        ["ip", "link", "set", _DEVICE, "up"],
    ):
        subprocess.run(command, check=True)
    return tun


def _start_far_end(command: list[str]) -> tuple[int, int]:
    """Start the program in a namespace of its own; return its id and its packet descriptor."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    if (pid := os.fork()) == 0:
        ours.close()
        os.unshare(os.CLONE_NEWNET)
        socket.send_fds(theirs, [b"t"], [_open_end(FAR)])
        theirs.close()
        os.execvp(command[0], command)
    theirs.close()
    _, (tun, *_), _, _ = socket.recv_fds(ours, 1, 1)
    ours.close()
    return pid, tun


class _Direction:
    """Carries packets one way."""

    def __init__(self, source: int, sink: int, delay: float) -> None:
        self._source, self._sink, self._delay = source, sink, delay
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(source, self._receive)

    def _receive(self) -> None:
        due = self._loop.time() + self._delay
        while True:
            try:
                packet = os.read(self._source, 65536)
            except BlockingIOError:
                return
            self._loop.call_at(due, self._deliver, packet)

    def _deliver(self, packet: bytes) -> None:
        with suppress(OSError):  # a full queue drops, as a radio would
            os.write(self._sink, packet)


async def _carry(near: int, far: int, delay: float, pid: int) -> int:
    """Carry packets until the program has ended; return its exit code."""
    _Direction(near, far, delay)
    _Direction(far, near, delay)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, os.kill, pid, signal.SIGTERM)
    _, status = await asyncio.to_thread(os.waitpid, pid, 0)
    return os.waitstatus_to_exitcode(status)


def main() -> int:
    """Build the link and run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one-way-ms", type=float, required=True)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    pid, far = _start_far_end(arguments.command)
    near = _open_end(NEAR)
    with suppress(PermissionError):  # a radio does not wait for the processor either
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    # select(2) waits by the microsecond; epoll would round every packet up to a millisecond.
    precise = lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())  # noqa: E731
    carrying = _carry(near, far, arguments.one_way_ms / 1000, pid)
    return asyncio.run(carrying, loop_factory=precise)


if __name__ == "__main__":
    sys.exit(main())
