"""The configuration directory that all houses begin with: its library has all releases."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

from .config import WEB, store, write_entries
from .images import all_images
from .lives import Lives
from .plan import WAITS

_START: Final = 180.0
"""Seconds; nothing is compiled yet, and the machine may be busy."""


async def make_template(lives: Lives, place: Path, template: Path) -> None:
    """Let a first life take all releases in, and stop it as a person would."""
    write_entries(template, None)
    store(template, "http", 2, 2, WEB)
    files = _write_images(place)
    started, released = asyncio.Event(), asyncio.Semaphore(0)
    writers: list[asyncio.StreamWriter] = []

    def tell(**content: Any) -> None:
        writers[0].write(json.dumps(content).encode() + b"\n")

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while line := await reader.readline():
            match json.loads(line)["kind"]:
                case "hello":
                    tell(do="begin", states={}, die=None, waits=WAITS)
                case "started":
                    started.set()
                case "released":
                    released.release()
        writer.close()

    # Home Assistant finds it beside its configuration directory.
    server = await asyncio.start_unix_server(meet, template.parent / "socket")
    life = await lives.start(template)
    try:
        async with asyncio.timeout(_START):
            await started.wait()
            for file in files:
                tell(do="release", path=str(file))
                await released.acquire()
            tell(do="stop")
            await life.wait()
    finally:
        life.kill()
        server.close()


def _write_images(place: Path) -> list[Path]:
    place.mkdir(parents=True, exist_ok=True)
    files = [place / f"{index}.bin" for index, _ in enumerate(all_images())]
    for file, image in zip(files, all_images(), strict=True):
        file.write_bytes(image)
    return files
