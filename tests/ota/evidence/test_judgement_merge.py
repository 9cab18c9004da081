"""Whatever is said in whatever order: "verified" is only what the strongest source says last."""

import asyncio
from collections.abc import Sequence
from copy import replace
import time

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.esp_ota.ota import (
    EvidenceSource,
    ModuleWatch,
    Sighting,
    Verdict,
    WatchLimits,
)
from custom_components.esp_ota.ota.evidence import judge
from tests.ota.examples import CANDIDATE, IMAGE, MODULE

pytestmark = pytest.mark.slow

NEW, OLD, ELSE = "1.1.0", "1.0.0", "0.5"
OLD_MD5 = "a" * 32
BEFORE = replace(MODULE, sketch_md5=OLD_MD5)
RESTART = 1000.0
"""When the module went, on the clock of the statements."""

sightings = st.builds(
    Sighting,
    source=st.sampled_from(EvidenceSource),
    at=st.floats(RESTART - 10, RESTART + 10),
    version=st.sampled_from([NEW, OLD, ELSE, None]),
    sketch_md5=st.sampled_from([IMAGE.plain_md5, OLD_MD5, None, None]),
    mac=st.sampled_from([MODULE.mac, None]),
)
histories = st.lists(sightings, max_size=60).map(
    lambda said: sorted(said, key=lambda sighting: sighting.at)
)


async def nobody(_timeout: float) -> bool:
    return True


def heard(history: Sequence[Sighting]) -> Sighting | None:
    """Return what is believed at the end of the wait for evidence."""

    async def wait() -> Sighting | None:
        shift = time.monotonic() - RESTART
        limits = WatchLimits(evidence=0.001, late=-3600.0, again=0.0)  # nothing is asked anew
        watch = ModuleWatch(nobody, lambda: None, limits)
        for sighting in history:
            watch.heard(replace(sighting, at=sighting.at + shift))
        return await watch.wait_evidence(RESTART + shift, CANDIDATE, BEFORE)

    return asyncio.run(wait())


def names_something(sighting: Sighting) -> bool:
    return sighting.version is not None or sighting.sketch_md5 is not None


def last_words(history: Sequence[Sighting]) -> dict[EvidenceSource, Sighting]:
    """Return what each source said last after the restart, of those that named something."""
    later = [said for said in history if said.at >= RESTART and names_something(said)]
    return {said.source: said for said in later}


def said_before(said: Sighting, history: Sequence[Sighting]) -> bool:
    """Whether a source did nothing but repeat what it said last before the restart."""
    of_source = [item for item in history if item.source is said.source]
    told = [(item.at, item.firmware, item.version, item.sketch_md5) for item in of_source]
    before = [words for at, *words in told if at < RESTART]
    after = [words for at, *words in told if at >= RESTART]
    return bool(before) and all(words == before[-1] for words in after)


def told(source: EvidenceSource, at: float, version: str) -> Sighting:
    return Sighting(source=source, at=RESTART + at, version=version)


@settings(max_examples=1000)
@given(histories)
@example([told(EvidenceSource.INFO_URL, 0.0, OLD)] + [told(EvidenceSource.TXT, 1.0, NEW)] * 60)
@example([told(EvidenceSource.TXT, -1.0, NEW), told(EvidenceSource.TXT, 1.0, NEW)])
@example([told(EvidenceSource.TXT, 1.0, NEW), told(EvidenceSource.TXT, 2.0, OLD)])
def test_only_the_strongest_source_that_spoke_after_the_restart_verifies(
    history: list[Sighting],
) -> None:
    best = heard(history)
    if judge(best, CANDIDATE, BEFORE).verdict is not Verdict.VERIFIED:
        return
    assert best is not None
    assert best.version == NEW or best.sketch_md5 == IMAGE.plain_md5
    last = last_words(history)
    assert judge(last[best.source], CANDIDATE, BEFORE).verdict is Verdict.VERIFIED
    exact = last[best.source].sketch_md5 == IMAGE.plain_md5
    assert exact or not said_before(last[best.source], history)
    for source, said in last.items():
        if source.is_stronger(best.source):
            # It does nothing but repeat itself, which proves nothing either way.
            assert said_before(said, history)
            assert said.sketch_md5 is None
            assert said.version == NEW or source is EvidenceSource.ENTITY


@settings(max_examples=300)
@given(histories, sightings)
def test_whatever_was_said_before_the_restart_proves_nothing(
    history: list[Sighting], said: Sighting
) -> None:
    early = [item for item in history if item.at < RESTART]
    assert heard([*early, replace(said, at=RESTART - 0.001)]) is None


@settings(max_examples=300)
@given(histories, st.sampled_from(["version", "sum"]))
def test_the_strongest_source_is_believed_when_it_says_something_new(
    history: list[Sighting], how: str
) -> None:
    """The wait for evidence ends with the truth, whatever the others say."""
    others = [item for item in history if item.source is not EvidenceSource.PULL_MD5]
    new = {"version": NEW} if how == "version" else {"sketch_md5": IMAGE.plain_md5}
    truth = Sighting(source=EvidenceSource.PULL_MD5, at=RESTART + 11, **new)
    best = heard([*others, truth])
    assert best is not None
    assert best.source is EvidenceSource.PULL_MD5
    assert judge(best, CANDIDATE, BEFORE).verdict is Verdict.VERIFIED
