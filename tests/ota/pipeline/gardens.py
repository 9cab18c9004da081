"""A virtual module, the valve that it switches, and an install of it without a Home Assistant."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
import time
from typing import Any

from custom_components.esp_ota.ota import (
    ArduinoOtaPush,
    Candidate,
    Chip,
    EvidenceSource,
    Fixed,
    InstallProgress,
    InstallResult,
    InstallStage,
    Limits,
    ModuleFacts,
    ModuleWatch,
    Part,
    Pipeline,
    Ports,
    PushLimits,
    Sighting,
    WatchLimits,
    is_alive,
    read_image,
)
from tests.kit.entries import StartModule
from tests.kit.pushing import FAMILIES, GENERATIONS, new_firmware, payload_for, quick
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.pipeline.turns import PlainTurn
from tests.virtual_module import Event, Fault, Seen, VirtualModule


class Valve:
    """Equipment that must be closed during an update."""

    def __init__(self) -> None:
        self.closed = False
        self.restored: list[InstallResult] = []

    async def admit(self) -> None:
        pass

    def alone(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def enter(self) -> None:
        self.closed = True

    async def take_over(self) -> None:
        pass

    def holds(self) -> bool:
        return self.closed

    def broken(self) -> str:
        return ""

    async def leave(self, result: InstallResult) -> bool:
        self.closed = False
        self.restored.append(result)
        return True


@dataclass
class Garden:
    """One module, its valve, and an install of a new firmware."""

    module: VirtualModule
    data: bytes
    talks: bool = True
    """Whether somebody listens to what the module announces."""
    password: str | None = None
    push_limits: PushLimits = field(default_factory=quick)
    watch_limits: dict[str, float] = field(default_factory=dict)
    valve: Valve = field(default_factory=Valve)
    stages: list[InstallStage] = field(default_factory=list)
    percents: list[int] = field(default_factory=list)
    on_progress: Callable[[InstallProgress], None] = lambda step: None

    def __post_init__(self) -> None:
        """Listen to the module, as the announcements of a house do."""
        config = self.module.config
        self.facts = ModuleFacts(
            name=self.module.hostname,
            host=self.module.host,
            port=self.module.port,
            family=FAMILIES[config.family],
            chip=Chip(config.chip.value),
            mac=config.mac,
            firmware="garden-valve",
            version=self.module.running_version if self.talks else None,
        )
        limits = {"interval": 0.05, "go": 10.0, "back": 10.0, "evidence": 5.0}
        limits |= {"late": -3600.0, "again": 0.0}  # it speaks once, and is not asked
        limits |= self.watch_limits
        self.watch = ModuleWatch(
            lambda timeout: is_alive(self.module.host, self.module.port, timeout),
            lambda: None,
            WatchLimits(**limits),  # type: ignore[arg-type]
        )
        if self.talks:
            self.module.events.listeners.append(self._heard)

    def _heard(self, event: Event) -> None:
        if event.name is Seen.BACK:
            self.watch.heard(
                Sighting(
                    source=EvidenceSource.TXT,
                    at=time.monotonic(),
                    firmware=self.module.board.firmware_name,
                    version=self.module.running_version,
                    mac=self.module.config.mac,
                )
            )

    async def _on_stage(self, stage: InstallStage) -> None:
        self.stages.append(stage)

    def _on_progress(self, step: InstallProgress) -> None:
        if step.percent is not None:
            self.percents.append(step.percent)
        self.on_progress(step)

    def install(self, version: str = "1.1.0") -> Pipeline:
        candidate = Candidate(image=read_image(self.data), firmware="garden-valve", version=version)
        transport = ArduinoOtaPush(
            Fixed(self.module.host, self.module.port),
            password=self.password,
            family=self.facts.family,
            limits=self.push_limits,
        )
        ports = Ports(
            facts=lambda: self.facts,
            observer=self.watch,
            safe_state=self.valve,
            transports=[transport],
            turn=PlainTurn(),
            on_stage=self._on_stage,
            on_progress=self._on_progress,
        )
        limits = Limits(retry_pause=0.1, watch_interval=0.02)
        part = Part(candidate=candidate, payload=payload_for(self.data))
        return Pipeline([part], ports, limits=limits)

    async def run(self) -> InstallResult:
        """Run the install, and check what must hold however it ends."""
        async with asyncio.timeout(60):
            result = await self.install().run()
        if result.cause is not None:
            assert_sentence_is_whole(result.cause, result.facts)
        entered = InstallStage.MAKING_SAFE in self.stages
        assert self.valve.restored == ([result] if entered else [])
        return result


async def garden_of(
    start_module: StartModule,
    generation: str,
    faults: Iterable[Fault] | dict[Fault, int] = (),
    config: dict[str, Any] | None = None,
    **changes: Any,
) -> Garden:
    module = await start_module(**GENERATIONS[generation] | (config or {}), faults=faults)
    return Garden(module, changes.pop("data", None) or new_firmware(module), **changes)
