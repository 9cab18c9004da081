"""The house's clock: how fast it goes, said by whoever has something to do that takes time.

libfaketime gives all processes the time `+OFFSET xRATE`: the moment the first of them started,
plus OFFSET, plus RATE times what has really passed since. Days go by fast. Whoever waits for an
answer of another process lets the clock go slowly meanwhile, as that takes real time.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
import ctypes
import fcntl
from itertools import count
import json
import os
from pathlib import Path
import signal
import time
from typing import Any, Final, Self

FILE: Final = "FAKETIME_TIMESTAMP_FILE"
_CLOCK_GETTIME: Final = {"x86_64": 228, "aarch64": 113}
"""The system call, which libfaketime does not see."""
_FORWARD: Final = 2.0
"""Seconds that the time jumps when it slows down, or it would run back for who looks just then."""
_SAMPLES: Final = 200
_MOST: Final = 8192
"""Bytes of all that is wanted."""


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def real_time() -> float:
    """Return the time of the machine, in seconds since 1970."""
    now = _Timespec()
    _LIBC.syscall(_CLOCK_GETTIME[os.uname().machine], 0, ctypes.byref(now))
    return float(now.seconds + now.nanoseconds / 1e9)


class Clock:
    """What one process knows of the clock; what all of them want is in one file beside it.

    Works on files by `os` alone: Home Assistant looks closely at who opens one in its loop.
    """

    def __init__(self, path: Path, begun: float, driver: int) -> None:
        """Take over a clock that was begun at a real time by the process `driver`."""
        self._path = str(path)
        self._state = os.open(path.with_name("holds.json"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        self._begun = begun
        self._driver = driver
        self._ids = count(1)

    @classmethod
    def begin(cls, start: float, rate: float) -> Self:
        """Set the clock of this process and of its children.

        Raises RuntimeError when libfaketime does not tell us the time.
        """
        path = Path(os.environ[FILE])
        path.write_text("+0 x2\n")
        # Twice as fast since then: told minus real is what has passed.
        begun = max(2 * real_time() - time.time() for _ in range(_SAMPLES))
        if not 0 <= real_time() - begun < 600:
            raise RuntimeError("libfaketime does not tell us the time")
        clock = cls(path, begun, os.getpid())
        now = real_time()
        offset = start - begun - (now - begun) * rate
        clock._write({"usual": rate, "rate": rate, "offset": offset, "holds": {}, "wakes": []})
        clock._set(offset, rate)
        if abs(time.time() - start) > 60 * rate:
            raise RuntimeError("libfaketime does not tell us the time we set")
        return clock

    @classmethod
    def joined(cls) -> Self:
        """Take part in the clock that our parent has begun."""
        begun, driver = os.environ["MONTHS_CLOCK"].split()
        return cls(Path(os.environ[FILE]), float(begun), int(driver))

    @property
    def for_children(self) -> dict[str, str]:
        """What a child needs in its environment to take part."""
        return {"MONTHS_CLOCK": f"{self._begun!r} {self._driver}"}

    @property
    def rate(self) -> float:
        """How much faster than real time it goes now."""
        return float(self._read()["rate"])

    def usual(self, rate: float) -> None:
        """Go so fast whenever nobody holds it back."""
        with self._changing() as state:
            state["usual"] = rate

    @contextmanager
    def slowly(self, rate: float) -> Iterator[None]:
        """Go no faster than this meanwhile."""
        key = self.hold(rate)
        try:
            yield
        finally:
            self.release(key)

    def hold(self, rate: float) -> str:
        """Go no faster than this until `release` is called with what this returns."""
        key = f"{os.getpid()}-{next(self._ids)}"
        with self._changing() as state:
            state["holds"][key] = rate
        return key

    def release(self, key: str) -> None:
        """Give up a hold."""
        with self._changing() as state:
            state["holds"].pop(key, None)

    def forget(self, process: int) -> None:
        """Give up all holds of a process that has ended."""
        with self._changing() as state:
            holds = state["holds"].items()
            state["holds"] = {k: v for k, v in holds if not k.startswith(f"{process}-")}
            state["wakes"] = [other for other in state["wakes"] if other != process]

    def wakes(self, process: int) -> None:
        """Have a process look anew how long to wait whenever the time goes faster."""
        with self._changing() as state:
            state["wakes"].append(process)

    async def sleep_until(self, moment: float) -> None:
        """Wait for a moment, in seconds since 1970."""
        # Nothing else moves the time than its passing, which may get faster.
        while (left := moment - time.time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        fcntl.flock(self._state, fcntl.LOCK_EX)
        try:
            state = self._read()
            before = state["rate"]
            yield state
            state["rate"] = rate = min([state["usual"], *state["holds"].values()])
            if rate != before:
                now = real_time() - self._begun
                state["offset"] += now * (before - rate) + (_FORWARD if rate < before else 0.0)
                self._set(state["offset"], rate)
            self._write(state)
        finally:
            fcntl.flock(self._state, fcntl.LOCK_UN)
        if rate > before:
            # A wait under way would go on for as long, really, as it was to be before.
            for process in {self._driver, *state["wakes"]} - {os.getpid()}:
                self._wake(process)

    def _wake(self, process: int) -> None:
        for number in (signal.SIGSTOP, signal.SIGCONT):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def _read(self) -> dict[str, Any]:
        return dict(json.loads(os.pread(self._state, _MOST, 0)))

    def _write(self, state: dict[str, Any]) -> None:
        os.pwrite(self._state, json.dumps(state).encode().ljust(_MOST), 0)

    def _set(self, offset: float, rate: float) -> None:
        new = f"{self._path}.new"
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC)
        os.write(file, f"{offset:+.6f} x{rate:g}\n".encode())
        os.close(file)
        os.rename(new, self._path)  # noqa: PTH104 - see above
