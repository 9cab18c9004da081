"""Requests as fast as they are answered, over plain sockets: the server is what is measured.

Each comes from the address of its module, else it would be answered without being believed.
"""

from collections.abc import Sequence
import socket
from threading import Thread
import time
from typing import Final

_THREADS: Final = 4
"""Enough that the server never waits for the next request."""
_STATUS: Final = b" 304 "


type Request = tuple[str, bytes]
"""From which address, and the bytes."""


def _as_modules_do(address: tuple[str, int], requests: Sequence[Request], deadline: float) -> int:
    """Ask over a new connection each time, which the server closes."""
    answers = 0
    while time.monotonic() < deadline:
        host, request = requests[answers % len(requests)]
        with socket.create_connection(address, source_address=(host, 0)) as connection:
            connection.sendall(request)
            answer = b""
            while more := connection.recv(4096):
                answer += more
        _check(answer)
        answers += 1
    return answers


def _kept(address: tuple[str, int], requests: Sequence[Request], deadline: float) -> int:
    """Ask over one connection that stays, so that its making hides nothing of the answer."""
    answers = 0
    host, request = requests[0]
    with socket.create_connection(address, source_address=(host, 0)) as connection:
        while time.monotonic() < deadline:
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += connection.recv(4096)
            _check(answer)
            answers += 1
    return answers


def _check(answer: bytes) -> None:
    if _STATUS not in answer[:20]:
        raise RuntimeError(f"not a 304: {answer[:100]!r}")


def ask(port: int, requests: Sequence[Request], seconds: float, *, kept: bool = False) -> float:
    """Return how many answers a second there are."""
    answers: list[int] = []
    begin = time.monotonic()

    def work(own: Sequence[Request]) -> None:
        how = _kept if kept else _as_modules_do
        answers.append(how(("127.0.0.1", port), own, begin + seconds))

    threads = [Thread(target=work, args=(requests[at::_THREADS],)) for at in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(answers) < _THREADS:
        raise RuntimeError("somebody got no answer")
    return sum(answers) / (time.monotonic() - begin)
