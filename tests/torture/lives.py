"""Lives of Home Assistant: forked from a warm process, or a real process of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import signal
from typing import Protocol

from tests.e2e.processes import Child, environment, python


class Life(Protocol):
    """One process of Home Assistant."""

    def kill(self) -> None:
        """End it as a power cut does."""

    async def wait(self) -> None:
        """Wait until it has ended."""

    def words(self) -> str:
        """Return the end of what it printed."""


class Lives(Protocol):
    """Starts one life after the other."""

    async def start(self, folder: Path) -> Life:
        """Start a life on a configuration directory."""


class _Forked:
    def __init__(self, pid: int, ended: asyncio.Task[None], log: Path) -> None:
        self._pid = pid
        self._ended = ended
        self._log = log

    def words(self) -> str:
        return _end_of(self._log)

    def kill(self) -> None:
        if not self._ended.done():
            os.kill(self._pid, signal.SIGKILL)

    async def wait(self) -> None:
        await asyncio.shield(self._ended)


class ForkedLives:
    """Lives of the in-process form; the process they are forked from has imported everything."""

    def __init__(self, zygote: asyncio.subprocess.Process, log: Path) -> None:
        """Use a zygote that listens."""
        self._zygote = zygote
        self._log = log

    @classmethod
    @asynccontextmanager
    async def running(cls, log: Path) -> AsyncIterator[Lives]:
        """Have a zygote as long as this lasts."""
        with log.open("ab") as output:
            zygote = await asyncio.create_subprocess_exec(
                *python("tests.torture.zygote"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                env=environment(),
            )
        try:
            yield cls(zygote, log)
        finally:
            assert zygote.stdin is not None
            zygote.stdin.close()
            await zygote.wait()

    async def start(self, folder: Path) -> Life:
        """Fork one."""
        assert self._zygote.stdin is not None
        order = {"config": str(folder)}
        self._zygote.stdin.write(json.dumps(order).encode() + b"\n")
        pid = (await self._hear())["pid"]
        return _Forked(pid, asyncio.create_task(self._until_ended()), self._log)

    async def _until_ended(self) -> None:
        await self._hear()

    async def _hear(self) -> dict[str, int]:
        assert self._zygote.stdout is not None
        if not (line := await self._zygote.stdout.readline()):
            raise ConnectionError("the zygote has died")
        heard: dict[str, int] = json.loads(line)
        return heard


class _Real:
    def __init__(self, child: Child, log: Path) -> None:
        self._child = child
        self._log = log

    def words(self) -> str:
        return _end_of(self._log)

    def kill(self) -> None:
        if self._child.process.returncode is None:
            self._child.process.kill()

    async def wait(self) -> None:
        await self._child.process.wait()


class RealLives:
    """Lives of `python -m homeassistant`, as `script/develop` starts it."""

    async def start(self, folder: Path) -> Life:
        """Start one."""
        # Elsewhere than here: else the integration of this checkout is found, not its copy.
        command = ["env", "-C", str(folder)]
        command += python("homeassistant", "--config", str(folder), "--log-no-color", "--skip-pip")
        log = folder / "output.log"
        with log.open("ab") as output:
            child = await Child.start(command, stdout=output, stderr=output, env=environment())
        return _Real(child, log)


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-3000:]
