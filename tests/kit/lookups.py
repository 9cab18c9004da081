"""What host names stand for in a test, in place of what this machine's resolver would say."""

from collections.abc import Iterator
from contextlib import contextmanager
import socket
import threading
from typing import Any
from unittest.mock import patch


class Lookups:
    """Answers lookups; nobody knows a name that is not in `known`."""

    def __init__(self) -> None:
        self.known: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._really = socket.getaddrinfo

    def getaddrinfo(self, host: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if not str(host).endswith((".local", ".lan")):
            return list(self._really(host, *args, **kwargs))
        self.asked.append(host)
        self.may_answer.wait(10)
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [one for at in self.known[host] for one in self._really(at, *args, **kwargs)]


@contextmanager
def looked_up() -> Iterator[Lookups]:
    """Answer all lookups of this process meanwhile."""
    lookups = Lookups()
    with patch("socket.getaddrinfo", lookups.getaddrinfo):
        yield lookups
    lookups.may_answer.set()
