"""A world with several transports, and images to send through them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
import hashlib
from typing import Any

from custom_components.esp_ota.ota import (
    Candidate,
    Cause,
    Delivery,
    FilesystemType,
    Image,
    ImageKind,
    InstallResult,
    ModuleFacts,
    OtaError,
    Part,
    Payload,
    Pipeline,
    Ports,
    Sighting,
    read_image,
)
from custom_components.esp_ota.ota.exceptions import NotCollected
from custom_components.esp_ota.ota.models import ProgressCallback
from tests.ota.examples import CANDIDATE, MODULE, sighting
from tests.ota.pipeline.turns import PlainTurn
from tests.ota.pipeline.world import PAYLOAD, QUICK, Send, World
from tests.virtual_module import build_image

FILES = bytes(8192)
FILES_MD5 = hashlib.md5(FILES, usedforsecurity=False).hexdigest()
FILES_PAYLOAD = Payload(data=FILES, kind=ImageKind.FILESYSTEM, md5=FILES_MD5)
FILES_PART = Part(
    candidate=Candidate(
        image=Image(
            kind=ImageKind.FILESYSTEM,
            chip=None,
            size=len(FILES),
            md5=FILES_MD5,
            sha256=hashlib.sha256(FILES).hexdigest(),
            plain_size=len(FILES),
            plain_md5=FILES_MD5,
            filesystem=FilesystemType.LITTLEFS,
        ),
        firmware="garden-valve",
        version="1.1.0",
        wanted=ImageKind.FILESYSTEM,
    ),
    payload=FILES_PAYLOAD,
)
SKETCH_PART = Part(candidate=CANDIDATE, payload=PAYLOAD)
OLD = build_image("esp8266", version="1.0.0", size=24 * 1024)
OLD_IMAGE = read_image(OLD)
OLD_PART = Part(
    candidate=Candidate(image=OLD_IMAGE, firmware="garden-valve", version="1.0.0", chosen=True),
    payload=Payload(data=OLD, kind=ImageKind.SKETCH, md5=OLD_IMAGE.md5),
)
OTHER = replace(MODULE, version="0.0.1")
MISSED = NotCollected(Cause.NOT_COLLECTED, minutes=10)


class Door:
    """One transport of a world."""

    def __init__(self, world: DoorWorld, name: str, *sends: Send, waits: bool = False) -> None:
        self.world = world
        self.name = name
        self.sends = list(sends)
        self.waits = waits
        self.tries = 2
        self.silent: OtaError | None = None

    async def wait_ready(self, payload: Payload) -> None:
        await self.world.step(f"{self.name} ready for {payload.kind}")
        if self.silent is not None:
            raise self.silent

    async def send(
        self,
        payload: Payload,
        *,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
    ) -> Delivery:
        await self.world.step(f"{self.name} sends {payload.kind}")
        if self.sends:
            send = self.sends.pop(0) if len(self.sends) > 1 else self.sends[0]
            return await send(before_first_byte, on_progress)
        before_first_byte()
        for sent in (len(payload.data) // 2, len(payload.data)):
            on_progress(sent, len(payload.data))
        return Delivery.ACCEPTED

    def longest(self, payload: Payload) -> float:
        return 5.0

    async def why_unreachable(self) -> OtaError | None:
        return None

    async def switch_back(self, *, before_switch: Callable[[], None]) -> Delivery:
        await self.world.step(f"{self.name} switches back")
        before_switch()
        return Delivery.ACCEPTED

    def restarts_after(self, kind: ImageKind) -> bool:
        return not self.waits or kind is ImageKind.SKETCH

    async def confirm_files(self) -> None:
        await self.world.step(f"{self.name} confirms files")


class DoorWorld(World):
    """A world with several doors."""

    def __init__(self) -> None:
        super().__init__()
        self.doors: list[Door] = []
        self.fallbacks: list[tuple[str, Cause]] = []
        self.parts = [SKETCH_PART]
        self.before_parts: list[Part] = []
        """What ran before, for going back; empty where nobody has it."""
        self.undoes: InstallResult | None = None
        self.went_back_from: list[InstallResult] = []
        self.on_probation: Sighting | None = None
        """What the module says while it is watched."""

    def says(self, heard: Sighting | None) -> None:
        """Have the module say this and nothing else, however often it restarts."""
        self.actions.clear()
        self.heard = heard

    def goes_back(self, part: Part, undoes: InstallResult) -> None:
        """Have this run be the way back to a part, which succeeds."""
        self.undoes = undoes
        self.parts, self.facts = [part], [OTHER]
        self.says(sighting(version="1.0.0"))

    async def watch(self, candidate: Any, before: ModuleFacts) -> Sighting | None:
        await self.step("probation")
        return self.on_probation

    async def go_back(self, failed: InstallResult) -> list[Part]:
        self.went_back_from.append(failed)
        await self.step("go back")
        return self.before_parts

    def door(self, name: str, *sends: Send, waits: bool = False) -> Door:
        door = Door(self, name, *sends, waits=waits)
        self.doors.append(door)
        return door

    async def wait_gone(self, since: float, candidate: Any, before: ModuleFacts) -> float:
        await self.step("gone")
        return self.gone_at

    def install(self, *_args: Any, **_kwargs: Any) -> Pipeline:
        world = self

        class Turn(AbstractAsyncContextManager[None]):
            async def __aenter__(self) -> None:
                world.log.append("turn")

            async def __aexit__(self, *_exc: object) -> None:
                world.log.append("turn ends")

        ports = Ports(
            facts=self.next_facts,
            observer=self,
            safe_state=self,
            transports=self.doors,
            turn=PlainTurn(Turn),
            on_stage=self.on_stage,
            on_progress=self.progress.append,
            on_fallback=lambda name, err: self.fallbacks.append((name, err.cause)),
            go_back=self.go_back,
            on_probation=self.watch,
        )
        return Pipeline(self.parts, ports, limits=QUICK, undoes=self.undoes)

    def did(self, *words: str) -> list[str]:
        return [item for item in self.log if item.startswith(words)]


def wrongly_updated() -> DoorWorld:
    """Return a module that will say 0.0.1 after an update to 1.1.0, and 1.0.0 after that."""
    world = DoorWorld()
    world.before_parts = [OLD_PART]
    world.facts = [MODULE, MODULE, MODULE, OTHER]
    said = iter(["0.0.1", "1.0.0"])

    def speak() -> None:
        world.heard = sighting(version=next(said))

    world.actions["evidence"] = speak
    return world
