"""The world of a pipeline in a test's hands: transport, safe state, observer and journal."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from custom_components.esp_ota.ota import (
    Candidate,
    Cause,
    Check,
    Delivery,
    Image,
    ImageKind,
    InstallProgress,
    InstallRefused,
    InstallResult,
    InstallStage,
    Limits,
    ModuleFacts,
    OtaError,
    Part,
    Payload,
    Pipeline,
    Ports,
    Sighting,
)
from custom_components.esp_ota.ota.exceptions import ModuleConnectionError
from custom_components.esp_ota.ota.models import ProgressCallback
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.examples import CANDIDATE, DATA, IMAGE, MODULE, sighting
from tests.ota.pipeline.turns import PlainTurn

PAYLOAD = Payload(data=DATA, kind=ImageKind.SKETCH, md5=IMAGE.md5)
QUICK = Limits(tries=3, retry_pause=0.01, watch_interval=0.01)
ALL_STAGES = [
    InstallStage.CHECKING,
    InstallStage.QUEUED,
    InstallStage.MAKING_SAFE,
    InstallStage.SENDING,
    InstallStage.RESTARTING,
    InstallStage.VERIFYING,
    InstallStage.RESTORING,
    InstallStage.DONE,
]
NETWORK = ModuleConnectionError(Cause.NO_ANSWER)

type Send = Callable[[Callable[[], None], ProgressCallback], Awaitable[Delivery]]


async def succeed(before_first_byte: Callable[[], None], on_progress: ProgressCallback) -> Delivery:
    """Send as a healthy transport does."""
    before_first_byte()
    on_progress(len(DATA) // 2, len(DATA))
    await asyncio.sleep(0)
    on_progress(len(DATA), len(DATA))
    return Delivery.ACCEPTED


async def unconfirmed(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
    """Send everything and hear nothing."""
    before_first_byte()
    return Delivery.UNCONFIRMED


def fail(error: Exception, *, begun: bool = False) -> Send:
    """Fail before the first byte, or after it."""

    async def send(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        if begun:
            before_first_byte()
        raise error

    return send


class World:
    """Transport, safe state, observer and journal; all that is done with them is noted."""

    name = "scripted"
    waits = False
    tries = 9

    def __init__(self) -> None:
        self.log: list[str] = []
        self.facts: list[ModuleFacts] = [MODULE]
        """What is known, one after the other; the last one stays."""
        self.reachable_answers = [True]
        self.why: OtaError | None = None
        self.seconds = 5.0
        """How long one send may take at most."""
        self.sends: list[Send] = [succeed]
        self.safe = True
        self.order: list[str] = []
        """What was held, in its order."""
        self.broke = ""
        """What was not safe any more since it was entered."""
        self.is_read_back = True
        self.inhibited: list[InstallRefused | None] = []
        """What each question whether something forbids to begin gets; then nothing does."""
        self.errors: dict[str, BaseException] = {}
        """What a step raises."""
        self.actions: dict[str, Callable[[], None]] = {}
        """What happens in the world when a step is reached."""
        self.hangs: set[str] = set()
        """Steps that take for ever."""
        self.heard: Sighting | None = sighting(version="1.1.0")
        self.gone_at = 4711.0
        self.progress: list[InstallProgress] = []
        self.left_with: list[InstallResult] = []
        self.asked_since: dict[str, float] = {}
        self.taught: list[tuple[Image, Delivery | Cause]] = []
        """Images that the module took or refused."""
        self.reached = asyncio.Event()

    async def step(self, name: str) -> None:
        """Take note of a step, and do to it what the test wants."""
        self.log.append(name)
        if name in self.actions:
            self.actions[name]()
        if name in self.hangs:
            self.reached.set()
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0)
        if name in self.errors:
            raise self.errors[name]

    # Ports

    def next_facts(self) -> ModuleFacts:
        return self.facts.pop(0) if len(self.facts) > 1 else self.facts[0]

    async def on_stage(self, stage: InstallStage) -> None:
        await self.step(f"journal {stage}")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        await self.step("turn")
        self.order.append("turn")
        try:
            yield
        finally:
            self.log.append("turn ends")
            self.order.append("turn ends")

    # Safe state

    async def admit(self) -> None:
        if self.inhibited and (refusal := self.inhibited.pop(0)) is not None:
            raise refusal

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        self.order.append("equipment")
        try:
            yield
        finally:
            self.order.append("equipment ends")

    async def enter(self) -> None:
        await self.step("enter")

    async def take_over(self) -> None:
        await self.step("take over")

    def holds(self) -> bool:
        self.log.append("holds")
        return self.safe

    def broken(self) -> str:
        return self.broke

    async def leave(self, result: InstallResult) -> bool:
        self.left_with.append(result)
        await self.step("leave")
        self.log.append("left")
        return self.is_read_back

    # Transport

    async def wait_ready(self, payload: Payload) -> None:
        """Be ready, as a push is."""

    def longest(self, payload: Payload) -> float:
        return self.seconds

    async def why_unreachable(self) -> OtaError | None:
        return self.why

    async def switch_back(self, *, before_switch: Callable[[], None]) -> Delivery:
        raise InstallRefused(Cause.NO_OTHER_SLOT)

    def restarts_after(self, kind: ImageKind) -> bool:
        return True

    async def confirm_files(self) -> None:
        """Know no more, as a push."""

    async def send(
        self,
        payload: Payload,
        *,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
    ) -> Delivery:
        assert payload == PAYLOAD
        await self.step("send")
        send = self.sends.pop(0) if len(self.sends) > 1 else self.sends[0]
        return await send(before_first_byte, on_progress)

    # Observer

    async def reachable(self) -> bool:
        await self.step("reachable")
        answers = self.reachable_answers
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def wait_gone(self, since: float, candidate: Candidate, before: ModuleFacts) -> float:
        self.asked_since["gone"] = since
        assert candidate == CANDIDATE
        await self.step("gone")
        return self.gone_at

    async def wait_back(self, since: float, candidate: Candidate, before: ModuleFacts) -> None:
        self.asked_since["back"] = since
        await self.step("back")

    async def wait_evidence(
        self, since: float, candidate: Candidate, before: ModuleFacts
    ) -> Sighting | None:
        self.asked_since["evidence"] = since
        await self.step("evidence")
        return self.heard

    # What the tests do with it

    def install(
        self,
        candidate: Candidate = CANDIDATE,
        accepted: frozenset[Check] = frozenset(),
        limits: Limits | None = QUICK,
    ) -> Pipeline:
        ports = Ports(
            facts=self.next_facts,
            observer=self,
            safe_state=self,
            transports=[self],
            turn=PlainTurn(self.turn),
            on_stage=self.on_stage,
            on_progress=self.progress.append,
            on_delivered=lambda image, delivery: self.taught.append((image, delivery)),
            on_refused=lambda image, cause: self.taught.append((image, cause)),
        )
        part = Part(candidate=candidate, payload=PAYLOAD)
        return Pipeline([part], ports, accepted=accepted, limits=limits)

    async def run(self) -> InstallResult:
        async with asyncio.timeout(10):
            result = await self.install().run()
        if result.cause is not None:
            facts = {"host": MODULE.host, "port": "8266"}  # every transport adds these two
            assert_sentence_is_whole(result.cause, facts | result.facts)
        return result

    async def cancelled(
        self,
        running: Coroutine[Any, Any, InstallResult],
        before: Callable[[], None] = lambda: None,
    ) -> None:
        """Cancel an install that has come to where it hangs, and wait until it has ended."""
        task = asyncio.ensure_future(running)
        async with asyncio.timeout(5):
            await self.reached.wait()
            before()
            task.cancel()
            await asyncio.wait({task})
        assert task.cancelled()

    @property
    def stages(self) -> list[str]:
        return [name.removeprefix("journal ") for name in self.log if name.startswith("journal ")]

    def count(self, name: str) -> int:
        return self.log.count(name)
