"""Processes that are measured or help with it, and speak JSON lines."""

from collections.abc import Iterator
from contextlib import contextmanager
import json
from pathlib import Path
from queue import SimpleQueue
import subprocess
import sys
from threading import Thread
from typing import IO, Any


def sent(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Yield the lines that a process prints; it never waits until somebody reads them."""
    lines: SimpleQueue[str | None] = SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    Thread(target=read, daemon=True).start()
    while (line := lines.get()) is not None:
        yield json.loads(line)
    raise RuntimeError(f"ended: {process.args!r}")


@contextmanager
def process(*arguments: str, cwd: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """Yield a process of Python modules, which is ended."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd
    ) as one:
        try:
            yield one
        finally:
            one.terminate()


class House:
    """A Home Assistant in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Wait until it serves."""
        assert process.stdin is not None
        self._in: IO[str] = process.stdin
        self._out = sent(process)
        self.port = int(next(self._out)["port"])

    def do(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Have something done, and return the answer."""
        print(json.dumps({"command": command, **arguments}), file=self._in, flush=True)
        return next(self._out)
