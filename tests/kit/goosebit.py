"""A goosebit as it comes from PyPI, started beside a test on loopback."""

import asyncio
from dataclasses import dataclass
import os
from pathlib import Path
import secrets
import subprocess
from typing import Any, Self

from aiohttp import ClientError, ClientSession, FormData
from aiohttp.test_utils import unused_port

from tests.kit.places import ROOT

VENV = ROOT / ".venv-goosebit"
EXAMPLE = ROOT / "docs" / "examples" / "goosebit"
"""Starts it as the documentation says."""
WITHOUT = "ESP_OTA_WITHOUT_GOOSEBIT"
"""Set to 1 it lets tests be skipped that need goosebit."""
_SECONDS = 90.0
"""Until it serves; 5 to 15 s where nothing else runs."""


@dataclass
class Goosebit:
    """One server with a database of its own."""

    folder: Path
    poll: str = "00:00:05"
    options: dict[str, str] | None = None

    def __post_init__(self) -> None:
        self.port = unused_port()
        self.url = f"http://127.0.0.1:{self.port}"
        usual = {"GOOSEBIT_POLL_TIME": self.poll, "GOOSEBIT_DEVICE_AUTH__ENABLE": "false"}
        self._environment = os.environ | usual | (self.options or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._token = ""

    async def __aenter__(self) -> Self:
        self._session = ClientSession()
        (self.folder / "goosebit").symlink_to(VENV)
        await self.start()
        form = FormData({"username": "tests@example.org", "password": secrets.token_hex(8)})
        async with self._session.post(f"{self.url}/setup", data=form) as response:
            response.raise_for_status()
            self._token = (await response.json())["access_token"]
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._session.close()
        await self.stop()

    async def start(self) -> None:
        """Start it, and return when it serves."""
        command = [str(EXAMPLE), str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                command, env=self._environment, cwd=self.folder, stdout=log, stderr=log
            )
        async with asyncio.timeout(_SECONDS):
            while True:
                assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
                try:
                    async with self._session.get(f"{self.url}/setup"):
                        return
                except ClientError:
                    await asyncio.sleep(0.2)

    async def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait, 30)
            self._process = None

    async def call(self, method: str, what: str, **content: Any) -> Any:
        """Administer it, as its own pages do."""
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self.url}/api/v1/{what}"
        async with self._session.request(method, url, headers=headers, **content) as response:
            response.raise_for_status()
            return await response.json()

    async def publish(self, container: Path) -> int:
        """Upload a container; return the id of its software."""
        form = FormData()
        data = await asyncio.to_thread(container.read_bytes)
        form.add_field("file", data, filename=container.name)
        found: int = (await self.call("PUT", "software", data=form))["id"]
        return found

    async def roll_out(self, software: int, feed: str = "default") -> int:
        """Roll a software out to all devices of a feed."""
        body = {"name": f"r{software}", "feed": feed, "software_id": software}
        found: int = (await self.call("PUT", "rollouts", json=body))["id"]
        return found

    async def device(self, name: str) -> dict[str, Any]:
        """Return what it knows of a device, empty for nothing."""
        devices = (await self.call("GET", "devices"))["devices"]
        return next((item for item in devices if item["id"] == name), {})

    async def rollouts(self) -> list[dict[str, Any]]:
        """Return all rollouts."""
        found: list[dict[str, Any]] = (await self.call("GET", "rollouts"))["rollouts"]
        return found
