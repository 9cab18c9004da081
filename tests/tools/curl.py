"""curl, which nobody here wrote, as it talks to the page of a virtual module."""

import asyncio
import hashlib
from pathlib import Path
import shutil
from typing import Any

import pytest

from tests.virtual_module import HttpConfig, HttpDialect, HttpModule, ModuleConfig, build_image

CURL = shutil.which("curl")
needs_curl = pytest.mark.skipif(CURL is None, reason="curl is not installed")

SIZE = 32 * 1024
SUCCESS = "Update Success! Rebooting..."


def module_with(dialect: str, chip: str = "esp8266", **config: Any) -> HttpModule:
    """Return a quick module; the keyword `http` has fields of its update page."""
    http = HttpConfig(dialect=HttpDialect(dialect), **config.pop("http", {}))
    defaults = {"time_scale": 0.005, "limit_scale": 0.3}
    return HttpModule(ModuleConfig(chip=chip, **defaults | config), http)


class Curl:
    """Runs curl against one module."""

    def __init__(self, port: int, folder: Path) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._folder = folder
        self.origin = ("-H", f"Origin: {self._base}")

    def file(self, data: bytes) -> str:
        """Keep bytes where curl finds them."""
        path = self._folder / hashlib.md5(data).hexdigest()
        path.write_bytes(data)
        return str(path)

    async def __call__(self, path: str, *arguments: str) -> str:
        """Return status and body as one line; the status is 000 without an answer."""
        assert CURL is not None
        process = await asyncio.create_subprocess_exec(
            CURL,
            *("--silent", "--max-time", "20", "--compressed", "--noproxy", "*"),
            *("--write-out", "|%{http_code}", *arguments, self._base + path),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        body, _, status = output.decode("latin-1").rpartition("|")
        return f"{status} {body.strip()}"

    async def upload(self, path: str, field: str, data: bytes, *arguments: str) -> str:
        """Send a form with one file."""
        return await self(path, *arguments, "-F", f"{field}=@{self.file(data)}")


def image(chip: str, version: str = "2.0.0") -> bytes:
    return build_image(chip, version=version, size=SIZE)
