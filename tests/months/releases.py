"""Where the releases of the house come from: a folder, a list on a web site, a build machine."""

import os
from pathlib import Path
import time
from typing import Any, Final, Self

import aiohttp
from aiohttp import web

from tests.virtual_module import build_image

from .plan import DAY, ModulePlan

SIZE: Final = 64 * 1024
_PORT: Final = 8999
LIST: Final = f"http://127.0.0.1:{_PORT}/list.json"
_AHEAD: Final = 1.5 * DAY
_UPLOAD: Final = "/api/esp_ota/firmware"


def image(plan: ModulePlan, version: str) -> bytes:
    """Return a module's firmware of some version."""
    return build_image(plan.chip, name=plan.name, version=version, size=SIZE)


class Site:
    """A web site with a list of releases, newest first."""

    def __init__(self) -> None:
        """Have nothing yet."""
        self._list: list[dict[str, Any]] = []
        self._files: dict[str, bytes] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        """Open it."""
        app = web.Application()
        app.router.add_get("/list.json", self._answer_list)
        app.router.add_get("/{name}", self._answer_file)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", _PORT).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        assert self._runner is not None
        await self._runner.cleanup()

    async def _answer_list(self, request: web.Request) -> web.Response:
        return web.json_response({"releases": self._list})

    async def _answer_file(self, request: web.Request) -> web.Response:
        return web.Response(body=self._files[request.match_info["name"]])

    def add(self, plan: ModulePlan, version: str) -> None:
        """Bring out a release."""
        name = f"{plan.name}-{version}.bin"
        self._files[name] = image(plan, version)
        self._list.insert(0, {"firmware": plan.name, "version": version, "url": name})


def place(folder: Path, plan: ModulePlan, version: str) -> None:
    """Put a release into the watched folder."""
    path = folder / f"{plan.name}-{version}.bin"
    path.write_bytes(image(plan, version))
    # Else the file is of the machine's own day. The clock of some storage is ahead.
    written = time.time() + (_AHEAD if plan.number % 3 == 1 else 0.0)
    os.utime(path, (written, written))


async def build(session: aiohttp.ClientSession, plan: ModulePlan, version: str) -> None:
    """Upload a release as a build machine does."""
    params = {"file": f"{plan.name}-{version}.bin"}
    async with session.post(_UPLOAD, params=params, data=image(plan, version)) as response:
        response.raise_for_status()
