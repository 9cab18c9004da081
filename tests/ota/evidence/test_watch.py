"""What is heard of a module after a send: that it went, that it is back, what it runs."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
import socket
import time
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    EvidenceSource,
    ModuleFacts,
    ModuleWatch,
    PollWatch,
    Sighting,
    VerifyError,
    WatchLimits,
)
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.examples import CANDIDATE, IMAGE, MODULE, sighting

SILENT = replace(MODULE, version=None)
UNMARKED = replace(CANDIDATE, image=replace(IMAGE, marker=None))

NEVER = -3600.0
"""Nothing is so late that it may be from before; most tests are about something else."""


class Bench:
    """A watch whose probes are answered by the test."""

    def __init__(self, answers: Iterable[bool] = (), **limits: float) -> None:
        self.answers = list(answers)
        self.then = True
        """The answer when the listed ones are used up."""
        self.patience: list[float] = []
        self.asked = 0
        self.watch = ModuleWatch(
            self._probe,
            self._ask,
            WatchLimits(**{"interval": 0.005, "late": NEVER, "again": 0.05} | limits),  # type: ignore[arg-type]
        )

    async def _probe(self, timeout: float) -> bool:
        self.patience.append(timeout)
        await asyncio.sleep(0)
        return self.answers.pop(0) if self.answers else self.then

    def _ask(self) -> None:
        self.asked += 1

    def hear(self, **said: Any) -> Sighting:
        heard = sighting(**said)
        self.watch.heard(heard)
        return heard


async def in_time[T](waiting: asyncio.Future[T] | asyncio.Task[T]) -> T:
    async with asyncio.timeout(10):
        return await waiting


def soon(do: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_later(0.05, do)


# Reachable


@pytest.mark.parametrize(
    ("answers", "reachable", "probes"),
    [([True], True, 1), ([False, True], True, 2), ([False, False], False, 2)],
)
async def test_a_lost_packet_is_given_a_second_chance(
    answers: list[bool], reachable: bool, probes: int
) -> None:
    bench = Bench(answers, patient_probe=1.5)
    assert await bench.watch.reachable() is reachable
    assert bench.patience == [1.5] * probes


# Gone


async def test_two_missed_probes_in_a_row_mean_that_it_went() -> None:
    bench = Bench([True, True, False, False], quick_probe=0.4)
    begin = time.monotonic()
    gone_at = await bench.watch.wait_gone(begin, CANDIDATE, MODULE)
    assert begin < gone_at <= time.monotonic()
    assert bench.patience == [0.4] * 4


@pytest.mark.slow
async def test_a_lost_probe_is_no_restart() -> None:
    bench = Bench([True, False, True, False, True, True, False], go=0.3)
    with pytest.raises(VerifyError) as caught:
        await bench.watch.wait_gone(time.monotonic(), CANDIDATE, MODULE)
    assert caught.value.cause is Cause.DID_NOT_RESTART
    assert bench.answers == []


async def test_a_module_that_stays_did_not_restart() -> None:
    bench = Bench(go=0.2, interval=0.05)
    begin = time.monotonic()
    with pytest.raises(VerifyError) as caught:
        await bench.watch.wait_gone(begin, CANDIDATE, MODULE)
    assert time.monotonic() - begin >= 0.2
    assert len(bench.patience) <= 6, "a module is not to be flooded with probes"
    assert caught.value.cause is Cause.DID_NOT_RESTART
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


async def test_a_restart_too_quick_to_be_seen_is_proven_by_what_the_module_says() -> None:
    bench = Bench(interval=3600.0)
    begin = time.monotonic()
    soon(lambda: bench.hear(version="1.1.0"))
    gone_at = await in_time(asyncio.ensure_future(bench.watch.wait_gone(begin, CANDIDATE, MODULE)))
    assert gone_at == begin
    probes = len(bench.patience)
    await bench.watch.wait_back(gone_at, CANDIDATE, MODULE)
    assert len(bench.patience) == probes, "a proof needs no probe"
    heard = await bench.watch.wait_evidence(gone_at, CANDIDATE, MODULE)
    assert heard is not None
    assert heard.version == "1.1.0"


async def test_what_proves_nothing_does_not_make_it_gone() -> None:
    bench = Bench(go=0.2)
    begin = time.monotonic()
    bench.hear(version="1.1.0", at=begin - 1)  # before the sending ended
    bench.hear(version="1.0.0")
    bench.hear()
    with pytest.raises(VerifyError):
        await bench.watch.wait_gone(begin, CANDIDATE, MODULE)


async def test_a_goodbye_is_a_departure() -> None:
    bench = Bench(interval=3600.0)
    begin = time.monotonic()
    soon(bench.watch.left)
    gone_at = await in_time(asyncio.ensure_future(bench.watch.wait_gone(begin, CANDIDATE, MODULE)))
    assert begin < gone_at <= time.monotonic()


async def test_an_old_goodbye_is_none() -> None:
    bench = Bench(go=0.1)
    bench.watch.left()
    with pytest.raises(VerifyError):
        await bench.watch.wait_gone(time.monotonic(), CANDIDATE, MODULE)


# Back


async def test_it_is_back_when_it_answers() -> None:
    bench = Bench([False, False, False, True], patient_probe=2.5)
    await bench.watch.wait_back(time.monotonic(), CANDIDATE, MODULE)
    assert bench.patience == [2.5] * 4


async def test_a_module_that_stays_away_did_not_come_back() -> None:
    bench = Bench(back=0.2, interval=0.05)
    bench.then = False
    begin = time.monotonic()
    with pytest.raises(VerifyError) as caught:
        await bench.watch.wait_back(begin, CANDIDATE, MODULE)
    assert time.monotonic() - begin >= 0.2
    assert len(bench.patience) <= 6, "a module is not to be flooded with probes"
    assert caught.value.cause is Cause.DID_NOT_COME_BACK
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


async def test_a_module_that_speaks_is_looked_at_at_once() -> None:
    bench = Bench([False], interval=3600.0)
    soon(lambda: bench.hear(version="1.0.0"))
    waiting = bench.watch.wait_back(time.monotonic(), CANDIDATE, MODULE)
    await in_time(asyncio.ensure_future(waiting))
    assert len(bench.patience) == 2


# Evidence


async def test_a_proof_ends_the_waiting_at_once() -> None:
    bench = Bench(evidence=3600.0)
    begin = time.monotonic()
    bench.hear(version="1.0.0")
    proof: list[Sighting] = []
    soon(lambda: proof.append(bench.hear(version="1.1.0")))
    waiting = bench.watch.wait_evidence(begin, CANDIDATE, MODULE)
    assert await in_time(asyncio.ensure_future(waiting)) is proof[0]
    assert bench.asked >= 1


async def test_the_last_word_of_a_source_counts() -> None:
    """A new sketch that falls back to the old one has spoken as well."""
    bench = Bench(evidence=0.2)
    begin = time.monotonic()
    bench.hear(version="1.1.0")
    last = bench.hear(version="1.0.0")
    assert await bench.watch.wait_evidence(begin, CANDIDATE, MODULE) is last


async def test_a_weaker_source_is_not_heard_beside_a_stronger_one_however_often_it_speaks() -> None:
    bench = Bench(evidence=0.05)
    begin = time.monotonic()
    page = bench.hear(version="1.0.0", source=EvidenceSource.INFO_URL)
    for _ in range(100):
        bench.hear(version="1.1.0")
    assert await bench.watch.wait_evidence(begin, CANDIDATE, MODULE) is page


@pytest.mark.parametrize("source", list(EvidenceSource))
async def test_a_source_that_named_the_new_version_before_the_restart_proves_nothing_by_it(
    source: EvidenceSource,
) -> None:
    """A record, a page or an entity that somebody kept."""
    bench = Bench(evidence=0.05)
    bench.hear(version="1.1.0", source=source)
    begin = time.monotonic()
    bench.hear(version="1.1.0", source=source)
    assert await bench.watch.wait_evidence(begin, CANDIDATE, MODULE) is None


async def test_the_sum_of_the_very_image_proves_it_although_it_ran_before() -> None:
    bench = Bench(evidence=3600.0)
    bench.hear(version="1.1.0", sketch_md5=IMAGE.plain_md5)
    begin = time.monotonic()
    again = bench.hear(version="1.1.0", sketch_md5=IMAGE.plain_md5)
    waiting = bench.watch.wait_evidence(begin, CANDIDATE, MODULE)
    assert await in_time(asyncio.ensure_future(waiting)) is again


async def test_a_source_that_said_something_else_in_between_is_heard() -> None:
    bench = Bench(evidence=3600.0)
    bench.hear(version="1.1.0")
    bench.hear(version="1.0.0")
    begin = time.monotonic()
    proof = bench.hear(version="1.1.0")
    waiting = bench.watch.wait_evidence(begin, CANDIDATE, MODULE)
    assert await in_time(asyncio.ensure_future(waiting)) is proof


async def test_an_entity_that_is_still_to_change_does_not_speak_against_the_module() -> None:
    bench = Bench(evidence=3600.0)
    bench.hear(version="1.0.0", source=EvidenceSource.ENTITY)
    begin = time.monotonic()
    behind = bench.hear(version="1.0.0", source=EvidenceSource.ENTITY)
    assert await bench.watch.said(begin, CANDIDATE, MODULE) is behind
    proof = bench.hear(version="1.1.0", source=EvidenceSource.PULL_VERSION)
    waiting = bench.watch.wait_evidence(begin, CANDIDATE, MODULE)
    assert await in_time(asyncio.ensure_future(waiting)) is proof


# What speaks against the image


@pytest.mark.slow
async def test_what_was_queued_before_it_went_does_not_count_against_the_new_image() -> None:
    """An old answer arrives 2 ms after the return; asked once more, the module says what runs."""
    bench = Bench(evidence=0.1, late=1.0, again=3600.0)
    begin = time.monotonic()
    bench.hear(version="1.0.0")
    waiting = asyncio.ensure_future(bench.watch.wait_evidence(begin, CANDIDATE, MODULE))
    await asyncio.sleep(0.15)
    proof = bench.hear(version="1.1.0")
    assert await in_time(waiting) is proof


async def test_what_a_busy_machine_had_not_read_yet_does_not_count_against_the_new_image() -> None:
    """Hundreds of datagrams wait, and are read one a turn; the last is as old as the first."""
    bench = Bench(evidence=0.2, late=0.0, again=0.05)

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            bench.hear(version=data.decode())

    loop = asyncio.get_running_loop()
    ear, _ = await loop.create_datagram_endpoint(Ear, local_addr=("127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.connect(ear.get_extra_info("sockname"))
        for number in range(250):
            mouth.send(b"1.0.%d" % (number % 2))
        begin = time.monotonic()
        assert await bench.watch.wait_evidence(begin, CANDIDATE, MODULE) is None
    ear.close()


async def test_what_was_queued_before_it_went_says_nothing_where_it_is_not_said_again() -> None:
    bench = Bench(evidence=0.1, late=1.0, again=0.1)
    begin = time.monotonic()
    bench.hear(version="1.0.0")
    assert await bench.watch.wait_evidence(begin, CANDIDATE, MODULE) is None


@pytest.mark.slow
async def test_what_is_said_again_when_asked_counts_against_the_image() -> None:
    bench = Bench(evidence=0.1, late=0.2, again=0.3)
    begin = time.monotonic()
    bench.hear(version="1.0.0")
    waiting = asyncio.ensure_future(bench.watch.wait_evidence(begin, CANDIDATE, MODULE))
    await asyncio.sleep(0.25)
    asked = bench.asked
    again = bench.hear(version="1.0.0")
    assert await in_time(waiting) is again
    assert asked >= 2


@pytest.mark.slow
async def test_what_was_said_long_after_the_return_counts_although_it_is_not_said_again() -> None:
    bench = Bench(evidence=0.3, late=0.1, again=0.05)
    begin = time.monotonic()
    waiting = asyncio.ensure_future(bench.watch.wait_evidence(begin, CANDIDATE, MODULE))
    await asyncio.sleep(0.2)
    said = bench.hear(version="1.0.0")
    assert await in_time(waiting) is said


async def test_an_old_answer_during_the_probation_does_not_undo_what_was_proven() -> None:
    bench = Bench(late=1.0, again=0.05)
    bench.hear(version="1.1.0")
    began = time.monotonic()
    bench.hear(version="1.0.0")
    assert await bench.watch.said(began, CANDIDATE, MODULE) is None


async def test_a_request_of_a_module_that_asks_counts_from_a_moment_after_its_download() -> None:
    """The one that came with the restart is all that an hourly poller says."""
    watch = PollWatch(
        lambda: 3600.0, WatchLimits(back=3600.0, evidence_unlikely=0.05, late=0.1, again=0.05)
    )
    begin = time.monotonic()
    await asyncio.sleep(0.15)
    request = sighting(version="1.0.0", source=EvidenceSource.PULL_VERSION)
    watch.heard(request)
    await watch.wait_back(begin, CANDIDATE, MODULE)
    assert await watch.wait_evidence(begin, CANDIDATE, MODULE) is request


async def test_an_entity_alone_may_say_that_the_old_sketch_is_back() -> None:
    bench = Bench(evidence=0.05)
    bench.hear(version="1.0.0", source=EvidenceSource.ENTITY)
    begin = time.monotonic()
    again = bench.hear(version="1.0.0", source=EvidenceSource.ENTITY)
    assert await bench.watch.wait_evidence(begin, CANDIDATE, MODULE) is again


@pytest.mark.parametrize("source", [EvidenceSource.ENTITY, EvidenceSource.INFO_URL])
async def test_a_module_that_only_asks_is_not_back_because_others_speak_of_it(
    source: EvidenceSource,
) -> None:
    watch = PollWatch(lambda: 0.2, WatchLimits(back=0.2))
    begin = time.monotonic()
    watch.heard(sighting(source=source, version="1.0.0"))
    with pytest.raises(VerifyError) as caught:
        await watch.wait_back(begin, CANDIDATE, MODULE)
    assert caught.value.cause is Cause.SILENT_AFTER_DOWNLOAD


@pytest.mark.parametrize("source", [EvidenceSource.ENTITY, EvidenceSource.INFO_URL])
async def test_a_module_that_only_asks_is_proven_by_others(source: EvidenceSource) -> None:
    asked: list[None] = []
    watch = PollWatch(lambda: 3600.0, WatchLimits(back=3600.0), lambda: asked.append(None))
    begin = time.monotonic()
    soon(lambda: watch.heard(sighting(source=source, version="1.1.0")))
    await in_time(asyncio.ensure_future(watch.wait_back(begin, CANDIDATE, MODULE)))
    assert asked


@pytest.mark.parametrize("source", [EvidenceSource.PULL_VERSION, EvidenceSource.TXT])
async def test_a_module_that_only_asks_is_back_when_it_speaks(source: EvidenceSource) -> None:
    watch = PollWatch(lambda: 3600.0, WatchLimits(back=3600.0))
    begin = time.monotonic()
    soon(lambda: watch.heard(sighting(source=source, version="1.0.0")))
    await in_time(asyncio.ensure_future(watch.wait_back(begin, CANDIDATE, MODULE)))


async def test_a_stronger_source_that_says_otherwise_takes_the_proof_away() -> None:
    bench = Bench(evidence=0.2)
    begin = time.monotonic()
    bench.hear(version="1.1.0")
    other = bench.hear(version="1.0.0", source=EvidenceSource.INFO_URL)
    assert await bench.watch.wait_evidence(begin, CANDIDATE, MODULE) is other


@pytest.mark.slow
async def test_the_last_word_counts_when_nothing_is_proven() -> None:
    bench = Bench(evidence=0.2)
    begin = time.monotonic()
    bench.hear(version="0.5")
    last = bench.hear(version="1.0.0")
    bench.hear(firmware="garden-valve")  # says nothing of a version
    assert await bench.watch.wait_evidence(begin, CANDIDATE, MODULE) is last
    assert time.monotonic() - begin >= 0.2


async def test_a_checksum_is_a_word_too() -> None:
    bench = Bench(evidence=0.05)
    begin = time.monotonic()
    said = bench.hear(sketch_md5="0" * 32)
    assert await bench.watch.wait_evidence(begin, CANDIDATE, MODULE) is said


async def test_what_was_said_before_it_went_is_no_evidence() -> None:
    bench = Bench(evidence=0.05)
    bench.hear(version="1.1.0")
    await asyncio.sleep(0.01)
    assert await bench.watch.wait_evidence(time.monotonic(), CANDIDATE, MODULE) is None
    assert bench.asked >= 1


@pytest.mark.parametrize(
    ("before", "candidate", "likely"),
    [
        (MODULE, UNMARKED, True),
        (replace(SILENT, sketch_md5="a" * 32), UNMARKED, True),
        (SILENT, CANDIDATE, True),
        (SILENT, UNMARKED, False),
    ],
)
async def test_a_module_that_never_said_its_version_is_waited_for_less(
    before: ModuleFacts, candidate: Any, likely: bool
) -> None:
    short, long = 0.05, 3600.0
    bench = Bench(evidence=short if likely else long, evidence_unlikely=long if likely else short)
    waiting = bench.watch.wait_evidence(time.monotonic(), candidate, before)
    assert await in_time(asyncio.ensure_future(waiting)) is None


async def test_only_the_newest_statements_are_kept() -> None:
    bench = Bench(evidence=0.05)
    begin = time.monotonic()
    bench.hear(version="1.1.0")
    later = [bench.hear(version="0.5") for _ in range(100)]
    assert await bench.watch.wait_evidence(begin, CANDIDATE, MODULE) is later[-1]


def test_the_default_waits_fit_what_modules_need() -> None:
    limits = WatchLimits()
    assert limits.misses * (limits.quick_probe + 0.1) <= 1.5, "the shortest restart seen"
    assert limits.back > 60
    assert limits.evidence > limits.evidence_unlikely
