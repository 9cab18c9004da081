"""Home Assistant's lives in the house: its configuration, its process, and how it is talked to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import json
import os
from pathlib import Path
import shutil
import time
from typing import Any, Final, Self, override

import aiohttp

from tests.e2e.client import Client, Json
from tests.e2e.home import PORT, Home, leave_garden, write_config

from .clock import Clock
from .plan import ZONE

HERE: Final = Path(__file__).parent
START: Final = 4.0
"""How fast the clock goes while it starts: it waits for its own parts by time limits."""
STOP: Final = 2.0
TALK: Final = 30.0
"""How fast while somebody talks with it."""
_LIFESPAN: Final = 3650
_RECORDER: Final = """\
recorder:
  purge_keep_days: 400
  exclude:
    entities:
      - sensor.well_pump_flow
      - sensor.greenhouse_heater_power
"""
"""Without statistics: nothing of ours has any, and all five minutes is hundreds of times a day."""
_CHANGES: Final = (
    ("time_zone: UTC", f"time_zone: {ZONE}"),
    ("automation: []", "automation: !include automations.yaml\nmonths_probe:\n"),
    ("history:\nlogbook:\n", _RECORDER),
)


class Talk(Client):
    """A session of the owner, who has a token that lasts."""

    def __init__(self, url: str, token: str) -> None:
        """Remember the address."""
        super().__init__(url)
        self._token = token
        self._session.headers["Authorization"] = f"Bearer {token}"

    @override
    async def _log_in(self) -> None:
        """Be let in by the token."""
        await self._connect()

    @override
    async def __aexit__(self, *_: object) -> None:
        """Hang up, then leave."""
        with suppress(AttributeError):  # it was never let in
            await self._socket.close()
        await super().__aexit__()


class _FirstTalk(Client):
    """The session in which the owner is made."""

    async def lasting(self) -> str:
        """Return a token that lasts."""
        return str(
            await self.command(
                "auth/long_lived_access_token", client_name="months", lifespan=_LIFESPAN
            )
        )


class Life:
    """The Home Assistant of the house, which is stopped and started again."""

    def __init__(self, work: Path, clock: Clock, automations: list[Json]) -> None:
        """Write its configuration."""
        config = work / "config"
        write_config(config, PORT)
        yaml = config / "configuration.yaml"
        text = yaml.read_text()
        for old, new in _CHANGES:
            assert old in text
            text = text.replace(old, new)
        yaml.write_text(text)
        (config / "automations.yaml").write_text(json.dumps(automations))
        probe = config / "custom_components" / "months_probe"
        shutil.copytree(HERE / "months_probe", probe, ignore=shutil.ignore_patterns("__pycache__"))
        # The probe is there before the house is.
        manifest = config / "custom_components" / "esp_ota" / "manifest.json"
        said = json.loads(manifest.read_text())
        manifest.write_text(json.dumps(said | {"after_dependencies": ["months_probe"]}))
        self.home = Home(config)
        self.config = config
        self.heard = config / "heard.jsonl"
        """What the probe wrote down, over all lives."""
        self.since = 0.0
        """Since when this life runs."""
        self.runs = False
        self._clock = clock
        self._token = ""
        os.environ |= clock.for_children
        # It takes custom integrations from where it is started, then from its configuration.
        os.chdir(config)

    async def start(self) -> None:
        """Start it, and wait until all of it runs."""
        with self._clock.slowly(START):
            await self.home.start()
            if not self._token:
                async with _FirstTalk(self.home.url) as first:
                    self._token = await first.lasting()
            async with self.session() as session:
                await self._all_runs(session)
        self.since, self.runs = time.time(), True

    async def _all_runs(self, session: aiohttp.ClientSession) -> None:
        while True:
            async with session.get("/api/core/state") as response:
                if response.ok and (await response.json())["state"] == "RUNNING":
                    return

    async def stop(self) -> None:
        """Stop it as a person would; what stands in the garden stays as it is."""
        self.runs = False
        process = self.process
        with self._clock.slowly(STOP):
            await self.home.stop()
        self._clock.forget(process)

    def leave_garden(self, states: dict[str, str]) -> None:
        """Let the garden be at the next start as it is now."""
        leave_garden(self.config, states)

    @property
    def process(self) -> int:
        """Its process."""
        assert self.home._child is not None
        return int(self.home._child.process.pid)

    @asynccontextmanager
    async def talk(self) -> AsyncIterator[Talk]:
        """Sit down at its page; the clock goes slowly meanwhile."""
        with self._clock.slowly(TALK):
            async with Talk(self.home.url, self._token) as talk:
                yield talk

    async def states(self) -> dict[str, Json]:
        """Return all states by entity."""
        with self._clock.slowly(TALK):
            return {state["entity_id"]: state for state in await self.get("/api/states")}

    async def get(self, path: str) -> Any:
        """GET JSON."""
        async with self.session() as session, session.get(path) as response:
            response.raise_for_status()
            return await response.json()

    async def delete(self, path: str) -> Any:
        """DELETE."""
        async with self.session() as session, session.delete(path) as response:
            response.raise_for_status()
            return await response.json()

    def session(self) -> aiohttp.ClientSession:
        """Return a session with the token, for one conversation."""
        headers = {"Authorization": f"Bearer {self._token}"}
        return aiohttp.ClientSession(self.home.url, headers=headers)

    async def __aenter__(self) -> Self:
        """Start it for the first time."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await self.home.stop()
