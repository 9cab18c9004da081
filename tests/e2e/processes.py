"""Programs of our own: ended by their process id, and never outliving us."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
import os
from pathlib import Path
import shutil
import sys
from typing import IO, Self

_PATIENCE = 20.0
"""Seconds between SIGTERM and SIGKILL; Home Assistant writes its storage meanwhile."""


class Child:
    """A running program, in a session of its own: Ctrl-C is for us, we end it in order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take over a started process."""
        self.process = process

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        stdin: int | None = asyncio.subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Self:
        """Start a program that is told to end when this process dies without a word."""
        if shutil.which("setpriv"):
            command = ["setpriv", "--pdeathsig", "TERM", *command]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
        return cls(process)

    async def end(self) -> int:
        """End it with SIGTERM, with SIGKILL if it does not listen, and return its exit code."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.terminate()
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
        return await self.process.wait()

    async def kill(self) -> None:
        """End it as a power cut does: it learns nothing of it."""
        self.process.kill()
        await self.process.wait()


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module with our own Python."""
    return [sys.executable, "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Return our environment; Home Assistant is large, so let Python keep what it compiled."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
