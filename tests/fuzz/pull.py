"""The pull endpoint under requests that no module sends: many, 1,000 at once, slowly.

Home Assistant runs in a process of its own, another one asks for its pages meanwhile: first while
nobody else asks, then while as many ask for an address that is nobody's, then while the endpoint is
asked. Whatever the log says of an error, any byte of the image, any status of 500 is a failure.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
import json
from pathlib import Path
import re
import signal
import sys
import time
from typing import Any, Final

from tests.virtual_module import PULL_REQUESTS

from ._asking import Asker
from ._cases import PATH, Case, Cases
from ._house import HOUSE_SECRET, OTHER_MAC, OWN_SECRET, SAMPLE_MAC, image

RUNS: Final = 100_000
_WORKERS: Final = 32
_AT_ONCE: Final = 1_000
_BURST_EVERY: Final = 20_000
_SLOW: Final = 200
_CONTROL_EVERY: Final = 1_000
_WARM: Final = 5_000
"""Requests after which memory counts: modules and caches are loaded by then."""
_MIB: Final = 1024
_PATIENCE: Final = 60.0
"""Seconds for the house to say how it is."""
_LONGEST: Final = 100.0
"""Milliseconds of its own CPU time that the loop may serve nobody else."""
_NO_WORSE: Final = 2.0
"""Times what as many 404s cost: 1,000 at once hold Home Assistant up for longer by themselves."""


def main(arguments: Sequence[str]) -> int:
    """Run it as `script/fuzz pull`, print one JSON line; 1 when something was found."""
    options = argparse.ArgumentParser(prog="script/fuzz pull", description=__doc__)
    options.add_argument("--runs", type=int, default=RUNS)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args(arguments)
    found = run(given.runs, given.seed)
    print(json.dumps(found))
    return 1 if found["failures"] else 0


def run(runs: int, seed: int) -> dict[str, Any]:
    """Send so many requests; return what was found."""
    return asyncio.run(_Run(runs, seed).everything())


@asynccontextmanager
async def _process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _held_up(answered: dict[str, dict[str, Any]]) -> list[str]:
    """Return a complaint if the endpoint holds Home Assistant up, and more than its own 404."""
    ours = answered["beside_pull"]["loop_cpu_max_ms"]
    theirs = answered["beside_nobodys"]["loop_cpu_max_ms"]
    too_long = ours > _LONGEST and ours > _NO_WORSE * theirs
    return [f"the loop was busy for {ours} ms, and {theirs} ms with 404s"] if too_long else []


class _Run:
    def __init__(self, runs: int, seed: int) -> None:
        self._runs = runs
        self._seed = seed
        self._cases = Cases(seed, HOUSE_SECRET)
        self._sent = 0
        self._rss: list[int] = []
        self._alarms: list[str] = []
        self._told = asyncio.Event()
        self._ending: dict[str, Any] = {}

    async def everything(self) -> dict[str, Any]:
        async with _process("tests.fuzz._house") as house:
            assert house.stdout is not None
            told = json.loads(await house.stdout.readline())
            self._asker = asker = Asker(told["port"], image(), self._seed)
            self._house = house
            listening = asyncio.ensure_future(self._listen(house.stdout))
            async with _process("tests.fuzz._pages", str(told["port"]), told["token"]) as pages:
                self._pages = pages
                await asyncio.sleep(2.0)
                answered = {"alone": await self._look()}
                await self._attack_nobody()
                answered["beside_nobodys"] = await self._look()
                begun = time.monotonic()
                await self._attack()
                seconds = time.monotonic() - begun
                answered["beside_pull"] = await self._look()
            await self._collect()
            self._note_memory()
            house.terminate()
            await listening
        return {
            "fuzz": "pull",
            "seed": self._seed,
            "requests": sum(asker.kinds.values()),
            "seconds": round(seconds, 1),
            "kinds": dict(sorted(asker.kinds.items())),
            "statuses": dict(sorted(asker.statuses.items())),
            "pages": answered,
            "rss_warm_mib": self._rss[0] // _MIB,
            "rss_course_mib": [rss // _MIB for rss in self._rss[:: len(self._rss) // 10 or 1]],
            "rss_max_mib": max(self._rss) // _MIB,
            **self._ending,
            "failures": (asker.failures + self._alarms + _held_up(answered))[:20],
        }

    async def _listen(self, lines: asyncio.StreamReader) -> None:
        """Collect what the house says."""
        while line := await lines.readline():
            told = json.loads(line)
            if "alarm" in told:
                self._alarms.append(told["alarm"])
            else:
                self._ending = told
                self._told.set()

    async def _look(self) -> dict[str, Any]:
        """Return how pages were answered since the last look, and what held the loop up."""
        assert self._pages.stdin is not None
        assert self._pages.stdout is not None
        self._pages.stdin.write(b"\n")
        found: dict[str, Any] = json.loads(await self._pages.stdout.readline())
        self._told.clear()
        self._house.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(_PATIENCE):
            await self._told.wait()
        return found | {"loop_cpu_max_ms": self._ending["loop_ms"]}

    async def _collect(self) -> None:
        """See that the offer was open all the time, for the one who may have it."""
        status, body = await self._asker.poll(OWN_SECRET, SAMPLE_MAC)
        if (status, body) != ("200", image()):
            failure = f"the entitled module got {status}, {len(body)} bytes"
            self._asker.failures.append(failure)

    async def _attack_nobody(self) -> None:
        """Ask as often at once for what Home Assistant itself answers 404."""
        raw = PULL_REQUESTS["esp8266_3"].to("/api/nobodys", "127.0.0.1").raw
        case = Case(kind="nobodys", raw=raw)
        asker = Asker(self._asker.port, image(), self._seed)
        count = min(_BURST_EVERY, self._runs)

        async def ask() -> None:
            for _ in range(count // _WORKERS):
                await asker.ask(case)

        await asyncio.gather(*(ask() for _ in range(_WORKERS)))
        await asyncio.gather(*(asker.ask(case) for _ in range(min(_AT_ONCE, count))))

    async def _attack(self) -> None:
        slow = asyncio.ensure_future(self._slow())
        while self._sent < self._runs:
            share = min(_BURST_EVERY, self._runs - self._sent)
            burst = min(_AT_ONCE, share // 2)
            await asyncio.gather(*(self._work(self._sent + share - burst) for _ in range(_WORKERS)))
            await self._burst(burst)
        slow.cancel()
        with suppress(asyncio.CancelledError):
            await slow

    async def _work(self, until: int) -> None:
        while self._sent < until:
            self._sent += 1
            number = self._sent
            await self._asker.ask(self._cases.next())
            if number % _CONTROL_EVERY == 0:
                await self._control()
            if number >= min(_WARM, self._runs // 2) and number % 100 == 0:
                self._note_memory()

    async def _burst(self, count: int) -> None:
        """Ask so many times at once."""
        cases = [self._cases.next() for _ in range(count)]
        await asyncio.gather(*(self._asker.ask(case) for case in cases))
        self._sent += count
        self._note_memory()

    async def _control(self) -> None:
        """See that who may ask is answered as ever."""
        status, body = await self._asker.poll(HOUSE_SECRET, OTHER_MAC)
        if (status, body) not in (("304", b""), ("429", b"")):
            self._asker.failures.append(f"a module that asks gets {status}")

    async def _slow(self) -> None:
        """Hold connections that never end a header, and such that never read an answer."""
        request = PULL_REQUESTS["pico"].to(f"{PATH}/{HOUSE_SECRET}", "127.0.0.1")
        whole = request.without("Connection").raw.replace(b"HTTP/1.0", b"HTTP/1.1")
        writers = []
        try:
            for _ in range(_SLOW):
                _, writer = await asyncio.open_connection(
                    "127.0.0.1", self._asker.port, local_addr=("127.0.0.2", 0)
                )
                writers.append(writer)
            for writer in writers[::2]:
                writer.write(f"GET {PATH}/{HOUSE_SECRET} HTTP/1.0\r\nX: ".encode())
            while True:
                for number, writer in enumerate(writers):
                    with suppress(OSError):
                        writer.write(whole if number % 2 else b"x")
                    await asyncio.sleep(1 / _SLOW)
        finally:
            for writer in writers:
                writer.transport.abort()

    def _note_memory(self) -> None:
        status = Path(f"/proc/{self._house.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        self._rss.append(int(found[1]))
