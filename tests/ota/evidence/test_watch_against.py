"""What is heard of a module after a send and speaks against the image, or does not."""

import asyncio
from dataclasses import replace
import socket
import time
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    EvidenceSource,
    ModuleFacts,
    PollWatch,
    VerifyError,
    WatchLimits,
)
from tests.ota.evidence.watch_bench import SILENT, UNMARKED, Bench, in_time, soon
from tests.ota.examples import CANDIDATE, MODULE, sighting


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


@pytest.mark.slow
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
    bench = Bench(evidence=0.1, late=0.2, again=1.0)
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
    bench = Bench(evidence=1.0, late=0.1, again=0.05)
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("source", [EvidenceSource.PULL_VERSION, EvidenceSource.PULL_MD5])
async def test_a_request_at_the_start_of_the_old_sketch_counts_against_the_image(
    source: EvidenceSource,
) -> None:
    """Nobody holds a request back: it comes from what runs after the restart, in its first moment.

    A record of the same moment may be from before. A sketch that asks once a minute says it only
    once before the time is up.
    """
    bench = Bench(evidence=0.2, late=0.1, again=0.05)
    went = time.monotonic()
    await asyncio.sleep(0.15)
    request = bench.hear(version="1.0.0", source=source)
    assert await bench.watch.wait_evidence(went, CANDIDATE, MODULE) is request

    record = Bench(evidence=0.2, late=0.1, again=0.05)
    went = time.monotonic()
    await asyncio.sleep(0.15)
    waiting = asyncio.ensure_future(record.watch.wait_evidence(went, CANDIDATE, MODULE))
    await asyncio.sleep(0)
    record.hear(version="1.0.0", source=EvidenceSource.TXT)
    assert await in_time(waiting) is None


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


@pytest.mark.slow
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
