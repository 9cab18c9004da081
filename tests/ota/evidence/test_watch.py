"""What is heard of a module after a send: that it went, that it is back, what it runs."""

import asyncio
import time

import pytest

from custom_components.esp_ota.ota import Cause, EvidenceSource, VerifyError
from tests.kit.garden import until
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.evidence.watch_bench import Bench, in_time, soon
from tests.ota.examples import CANDIDATE, IMAGE, MODULE

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
@pytest.mark.parametrize("look", ["wait_gone", "restarted"])
async def test_an_answer_lost_while_home_assistant_stood_still_is_no_absence(look: str) -> None:
    bench = Bench([False, True], quick_probe=0.01, go=0.05, misses=1, silence=1)
    bench.stands_still = [0.15]
    since = time.monotonic()
    if look == "restarted":
        assert not await bench.watch.restarted(since)
    else:
        with pytest.raises(VerifyError) as caught:
            await bench.watch.wait_gone(since, CANDIDATE, MODULE)
        assert caught.value.cause is Cause.DID_NOT_RESTART
    assert bench.stands_still == bench.answers == []


@pytest.mark.slow
async def test_a_machine_that_never_rests_hears_a_restart_as_well() -> None:
    bench = Bench([False] * 4, quick_probe=0.01, misses=2)
    bench.stands_still = [0.12] * 4
    since = time.monotonic()
    assert await bench.watch.wait_gone(since, CANDIDATE, MODULE) > since
    assert bench.answers == []


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
    waiting = asyncio.ensure_future(bench.watch.wait_evidence(begin, CANDIDATE, MODULE))
    await until(lambda: bench.asked)
    proof = bench.hear(version="1.1.0")
    assert await in_time(waiting) is proof


@pytest.mark.slow
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
