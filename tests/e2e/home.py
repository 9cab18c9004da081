"""A Home Assistant of our own: its configuration directory and its process."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from pathlib import Path
import shutil
import subprocess
from subprocess import DEVNULL
import sys
import time
from typing import Self
import zipfile

import aiohttp

from homeassistant.components.http.config import STORAGE_VERSION

from .garden import GARDEN
from .processes import Child, environment, python

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
STATE = ROOT / ".cache" / "demo"
PORT = 8123
_START_SECONDS = 180.0
"""The first start compiles all of Home Assistant, on a slow machine for more than a minute."""
RESTART = 100
"""The exit code with which Home Assistant asks for being started again."""


def _store(config: Path, key: str, version: int, data: object) -> None:
    content = {"version": version, "minor_version": 1, "key": key, "data": data}
    (config / ".storage" / key).write_text(json.dumps(content))


def install(config: Path, package: Path | None = None) -> None:
    """Install the integration from a zip, as HACS does: that of a release from what is here."""
    target = config / "custom_components" / "esp_ota"
    shutil.rmtree(target, ignore_errors=True)
    if package is None:
        package = config / "esp_ota.zip"
        make_release = ROOT / "script" / "make_release.py"
        subprocess.run([sys.executable, make_release, "--zip", package], check=True, stdout=DEVNULL)
    with zipfile.ZipFile(package) as archive:
        archive.extractall(target)


def write_config(config: Path, port: int, package: Path | None = None) -> None:
    """Fill a configuration directory: the garden, the integration from a zip, and an address."""
    (config / ".storage").mkdir(parents=True)
    shutil.copytree(HERE / "config", config, dirs_exist_ok=True)
    install(config, package)
    # In YAML the address would be taken back after five minutes: it waits for a confirmation.
    stable = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": datetime.now(UTC).isoformat(),
        "error": None,
        "error_message": None,
    }
    _store(
        config,
        "http",
        STORAGE_VERSION,
        {"stable": stable, "pending": None, "yaml_migration_done": True},
    )
    # All but the owner: the other steps would look for services on the internet.
    _store(config, "onboarding", 4, {"done": ["core_config", "analytics", "integration"]})
    leave_garden(config, GARDEN)


def leave_garden(config: Path, states: Mapping[str, str]) -> None:
    """Let the garden be as it was, at Home Assistant's next start.

    A valve keeps its position while Home Assistant is away; the boxes that stand for it here
    would come back as Home Assistant stored them last, minutes ago.
    """
    path = config / ".storage" / "core.restore_state"
    stored = json.loads(path.read_text())["data"] if path.exists() else []
    others = [item for item in stored if item["state"]["entity_id"] not in states]
    now = datetime.now(UTC).isoformat()
    told = {"attributes": {}, "last_changed": now, "last_updated": now}
    ours = [
        {"state": {"entity_id": name, "state": state} | told, "extra_data": None, "last_seen": now}
        for name, state in states.items()
    ]
    _store(config, "core.restore_state", 1, others + ours)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One line of ESP OTA in Home Assistant's log."""

    at: float
    """Seconds of the machine's monotonic clock."""
    text: str

    @classmethod
    def read(cls, line: str) -> Self:
        """Take a line apart: time, level, thread and logger stand before the text."""
        day, hour, _ = line.split(" ", 2)
        at = datetime.fromisoformat(f"{day} {hour}").timestamp()
        return cls(at=at + time.monotonic() - time.time(), text=line.partition("] ")[2])


class Home:
    """A Home Assistant on loopback, stopped when the `async with` ends."""

    def __init__(self, config: Path, *, port: int = PORT, verbose: bool = False) -> None:
        """Remember how to start it."""
        self.config = config
        self.url = f"http://127.0.0.1:{port}"
        self.firmware_folder = config / "esp_ota" / "firmware"
        self._verbose = verbose
        self._child: Child | None = None
        self._first_view = "/api/onboarding"
        """What answers at a start; a home with an owner has no onboarding any more."""

    @property
    def log(self) -> Path:
        """What it printed, unless that went to our own stderr."""
        return self.config / "output.log"

    def said(self, *words: str) -> list[Said]:
        """Return the lines of ESP OTA in its log that hold all of these words."""
        log = (self.config / "home-assistant.log").read_text("utf-8", "replace")
        lines = [line for line in log.splitlines() if "[custom_components.esp_ota" in line]
        return [Said.read(line) for line in lines if all(word in line for word in words)]

    async def __aenter__(self) -> Self:
        """Start it and wait until its web server answers."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await self.stop()

    async def start(self) -> None:
        """Start it and wait until its web server answers."""
        command = python(
            "homeassistant", "--config", str(self.config), "--log-no-color", "--skip-pip"
        )
        with self.log.open("ab") as log:
            output = sys.stderr.buffer if self._verbose else log
            # From its own directory: integrations are found in the working directory first.
            self._child = await Child.start(
                command, stdout=output, stderr=output, env=environment(), cwd=self.config
            )
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._answers()
        except BaseException:
            await self.stop()
            raise

    async def _answers(self) -> None:
        assert self._child is not None
        async with aiohttp.ClientSession() as session:
            while True:
                if self._child.process.returncode is not None:
                    raise RuntimeError(f"Home Assistant did not start:\n{self.tail()}")
                try:
                    async with session.get(self.url + self._first_view) as response:
                        if response.ok:
                            self._first_view = "/auth/providers"
                            return
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.1)

    def tail(self, lines: int = 40) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    async def wait(self) -> int:
        """Wait until it ends by itself and return its exit code."""
        assert self._child is not None
        return await self._child.process.wait()

    async def kill(self) -> None:
        """Let it die without a word; only its disk is left, and the garden as it is."""
        assert self._child is not None
        await self._child.kill()

    def leave_garden(self, states: Mapping[str, str]) -> None:
        """Let the garden be as it was when it is started again; see `leave_garden`."""
        leave_garden(self.config, states)

    async def stop(self) -> None:
        """Stop it as a person would, so that it writes its storage."""
        if self._child is not None:
            await self._child.end()
