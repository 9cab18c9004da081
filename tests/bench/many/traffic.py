"""What very many modules send, as a process of its own.

    python -m tests.bench.many.traffic calm MODULES POLLERS SECONDS PORT
    python -m tests.bench.many.traffic bare POLLERS SECONDS PORT
    python -m tests.bench.many.traffic all MODULES
    python -m tests.bench.many.traffic flood STRANGERS

`calm` is what they send in so many seconds, `bare` as many requests for a page that nobody has,
to know what the platform takes of that, `all` is each of them once, `flood` is what
strangers send as fast as a network brings it. Prints a line when it begins, and one at the end.
"""

from collections.abc import Iterable
import socket
import sys
import time
from typing import Final

from .garden import (
    ANNOUNCED_EVERY,
    NO_PATH,
    POLL_EVERY,
    PULL_PATH,
    announcements,
    host,
    request,
    strangers,
)

_MULTICAST: Final = ("224.0.0.251", 5353)
_APART: Final = 0.001
"""Seconds between packets; faster ones are lost in the receive buffer of whoever listens."""


def _say(packets: Iterable[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
        speaker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        speaker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        speaker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        # Answers that come from another port are not heard (RFC 6762, 6).
        speaker.bind(("127.0.0.1", _MULTICAST[1]))
        for packet in packets:
            speaker.sendto(packet, _MULTICAST)
            time.sleep(_APART)


def _ask(number: int, port: int, path: str, status: int) -> None:
    """Ask for an update as a module does, from its own address."""
    with socket.create_connection(("127.0.0.1", port), source_address=(host(number), 0)) as link:
        link.sendall(request(number, path))
        answer = b""
        while more := link.recv(4096):
            answer += more
    if f" {status} ".encode() not in answer[:20]:
        raise RuntimeError(f"not a {status}: {answer[:100]!r}")


def _calm(modules: int, pollers: int, seconds: float, port: int) -> None:
    packets = list(announcements(modules))
    said = int(modules * seconds / ANNOUNCED_EVERY)
    asked = int(pollers * seconds / POLL_EVERY)
    events = [(seconds * at / said, -1, at) for at in range(said)]
    events += [(seconds * at / asked, at % pollers, 0) for at in range(asked)]
    begin = time.monotonic()
    for at, poller, packet in sorted(events):
        time.sleep(max(0.0, begin + at - time.monotonic()))
        if poller >= 0:
            _ask(poller, port, PULL_PATH, 304)
        else:
            _say([packets[packet % modules]])
    time.sleep(max(0.0, begin + seconds - time.monotonic()))


def _bare(pollers: int, seconds: float, port: int) -> None:
    for number in range(int(pollers * seconds / POLL_EVERY)):
        time.sleep(POLL_EVERY / pollers)
        _ask(number % pollers, port, NO_PATH, 404)


def main(what: str, *numbers: str) -> None:
    """Send it, and return when it is sent."""
    print("begins", flush=True)
    if what == "calm":
        modules, pollers, seconds, port = (int(text) for text in numbers)
        _calm(modules, pollers, seconds, port)
    elif what == "bare":
        _bare(*(int(text) for text in numbers))
    elif what == "all":
        _say(announcements(int(numbers[0])))
    else:
        _say(strangers(int(numbers[0])))
    print("ended", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
