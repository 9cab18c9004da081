"""The pipeline with several transports, with modules that ask, and with several images."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
import hashlib
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    Candidate,
    Cause,
    Delivery,
    FilesystemType,
    Image,
    ImageKind,
    InstallRefused,
    InstallResult,
    InstallStage,
    ModuleFacts,
    OtaError,
    Part,
    Payload,
    Pipeline,
    Ports,
    SafeStateError,
    Sighting,
    Verdict,
)
from custom_components.esp_ota.ota.exceptions import (
    CallbackError,
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
    NotCollected,
    TransferError,
    VerifyError,
)
from custom_components.esp_ota.ota.models import ProgressCallback
from tests.ota.examples import CANDIDATE, DATA, MODULE, sighting
from tests.ota.pipeline.test_stages import PAYLOAD, QUICK, Send, World, fail, unconfirmed

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
            turn=Turn(),
            on_stage=self.on_stage,
            on_progress=self.progress.append,
            on_fallback=lambda name, err: self.fallbacks.append((name, err.cause)),
            go_back=self.go_back,
            on_probation=self.watch,
        )
        return Pipeline(self.parts, ports, limits=QUICK, undoes=self.undoes)

    def did(self, *words: str) -> list[str]:
        return [item for item in self.log if item.startswith(words)]


@pytest.fixture
async def world() -> DoorWorld:
    return DoorWorld()


NO_CALLBACK = CallbackError(
    Cause.NO_CALLBACK, host="192.0.2.7", port=8266, callback_port=40123, address="192.0.2.1"
)
NO_POLL = ModuleConnectionError(Cause.NO_POLL, minutes=10)
MISSED = NotCollected(Cause.NOT_COLLECTED, minutes=10)


# Fallback


async def test_the_next_transport_is_used_while_the_equipment_stays_safe(world: DoorWorld) -> None:
    world.door("push", fail(NO_CALLBACK))
    world.door("page")
    result = await world.run()
    assert (result.verdict, result.transport) == (Verdict.VERIFIED, "page")
    assert world.fallbacks == [("push", Cause.NO_CALLBACK)]
    assert world.did("enter", "leave", "push sends", "page sends") == [
        "enter",
        "push sends sketch",
        "page sends sketch",
        "leave",
    ]


async def test_after_the_first_payload_byte_there_is_no_other_way(world: DoorWorld) -> None:
    lost = TransferError(Cause.CONNECTION_LOST, sent=1, total=2)
    world.door("push", fail(lost, begun=True))
    world.door("page")
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.CONNECTION_LOST)
    assert world.did("push sends", "page") == ["push sends sketch"] * 2
    assert world.fallbacks == []


@pytest.mark.parametrize(
    "refusal",
    [
        ModuleAuthError(Cause.WRONG_PASSWORD),
        ModuleRejectedImage(Cause.NO_SPACE, text="ERROR[4]", size=1),
        SafeStateError(Cause.SAFE_STATE_BROKEN),
    ],
)
async def test_a_no_is_final(world: DoorWorld, refusal: OtaError) -> None:
    world.door("push", fail(refusal))
    world.door("page")
    result = await world.install().run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, refusal.cause)
    assert world.did("page") == []
    assert world.fallbacks == []


async def test_pre_flight_is_asked_once_for_all_transports(world: DoorWorld) -> None:
    world.facts = [replace(world.facts[0], slot_size=10)]
    world.door("push")
    world.door("page")
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.TOO_LARGE)
    assert world.fallbacks == []


async def test_a_page_that_takes_no_files_leaves_them_to_the_next_transport(
    world: DoorWorld,
) -> None:
    world.door("page", fail(InstallRefused(Cause.NO_FILESYSTEM_UPLOAD, dialect="WebUpdate")))
    world.door("push")
    world.parts = [FILES_PART, SKETCH_PART]
    assert (await world.run()).verdict is Verdict.VERIFIED
    assert world.did("page sends", "push sends") == [
        "page sends filesystem",
        "push sends filesystem",
        "push sends sketch",
    ]


async def test_when_all_fail_the_first_choice_says_why(world: DoorWorld) -> None:
    world.door("push", fail(NO_CALLBACK))
    world.door("page", fail(ModuleConnectionError(Cause.HTTP_NO_ANSWER, host="h", port=80)))
    result = await world.install().run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.NO_CALLBACK)
    assert result.facts["callback_port"] == "40123"


async def test_a_module_that_does_not_answer_may_still_ask(world: DoorWorld) -> None:
    world.reachable_answers = [False]
    world.door("push")
    world.door("pull", unconfirmed, waits=True)
    result = await world.run()
    assert (result.verdict, result.transport) == (Verdict.VERIFIED, "pull")
    assert world.fallbacks == [("push", Cause.UNREACHABLE)]
    assert world.did("push sends", "pull") == ["pull ready for sketch", "pull sends sketch"]


async def test_a_module_that_never_asks_may_still_be_reached(world: DoorWorld) -> None:
    world.door("pull", waits=True).silent = NO_POLL
    world.door("push")
    result = await world.run()
    assert (result.verdict, result.transport) == (Verdict.VERIFIED, "push")
    assert world.did("enter") == ["enter"]


async def test_nobody_waits_for_a_request_with_the_equipment_shut_off(world: DoorWorld) -> None:
    world.door("push", fail(NO_CALLBACK))
    world.door("pull", unconfirmed, waits=True)
    result = await world.run()
    assert result.verdict is Verdict.VERIFIED
    assert world.did("enter", "leave", "journal queued", "pull") == [
        "journal queued",
        "enter",
        "leave",
        "journal queued",
        "pull ready for sketch",
        "enter",
        "pull sends sketch",
        "leave",
    ]


# Modules that ask


async def test_a_module_that_does_not_come_for_its_image_is_waited_for_again(
    world: DoorWorld,
) -> None:
    world.door("pull", fail(MISSED), unconfirmed, waits=True)
    result = await world.run()
    assert result.verdict is Verdict.VERIFIED
    assert world.did("enter", "leave", "pull ready") == [
        "pull ready for sketch",
        "enter",
        "leave",
        "pull ready for sketch",
        "enter",
        "leave",
    ]


async def test_equipment_that_was_not_restored_is_not_shut_off_again(world: DoorWorld) -> None:
    world.door("pull", fail(MISSED), waits=True)
    world.errors["leave"] = SafeStateError(Cause.RESTORE_FAILED, detail="stuck")
    result = await world.run()
    assert (result.cause, result.restore_error) == (Cause.NOT_COLLECTED, Cause.RESTORE_FAILED)
    assert world.did("enter") == ["enter"]


async def test_the_same_image_is_not_offered_a_third_time(world: DoorWorld) -> None:
    lost = TransferError(Cause.DOWNLOAD_DECLINED, host="h", sent=0, total=1)
    world.door("pull", fail(lost, begun=True), waits=True)
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.DOWNLOAD_DECLINED)
    assert len(world.did("pull sends")) == 2


async def test_a_module_that_asks_with_the_old_image_may_never_have_restarted(
    world: DoorWorld,
) -> None:
    world.door("pull", unconfirmed, waits=True)
    world.facts = [replace(MODULE, sketch_md5="a" * 32)]
    world.heard = sighting(version="1.0.0", sketch_md5="a" * 32)
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.UNCHANGED, Cause.OLD_FIRMWARE_ASKS)


async def test_a_module_that_asks_with_its_old_number_may_run_new_bytes(world: DoorWorld) -> None:
    world.door("pull", unconfirmed, waits=True)
    world.heard = sighting(version="1.0.0")
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.UNCHANGED, Cause.OLD_VERSION_BACK)


@pytest.mark.parametrize("cause", [Cause.FILES_ASKED_AGAIN, Cause.FILES_NO_RESTART])
async def test_files_that_are_not_confirmed_are_incomplete(world: DoorWorld, cause: Cause) -> None:
    world.door("pull", unconfirmed, waits=True)
    world.parts = [FILES_PART]
    world.errors["pull confirms files"] = VerifyError(cause)
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, cause)
    assert result.files_incomplete


async def test_a_request_counts_as_reachable(world: DoorWorld) -> None:
    world.reachable_answers = [False]
    world.door("pull", unconfirmed, waits=True)
    assert (await world.run()).verdict is Verdict.VERIFIED
    assert "reachable" not in world.log


# Several images


async def test_files_go_before_the_sketch_with_one_verdict(world: DoorWorld) -> None:
    world.door("push")
    world.parts = [FILES_PART, SKETCH_PART]
    result = await world.run()
    assert result == InstallResult(verdict=Verdict.VERIFIED, version="1.1.0")
    assert world.did("enter", "leave", "push sends", "gone", "back", "evidence") == [
        "enter",
        "push sends filesystem",
        "gone",
        "back",
        "push sends sketch",
        "gone",
        "back",
        "evidence",
        "leave",
    ]
    percents = [item.percent for item in world.progress if item.percent is not None]
    assert percents == sorted(percents)
    assert {item.total for item in world.progress} == {len(FILES) + len(DATA)}


async def test_a_module_that_asks_does_not_restart_for_files(world: DoorWorld) -> None:
    world.door("pull", unconfirmed, waits=True)
    world.parts = [FILES_PART, SKETCH_PART]
    assert (await world.run()).verdict is Verdict.VERIFIED
    assert world.did("pull", "gone") == [
        "pull ready for filesystem",
        "pull sends filesystem",
        "pull sends sketch",
        "gone",
    ]


async def test_a_module_that_does_not_ask_for_the_second_image_is_waited_for(
    world: DoorWorld,
) -> None:
    world.door("pull", unconfirmed, fail(MISSED), unconfirmed, waits=True)
    world.parts = [FILES_PART, SKETCH_PART]
    assert (await world.run()).verdict is Verdict.VERIFIED
    assert world.did("pull") == [
        "pull ready for filesystem",
        "pull sends filesystem",
        "pull sends sketch",
        "pull ready for sketch",
        "pull sends sketch",
    ]


async def test_a_module_that_stays_away_after_its_files_gets_no_sketch(world: DoorWorld) -> None:
    world.door("push")
    world.parts = [FILES_PART, SKETCH_PART]
    world.errors["back"] = TransferError(Cause.STALLED, host="h", sent=1, total=2, seconds=3)
    result = await world.run()
    assert result.verdict is Verdict.FAILED
    assert world.did("push sends") == ["push sends filesystem"]


async def test_a_valve_that_opens_between_two_images_ends_the_install(world: DoorWorld) -> None:
    world.door("push")
    world.parts = [FILES_PART, SKETCH_PART]

    def open_valve() -> None:
        world.safe = False

    world.actions["back"] = open_valve
    world.hangs = {"back"}
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.SAFE_STATE_BROKEN)
    assert world.did("push sends") == ["push sends filesystem"]


async def test_files_alone_end_unverified(world: DoorWorld) -> None:
    world.door("push")
    world.parts = [FILES_PART]
    result = await world.run()
    assert result == InstallResult(verdict=Verdict.UNVERIFIED)
    assert world.stages[-4:-1] == [
        InstallStage.RESTARTING,
        InstallStage.VERIFYING,
        InstallStage.RESTORING,
    ]


async def test_a_cancelled_wait_for_a_request_touches_nothing(world: DoorWorld) -> None:
    world.door("pull", waits=True)
    world.hangs = {"pull ready for sketch"}
    running = asyncio.create_task(world.install().run())
    await world.reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert world.did("enter", "leave") == []
