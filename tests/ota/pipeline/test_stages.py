"""The one pipeline, step by step, with everything it needs in the test's hands."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
import time

import pytest

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
    SafeStateError,
    Sighting,
    Verdict,
    VerifyError,
)
from custom_components.esp_ota.ota.exceptions import (
    CallbackError,
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
    TransferError,
)
from custom_components.esp_ota.ota.models import ProgressCallback
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.examples import CANDIDATE, DATA, IMAGE, MODULE, sighting

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
        try:
            yield
        finally:
            self.log.append("turn ends")

    # Safe state

    async def admit(self) -> None:
        if self.inhibited and (refusal := self.inhibited.pop(0)) is not None:
            raise refusal

    async def enter(self) -> None:
        await self.step("enter")

    async def take_over(self) -> None:
        await self.step("take over")

    def holds(self) -> bool:
        self.log.append("holds")
        return self.safe

    async def leave(self, result: InstallResult) -> None:
        self.left_with.append(result)
        await self.step("leave")
        self.log.append("left")

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
            turn=self.turn(),
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

    @property
    def stages(self) -> list[str]:
        return [name.removeprefix("journal ") for name in self.log if name.startswith("journal ")]

    def count(self, name: str) -> int:
        return self.log.count(name)


@pytest.fixture
async def world() -> World:
    return World()


# The whole way


async def test_an_install_takes_every_step_in_order(world: World) -> None:
    result = await world.run()
    assert result == InstallResult(verdict=Verdict.VERIFIED, version="1.1.0")
    assert world.stages == ALL_STAGES
    assert [name for name in world.log if name != "holds"] == [
        "journal checking",
        "reachable",
        "journal queued",
        "turn",
        "reachable",
        "journal making_safe",
        "enter",
        "journal sending",
        "send",
        "journal restarting",
        "gone",
        "back",
        "journal verifying",
        "evidence",
        "journal restoring",
        "leave",
        "left",
        "journal done",
        "turn ends",
    ]
    assert world.left_with == [result]


async def test_the_default_limits_are_three_tries_within_a_second_of_a_break(world: World) -> None:
    limits = Limits()
    assert (limits.tries, limits.retry_pause) == (3, 5.0)
    assert limits.watch_interval < 1
    assert (await world.install(limits=None).run()).verdict is Verdict.VERIFIED


async def test_the_safe_state_is_confirmed_before_sending_and_at_the_first_byte(
    world: World,
) -> None:
    await world.run()
    sending = world.log.index("send")
    assert world.log[sending - 1] == "holds"
    assert world.log[sending + 1] == "holds"


async def test_each_stage_is_shown_and_a_percent_only_while_sending(world: World) -> None:
    await world.run()
    stages = [step.stage for step in world.progress]
    assert list(dict.fromkeys(stages)) == ALL_STAGES
    assert {step.total for step in world.progress} == {len(DATA)}
    percents = [step.percent for step in world.progress if step.stage is InstallStage.SENDING]
    assert percents == [None, 50, 100]
    assert all(
        step.percent is None for step in world.progress if step.stage is not InstallStage.SENDING
    )


async def test_evidence_counts_from_when_the_module_went(world: World) -> None:
    begin = time.monotonic()
    await world.run()
    assert begin <= world.asked_since["gone"] <= time.monotonic()
    assert world.asked_since["back"] == world.asked_since["evidence"] == world.gone_at


@pytest.mark.parametrize("answer", Delivery)
async def test_what_is_heard_counts_from_the_last_moment_the_old_sketch_was_sure_to_run(
    world: World, answer: Delivery
) -> None:
    moments: list[float] = []

    async def send(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        moments.append(time.monotonic())
        before_first_byte()
        moments.append(time.monotonic())
        await asyncio.sleep(0.02)  # it may restart while a lost OK is waited for
        moments.append(time.monotonic())
        return answer

    world.sends = [send]
    await world.run()
    called, started, ended = moments
    match answer:
        case Delivery.UNCONFIRMED:
            assert called <= world.asked_since["gone"] <= started
        case Delivery.ACCEPTED:
            assert world.asked_since["gone"] >= ended
        case Delivery.RESTARTED:  # it went, and is back: nobody has to wait for that
            assert "gone" not in world.asked_since
            assert called <= world.asked_since["evidence"] <= started


@pytest.mark.parametrize(
    ("heard", "verdict", "cause"),
    [
        (sighting(version="1.1.0"), Verdict.VERIFIED, None),
        (sighting(version="1.0.0"), Verdict.UNCHANGED, Cause.OLD_VERSION_BACK),
        (sighting(version="7"), Verdict.FAILED, Cause.OTHER_VERSION_BACK),
        (None, Verdict.UNVERIFIED, None),
    ],
)
@pytest.mark.parametrize("send", [succeed, unconfirmed])
async def test_the_evidence_decides_whatever_the_module_said(
    world: World, send: Send, heard: Sighting | None, verdict: Verdict, cause: Cause | None
) -> None:
    world.sends, world.heard = [send], heard
    result = await world.run()
    assert (result.verdict, result.cause) == (verdict, cause)
    assert world.left_with == [result]


async def test_the_facts_of_the_second_check_are_what_evidence_is_compared_with(
    world: World,
) -> None:
    old, older = MODULE, replace(MODULE, version="0.9.0")
    world.facts = [older, older, old]
    world.heard = sighting(version="1.0.0")
    assert (await world.run()).verdict is Verdict.UNCHANGED


# Refused


async def test_a_wrong_image_is_refused_before_anything_is_touched(world: World) -> None:
    world.facts = [replace(MODULE, slot_size=1)]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.TOO_LARGE)
    assert world.log == ["journal checking"]


async def test_what_cannot_be_told_is_refused_unless_accepted(world: World) -> None:
    world.facts = [replace(MODULE, firmware=None)]
    assert (await world.run()).cause is Cause.NOT_CERTAIN_FIRMWARE
    result = await world.install(accepted=frozenset({Check.FIRMWARE})).run()
    assert result.verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("sends", "taught"),
    [
        ([succeed], [Delivery.ACCEPTED]),
        ([unconfirmed], [Delivery.UNCONFIRMED]),
        ([fail(NETWORK), succeed], [Delivery.ACCEPTED]),
        ([fail(ModuleRejectedImage(Cause.NO_SPACE, text="full"))], [Cause.NO_SPACE]),
        ([fail(ModuleRejectedImage(Cause.SIGNATURE, text="no"), begun=True)], [Cause.SIGNATURE]),
        ([fail(ModuleAuthError(Cause.WRONG_PASSWORD))], []),
    ],
    ids=["taken", "perhaps taken", "taken at last", "no room", "not signed", "wrong password"],
)
async def test_what_the_module_took_or_refused_is_told_at_once(
    world: World, sends: list[Send], taught: list[Delivery | Cause]
) -> None:
    world.sends = sends
    await world.run()
    assert world.taught == [(IMAGE, answer) for answer in taught]


async def test_a_module_that_does_not_answer_is_refused_with_what_is_found_out(
    world: World,
) -> None:
    world.reachable_answers = [False]
    world.why = ModuleConnectionError(Cause.WRONG_PORT, usual_port=3232)
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.WRONG_PORT)
    assert result.facts == {"usual_port": "3232"}
    assert world.count("enter") == world.count("leave") == 0


async def test_a_module_that_does_not_answer_is_refused(world: World) -> None:
    world.reachable_answers = [False]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.UNREACHABLE)
    assert result.facts == {"host": MODULE.host, "port": str(MODULE.port)}
    assert world.count("enter") == world.count("leave") == 0


async def test_what_forbids_to_begin_is_heard_before_anything_is_touched(world: World) -> None:
    world.inhibited = [InstallRefused(Cause.INHIBITED, reason="irrigation")]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.INHIBITED)
    assert result.facts == {"reason": "irrigation"}
    assert world.stages == ["checking"]
    assert world.count("enter") == world.count("leave") == 0


@pytest.mark.parametrize("what", ["image", "reachable", "inhibited"])
async def test_the_check_is_made_again_when_the_turn_comes(world: World, what: str) -> None:
    if what == "image":
        world.facts = [MODULE, MODULE, replace(MODULE, sketch_md5=IMAGE.plain_md5)]
    elif what == "reachable":
        world.reachable_answers = [True, False]
    else:
        world.inhibited = [None, InstallRefused(Cause.INHIBITED, reason="irrigation")]
    result = await world.run()
    assert result.verdict is Verdict.REFUSED
    assert result.cause in {Cause.SAME_IMAGE, Cause.UNREACHABLE, Cause.INHIBITED}
    assert world.stages == ["checking", "queued"]
    assert world.log[-1] == "turn ends"
    assert world.count("enter") == world.count("leave") == 0


async def test_a_safe_state_that_cannot_be_reached_is_restored_and_nothing_is_sent(
    world: World,
) -> None:
    world.errors["enter"] = SafeStateError(
        Cause.SAFE_STATE_NOT_CONFIRMED, seconds=60, unmet="valve closed"
    )
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.SAFE_STATE_NOT_CONFIRMED)
    assert result.facts == {"seconds": "60", "unmet": "valve closed"}
    assert world.count("send") == 0
    assert world.left_with == [result]


async def test_a_safe_state_that_broke_before_sending_sends_nothing(world: World) -> None:
    world.actions["journal sending"] = lambda: setattr(world, "safe", False)
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.SAFE_STATE_BROKEN)
    assert world.count("send") == 0
    assert world.left_with == [result]


async def test_a_safe_state_that_broke_before_the_first_byte_lets_none_leave(
    world: World,
) -> None:
    world.actions["send"] = lambda: setattr(world, "safe", False)
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.SAFE_STATE_BROKEN)
    assert not any(step.sent for step in world.progress)
    assert world.left_with == [result]


@pytest.mark.parametrize(
    "error",
    [
        ModuleAuthError(Cause.WRONG_PASSWORD),
        ModuleAuthError(Cause.AUTH_UNKNOWN, length=5),
        ModuleRejectedImage(Cause.NO_SPACE, text="ERROR[4]: Not Enough Space"),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
async def test_a_no_is_a_refusal_before_the_first_byte_and_a_failure_after_it(
    world: World, error: OtaError, begun: bool
) -> None:
    world.sends = [fail(error, begun=begun)]
    result = await world.run()
    assert result.verdict is (Verdict.FAILED if begun else Verdict.REFUSED)
    assert (result.cause, result.facts) == (error.cause, error.facts)
    assert world.count("send") == 1
    assert world.left_with == [result]


async def test_a_no_after_a_begun_try_is_a_failure(world: World) -> None:
    world.sends = [
        fail(TransferError(Cause.CONNECTION_LOST, sent=1, total=2), begun=True),
        fail(ModuleAuthError(Cause.WRONG_PASSWORD)),
    ]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.WRONG_PASSWORD)


# Tries


@pytest.mark.parametrize(
    "error",
    [
        ModuleConnectionError(Cause.NO_ANSWER),
        ModuleConnectionError(Cause.PORT_CLOSED),
        TransferError(Cause.STALLED, sent=1, total=2, seconds=30),
        TransferError(Cause.CONNECTION_LOST, sent=1, total=2),
    ],
)
@pytest.mark.parametrize("failures", [1, 2])
async def test_a_network_fault_is_tried_again(world: World, error: OtaError, failures: int) -> None:
    world.sends = [*[fail(error)] * failures, succeed]
    assert (await world.run()).verdict is Verdict.VERIFIED
    assert world.count("send") == failures + 1
    assert world.stages == ALL_STAGES
    assert len(world.left_with) == 1


async def test_the_third_network_fault_is_the_last(world: World) -> None:
    world.sends = [fail(TransferError(Cause.STALLED, sent=1, total=2, seconds=30), begun=True)]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.STALLED)
    assert result.facts == {"sent": "1", "total": "2", "seconds": "30"}
    assert world.count("send") == 3
    assert world.count("gone") == 0
    assert world.left_with == [result]


@pytest.mark.parametrize(
    "error",
    [
        CallbackError(Cause.NO_CALLBACK, our_address="192.0.2.1", callback_port=4000),
        CallbackError(Cause.CALLBACK_PORT_TAKEN, callback_port=4000),
    ],
)
async def test_a_fault_that_needs_somebody_is_not_tried_again(
    world: World, error: OtaError
) -> None:
    world.sends = [fail(error)]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, error.cause)
    assert world.count("send") == 1
    assert world.left_with == [result]


async def test_a_pause_lies_between_two_tries(world: World) -> None:
    world.sends = [fail(NETWORK), succeed]
    times: list[float] = []
    world.actions["send"] = lambda: times.append(time.monotonic())
    limits = Limits(tries=2, retry_pause=0.2, watch_interval=0.01)
    await world.install(limits=limits).run()
    assert times[1] - times[0] >= 0.19


async def test_no_try_begins_without_the_safe_state(world: World) -> None:
    async def breaks(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        before_first_byte()
        world.safe = False
        raise NETWORK

    world.sends = [breaks]
    limits = replace(QUICK, retry_pause=0.0, watch_interval=30.0)
    result = await world.install(limits=limits).run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.SAFE_STATE_BROKEN)
    assert world.count("send") == 1
    assert world.left_with == [result]


@pytest.mark.parametrize("sent", [0, len(DATA)])
async def test_a_safe_state_that_breaks_in_the_pause_ends_it(world: World, sent: int) -> None:
    async def breaks(_: Callable[[], None], progress: ProgressCallback) -> Delivery:
        progress(sent, len(DATA))
        asyncio.get_running_loop().call_later(0.05, setattr, world, "safe", False)
        raise NETWORK

    world.sends = [breaks]
    async with asyncio.timeout(10):
        result = await world.install(limits=replace(QUICK, retry_pause=3600.0)).run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.SAFE_STATE_BROKEN)
    assert world.count("send") == 1
    assert world.left_with == [result]


# A safe state that breaks while sending


async def test_a_safe_state_that_breaks_stops_the_sending(world: World) -> None:
    stopped = []

    async def slow(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        progress(1, len(DATA))
        world.safe = False
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)  # an abort may take a moment
            stopped.append(world.count("leave"))
            raise
        return Delivery.ACCEPTED

    world.sends = [slow]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.SAFE_STATE_BROKEN)
    assert stopped == [0], "restored before the module was let go"
    assert world.left_with == [result]
    assert world.count("gone") == 0


async def test_a_safe_state_that_breaks_after_the_last_byte_stops_nothing(world: World) -> None:
    async def taken(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        progress(len(DATA), len(DATA))
        world.safe = False
        await asyncio.sleep(0.1)  # ten looks at the safe state
        return Delivery.ACCEPTED

    world.sends = [taken]
    # The module has it all and restarts whatever we do: "the old one runs on" would be a lie.
    assert (await world.run()).verdict is Verdict.VERIFIED


async def test_a_new_try_is_watched_again(world: World) -> None:
    async def lost(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        progress(len(DATA), len(DATA))
        raise TransferError(Cause.NO_SPACE)  # it has dropped the leftovers of a try before

    async def slow(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        before_first_byte()
        world.safe = False
        await asyncio.sleep(3600)
        return Delivery.ACCEPTED

    world.sends = [lost, slow]
    assert (await world.run()).cause is Cause.SAFE_STATE_BROKEN


@pytest.mark.parametrize("cause", [Cause.CONNECTION_LOST, Cause.REBOOTED, Cause.STALLED])
async def test_an_image_that_may_be_complete_is_heard_out_and_not_sent_again(
    world: World, cause: Cause
) -> None:
    async def lost(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        progress(len(DATA), len(DATA))
        raise TransferError(cause, sent=1, total=2)

    world.sends = [lost]
    assert (await world.run()).verdict is Verdict.VERIFIED
    assert world.log.count("send") == 1


@pytest.mark.parametrize("cause", [Cause.CONNECTION_LOST, Cause.REBOOTED, Cause.STALLED])
async def test_an_image_that_cannot_be_complete_is_sent_again(world: World, cause: Cause) -> None:
    async def lost(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        progress(len(DATA) - 1, len(DATA))
        raise TransferError(cause, sent=1, total=2)

    world.sends = [lost, succeed]
    assert (await world.run()).verdict is Verdict.VERIFIED
    assert world.log.count("send") == 2


async def test_a_switch_that_breaks_off_is_heard_out(world: World) -> None:
    """It is one request: whether it arrived, the module knows."""

    async def switch_back(*, before_switch: Callable[[], None]) -> Delivery:
        before_switch()
        raise TransferError(Cause.CONNECTION_LOST, sent=0, total=0)

    world.switch_back = switch_back  # type: ignore[method-assign]
    pipeline = world.install()
    part = replace(pipeline._sending.last, in_other_slot=True)
    pipeline._sending.parts, pipeline._sending.last = [part], part

    assert (await pipeline.run()).verdict is Verdict.VERIFIED
    assert "send" not in world.log


async def test_a_restart_needs_no_safe_state(world: World) -> None:
    world.actions["journal restarting"] = lambda: setattr(world, "safe", False)
    assert (await world.run()).verdict is Verdict.VERIFIED


# After the sending


@pytest.mark.parametrize(
    ("send", "error", "cause"),
    [
        (succeed, VerifyError(Cause.DID_NOT_RESTART, seconds=60), Cause.DID_NOT_RESTART),
        (unconfirmed, VerifyError(Cause.DID_NOT_RESTART, seconds=60), Cause.NO_RESULT),
        (succeed, VerifyError(Cause.DID_NOT_COME_BACK, seconds=180), Cause.DID_NOT_COME_BACK),
        (unconfirmed, VerifyError(Cause.DID_NOT_COME_BACK, seconds=180), Cause.DID_NOT_COME_BACK),
    ],
)
async def test_a_module_that_does_not_go_or_come_back_is_a_failure(
    world: World, send: Send, error: VerifyError, cause: Cause
) -> None:
    world.sends = [send]
    world.errors["gone" if error.cause is Cause.DID_NOT_RESTART else "back"] = error
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, cause)
    assert world.count("evidence") == 0
    assert world.stages == [*ALL_STAGES[:5], "restoring", "done"]
    assert world.left_with == [result]


async def test_equipment_that_cannot_be_restored_is_told_beside_the_verdict(world: World) -> None:
    world.errors["leave"] = SafeStateError(Cause.RESTORE_FAILED, detail="valve stuck")
    result = await world.run()
    assert (result.verdict, result.version) == (Verdict.VERIFIED, "1.1.0")
    assert result.restore_error is Cause.RESTORE_FAILED
    assert result.restore_facts == {"detail": "valve stuck"}
    assert_sentence_is_whole(Cause.RESTORE_FAILED, result.restore_facts)
    assert world.count("leave") == 1


async def test_a_refusal_keeps_its_cause_when_the_restore_fails_too(world: World) -> None:
    world.errors["enter"] = SafeStateError(Cause.SAFE_STATE_FAILED, detail="pump on")
    world.errors["leave"] = SafeStateError(Cause.RESTORE_FAILED, detail="valve stuck")
    result = await world.run()
    assert (result.cause, result.restore_error) == (Cause.SAFE_STATE_FAILED, Cause.RESTORE_FAILED)


# What must not happen, and still must not leave the equipment shut off

SENDING = ["enter", "journal sending", "send"]
DELIVERED = ["journal restarting", "gone", "back", "journal verifying", "evidence"]
SECURED = SENDING + DELIVERED


@pytest.mark.parametrize("step", SECURED)
async def test_an_error_of_ours_restores_once_and_is_raised(world: World, step: str) -> None:
    world.errors[step] = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await world.run()
    assert [result.cause for result in world.left_with] == [Cause.INTERNAL]
    assert world.left_with[0].verdict is Verdict.FAILED
    assert world.log[-3:] == ["left", "journal done", "turn ends"]


@pytest.mark.parametrize("step", ["journal checking", "reachable", "journal queued", "turn"])
async def test_an_error_before_anything_was_touched_restores_nothing(
    world: World, step: str
) -> None:
    world.errors[step] = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await world.run()
    assert world.left_with == []


async def test_a_journal_that_cannot_be_written_keeps_the_equipment_untouched(
    world: World,
) -> None:
    world.errors["journal making_safe"] = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        await world.run()
    assert world.count("enter") == world.count("leave") == 0


async def test_a_journal_that_fails_at_the_end_does_not_stop_the_restore(world: World) -> None:
    world.errors["journal restoring"] = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        await world.run()
    assert [result.verdict for result in world.left_with] == [Verdict.VERIFIED]
    assert world.log[-2:] == ["left", "turn ends"]


async def test_an_error_of_ours_in_the_restore_is_raised(world: World) -> None:
    world.errors["leave"] = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await world.run()
    assert world.count("leave") == 1


# Cancelling


async def cancelled_at(world: World, step: str) -> None:
    """Cancel an install that has come to a step and stays there."""
    world.hangs.add(step)
    task = asyncio.ensure_future(world.install().run())
    async with asyncio.timeout(5):
        await world.reached.wait()
    task.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait({task})
    assert task.cancelled()


@pytest.mark.parametrize("step", SECURED)
async def test_cancelling_restores_once_and_stays_cancelled(world: World, step: str) -> None:
    await cancelled_at(world, step)
    [result] = world.left_with
    assert result.verdict is Verdict.CANCELLED
    # What the module has it may run, whoever has stopped waiting for it.
    assert result.cause is (Cause.CANCELLED if step in SENDING else Cause.CANCELLED_LATE)
    assert world.log[-4:] == ["leave", "left", "journal done", "turn ends"]


@pytest.mark.parametrize(
    "step", ["journal checking", "reachable", "journal queued", "turn", "journal making_safe"]
)
async def test_cancelling_before_anything_was_touched_restores_nothing(
    world: World, step: str
) -> None:
    await cancelled_at(world, step)
    assert world.left_with == []


async def test_cancelling_in_the_pause_between_tries_restores_once(world: World) -> None:
    world.sends = [fail(NETWORK)]
    world.actions["send"] = world.reached.set
    task = asyncio.ensure_future(world.install(limits=replace(QUICK, retry_pause=3600.0)).run())
    async with asyncio.timeout(5):
        await world.reached.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert [result.verdict for result in world.left_with] == [Verdict.CANCELLED]


async def test_cancelling_when_the_last_stage_is_written_still_restores(world: World) -> None:
    await cancelled_at(world, "journal restoring")
    assert [result.verdict for result in world.left_with] == [Verdict.VERIFIED]
    assert world.count("left") == 1


@pytest.mark.parametrize("error", [None, SafeStateError(Cause.RESTORE_FAILED, detail="stuck")])
async def test_a_restore_once_begun_is_carried_to_its_end(
    world: World, error: SafeStateError | None
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def leave(result: InstallResult) -> None:
        world.left_with.append(result)
        begun.set()
        await go_on.wait()
        world.log.append("left")
        if error is not None:
            raise error

    world.leave = leave  # type: ignore[method-assign]
    install = world.install()
    task = asyncio.ensure_future(install.run())
    async with asyncio.timeout(5):
        await begun.wait()
    for _ in range(2):  # whoever cancels may lose patience
        task.cancel()
        await asyncio.sleep(0.02)
        assert not task.done()
    go_on.set()
    await asyncio.wait({task})
    assert task.cancelled()
    assert world.count("left") == 1
    assert len(world.left_with) == 1
    assert install.result.verdict is Verdict.VERIFIED
    assert install.result.restore_error == (error and error.cause)


async def test_who_cancelled_can_read_what_became_of_it(world: World) -> None:
    world.hangs.add("send")
    world.errors["leave"] = SafeStateError(Cause.RESTORE_FAILED, detail="valve stuck")
    install = world.install()
    task = asyncio.ensure_future(install.run())
    await world.reached.wait()
    task.cancel()
    await asyncio.wait({task})
    assert (install.result.verdict, install.result.cause) == (Verdict.CANCELLED, Cause.CANCELLED)
    assert install.result.restore_error is Cause.RESTORE_FAILED
    assert install.result.restore_facts == {"detail": "valve stuck"}


async def test_a_transport_that_fails_while_it_is_stopped_hides_nothing(world: World) -> None:
    async def slow(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        before_first_byte()
        world.safe = False
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise TransferError(Cause.CONNECTION_LOST, sent=1, total=2) from None
        return Delivery.ACCEPTED

    world.sends = [slow]
    assert (await world.run()).cause is Cause.SAFE_STATE_BROKEN


def whole_and_stopped(world: World, *, comes_back: bool) -> None:
    """Have the safe state break when the last byte was on its way."""

    async def slow(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        world.safe = False
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            progress(len(DATA), len(DATA))
            raise
        return Delivery.ACCEPTED

    world.sends = [slow]
    if not comes_back:
        world.errors["gone"] = VerifyError(Cause.DID_NOT_RESTART, seconds=60)


async def test_what_was_on_its_way_when_it_was_stopped_is_heard_out(world: World) -> None:
    whole_and_stopped(world, comes_back=True)
    result = await world.run()
    assert result.verdict is Verdict.VERIFIED
    assert [delivery for _, delivery in world.taught] == [Delivery.UNCONFIRMED]
    assert len(world.left_with) == 1


async def test_what_was_on_its_way_and_did_not_arrive_was_stopped(world: World) -> None:
    whole_and_stopped(world, comes_back=False)
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.SAFE_STATE_BROKEN)
    assert len(world.left_with) == 1


# Carrying on after Home Assistant died


async def test_an_install_goes_on_where_the_image_was_delivered(world: World) -> None:
    result = await world.install().resume()
    assert (result.verdict, result.version) == (Verdict.VERIFIED, "1.1.0")
    assert [name for name in world.log if name != "holds"] == [
        "take over",
        "turn",
        "journal restarting",
        "back",
        "journal verifying",
        "evidence",
        "turn ends",
        "journal restoring",
        "leave",
        "left",
        "journal done",
    ]
    assert world.asked_since == {"back": 0.0, "evidence": 0.0}
    assert world.left_with == [result]


async def test_a_module_that_was_lost_meanwhile_is_told_and_restored(world: World) -> None:
    world.errors["back"] = VerifyError(Cause.DID_NOT_COME_BACK, seconds=180)
    result = await world.install().resume()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.DID_NOT_COME_BACK)
    assert world.left_with == [result]


async def test_a_resumed_install_that_is_cancelled_restores_once(world: World) -> None:
    world.hangs.add("back")
    task = asyncio.ensure_future(world.install().resume())
    await world.reached.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert [result.verdict for result in world.left_with] == [Verdict.CANCELLED]
