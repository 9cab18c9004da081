"""Pressing Update, and what is seen of it: on the card, at the equipment, in the module."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
import time

from .client import ActionFailed, Client
from .garden import Equipment, Json
from .modules import Happened, RunningModule
from .timeline import Timeline

_UNKNOWN = "unknown"
_NO_STATE = {_UNKNOWN, "unavailable"}
"""What Home Assistant shows of equipment while it starts."""
_QUARTER = 25
INSTALL_SECONDS = 600.0
"""All deadlines of an install together; one that never ends is a failure like any other."""
_RESTORE_SECONDS = 10.0

_MODULE_LINES = {
    "invited": "module: invited",
    "connecting": "module: calls back {host} on TCP port {port}",
    "connect_failed": "module: its connection is not let through",
    "answered": "module: asks for an update and is answered {status}",
    "auth_ok": "module: password accepted",
    "auth_failed": "module: password refused",
    "first_byte": "first byte",
    "complete": "module: last byte",
    "installed": "module: has the {kind} of {bytes} bytes",
    "crashed": "module: its sketch crashes",
    "asleep": "module: sleeps",
    "restarted": "restarted",
    "rejected": "module: image refused",
    "aborted": "module: update aborted",
    "bricked": "module: does not start any more",
}


def module_line(happened: Happened) -> str | None:
    """Return the line for an event inside a module, None for one that is not worth it."""
    line = _MODULE_LINES.get(happened.name)
    return line.format(**happened.details) if line else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What is updated and watched."""

    entity_id: str
    equipment: Equipment | None = None
    module: RunningModule | None = None
    """None when the module is not ours to look into."""


class Watch:
    """Turns what is seen of one install into lines, from `begin` to `end`."""

    def __init__(self, client: Client, timeline: Timeline, target: Target) -> None:
        """Nothing is watched before `press_update`."""
        self.stages: list[str] = []
        self.percents: list[int] = []
        self.equipment_changes: list[tuple[float, str]] = []
        """When the equipment changed, on the monotonic clock, and to which state."""
        self.began = self.ended = 0.0
        """When, on the monotonic clock."""
        self.error: str | None = None
        """What Home Assistant told the person who pressed Update."""
        self._client = client
        self._timeline = timeline
        self._target = target
        self._wanted: str | None = None
        self._verdict: str | None = None
        self._at = 0.0
        """When Home Assistant changed what is being looked at, on the monotonic clock."""

    @property
    def shown(self) -> Json:
        """What the card shows now."""
        return self._client.attributes(self._target.entity_id)

    @property
    def verdict(self) -> str:
        """The verdict as Home Assistant shows it, with its cause; at the end that of then."""
        if self._verdict is not None:
            return self._verdict
        verdict, cause = self.shown.get("last_verdict"), self.shown.get("last_cause")
        return f"{verdict} ({cause})" if cause else f"{verdict}"

    @property
    def equipment_states(self) -> list[str]:
        """The states that the equipment went through, in order."""
        return [state for _, state in self.equipment_changes]

    async def press_update(self, **data: str) -> None:
        """Perform `update.install` and watch until all has ended."""
        pressed = self._client.action("update.install", self._target.entity_id, **data)
        await self.follow(pressed, data.get("version"))

    async def follow(
        self,
        pressed: Awaitable[None],
        version: str | None = None,
        *,
        what: str = "Update is pressed",
    ) -> None:
        """Watch until all has ended; `pressed` ends with the install, raising ActionFailed."""
        target, timeline = self._target, self._timeline
        self._wanted = version or self.shown["latest_version"]
        self._client.listeners.append(self._changed)
        if target.module is not None:
            target.module.listeners.append(self._happened)
        self.began = time.monotonic()
        timeline.tell(what)
        try:
            async with asyncio.timeout(INSTALL_SECONDS):
                await pressed
        except ActionFailed as err:
            self.error = str(err)
            timeline.tell(f"Home Assistant says: {self.error}")
        if target.equipment is not None and "restoring" in self.stages:
            await self._restored(target.equipment)
        self._client.listeners.remove(self._changed)
        if target.module is not None:
            target.module.listeners.remove(self._happened)
        self.ended = time.monotonic()
        self._verdict = self.verdict

    async def _restored(self, equipment: Equipment) -> None:
        try:
            await self._client.wait_until(
                f"the {equipment.name} {equipment.working}",
                lambda: self._client.state(equipment.entity_id) == equipment.working,
                _RESTORE_SECONDS,
            )
        except TimeoutError as err:
            self._timeline.tell(str(err))
        else:
            self._timeline.tell("restored")

    def _happened(self, happened: Happened) -> None:
        if line := module_line(happened):
            self._timeline.tell(line, happened.at)

    def _tell(self, text: str) -> None:
        self._timeline.tell(text, self._at)

    def _changed(self, entity_id: str, state: Json) -> None:
        equipment = self._target.equipment
        updated = datetime.fromisoformat(state["last_updated"]).timestamp()
        self._at = updated + time.monotonic() - time.time()
        if entity_id == self._target.entity_id:
            self._update_changed(state["attributes"])
        if equipment is None or entity_id != equipment.entity_id:
            return
        if state["state"] not in {*self.equipment_states[-1:], *_NO_STATE}:
            self.equipment_changes.append((self._at, state["state"]))
            self._tell(f"{equipment.name} {state['state']}")

    def _update_changed(self, shown: Json) -> None:
        stage, percent = shown["stage"], shown["update_percentage"]
        if stage is not None and self.stages[-1:] != [stage]:
            self._stage_changed(stage, shown)
        if percent is not None:
            last = self.percents[-1] if self.percents else 0
            if not self.percents and self._target.module is None:
                self._tell("first byte")
            self.percents.append(percent)
            if percent // _QUARTER > last // _QUARTER:
                self._tell(f"{percent // _QUARTER * _QUARTER} %")

    def _stage_changed(self, stage: str, shown: Json) -> None:
        was = self.stages[-1] if self.stages else None
        self.stages.append(stage)
        match stage:
            case "checking":
                self._tell(f"checking, {shown['installed_version']} runs")
            case "queued":
                self._tell("waits for its turn, or for the module to ask")
            case "making_safe" if self._target.equipment is not None:
                self._tell("making safe")
            case "sending" if was == "verifying":
                self._tell("what ran before is sent")
            case "sending" if self._target.equipment is not None:
                self._tell("safe state confirmed")
            case "restarting" if self._target.module is None:
                self._tell("restarting")
            case "verifying":
                self._tell("back")
            case "restoring" if was == "verifying":
                self._tell(self._evidence(shown))

    def _evidence(self, shown: Json) -> str:
        installed = shown["installed_version"]
        if shown["installed_is_assumed"] or installed == _UNKNOWN:
            return "nothing says which version runs"
        if self.stages.count("sending") > 1:
            return f"it runs {installed} again"
        return f"{'verified' if installed == self._wanted else 'it still runs'} {installed}"
