"""What a module says and answers is kept as long as it is true, and no longer."""

from dataclasses import replace
import json
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    ChipFamily,
    Delivery,
    FlashMode,
    ImageKind,
    ModuleFacts,
    ModuleKnowledge,
    PullRequest,
    SlotSource,
)
from tests.ota.examples import IMAGE, MODULE as KNOWN

BARE = ModuleFacts(name="pump", host="192.0.2.7", port=8266)
SAID = replace(
    BARE,
    sketch_md5="a" * 32,
    sketch_size=300_000,
    slot_size=700_416,
    flash_size=4 << 20,
    flash_mode=FlashMode.DIO,
    core_version="3.1.2",
)
FILES = replace(IMAGE, kind=ImageKind.FILESYSTEM, chip=None)
ESP8266 = ChipFamily.ESP8266


class Kept:
    """Knowledge, and how often it asked to be kept."""

    def __init__(self, stored: Any = None) -> None:
        self.times = 0
        self.knowledge = ModuleKnowledge(stored or {}, self._keep)

    def _keep(self) -> None:
        self.times += 1

    def facts(self, typed: int | None = None) -> ModuleFacts:
        return self.knowledge.complete(KNOWN, typed)

    def again(self) -> Kept:
        """Return what is known after a restart of Home Assistant."""
        return Kept(json.loads(json.dumps(self.knowledge.stored)))


def test_what_runs_says_of_itself_completes_what_is_known() -> None:
    kept = Kept()
    kept.knowledge.heard(SlotSource.TXT, SAID, 1.0)
    assert kept.facts() == replace(
        KNOWN,
        sketch_md5="a" * 32,
        sketch_size=300_000,
        slot_size=700_416,
        slot_stated=True,
        flash_size=4 << 20,
        flash_mode=FlashMode.DIO,
        core_version="3.1.2",
    )


def test_a_request_for_an_update_says_the_same_in_its_headers() -> None:
    request = PullRequest(
        family=ESP8266,
        mac="5c:cf:7f:a1:b2:c3",
        sketch_md5="a" * 32,
        sketch_size=300_000,
        free_space=700_416,
        chip_size=4 << 20,
    )
    kept = Kept()
    kept.knowledge.polled(request, 1.0)
    slot = kept.knowledge.slot()
    assert slot is not None
    assert (slot.source, slot.size, slot.sketch_size) == (SlotSource.PULL, 700_416, 300_000)
    assert (kept.facts().sketch_md5, kept.facts().flash_size) == ("a" * 32, 4 << 20)


def test_a_request_in_the_same_words_is_as_good_as_the_first() -> None:
    request = PullRequest(
        family=ESP8266, mac=KNOWN.mac or "", sketch_md5="a" * 32, free_space=700_416
    )
    kept = Kept()
    kept.knowledge.polled(request, 1.0)
    kept.knowledge.refused(Cause.NO_SPACE, replace(IMAGE, size=500_000), ESP8266, 2.0)
    assert kept.facts().slot_stated is False
    kept.knowledge.polled(request, 3.0)  # it runs, so it knows better than what refused before
    assert (kept.facts().slot_size, kept.facts().slot_stated) == (700_416, True)
    assert {slot["source"]: slot["at"] for slot in kept.knowledge.stored["slots"]}["pull"] == 3.0
    times = kept.times
    kept.knowledge.heard(SlotSource.TXT, replace(SAID, sketch_md5="b" * 32), 4.0)
    kept.knowledge.polled(request, 5.0)  # another sketch said something in between
    assert kept.facts().sketch_md5 == "a" * 32
    kept.knowledge.delivered(IMAGE, Delivery.ACCEPTED, ESP8266)
    assert kept.facts().slot_size is None
    kept.knowledge.polled(request, 6.0)
    assert (kept.facts().sketch_md5, kept.facts().slot_size) == ("a" * 32, 700_416)
    assert kept.times > times


def test_a_request_that_says_no_size_makes_none_newer() -> None:
    request = PullRequest(family=ESP8266, mac=KNOWN.mac or "", sketch_md5="a" * 32)
    kept = Kept()
    kept.knowledge.heard(SlotSource.PULL, SAID, 1.0)
    for at in (2.0, 3.0):
        kept.knowledge.polled(request, at)
    assert [slot["at"] for slot in kept.knowledge.stored["slots"]] == [1.0]


def test_what_a_later_statement_leaves_out_stays() -> None:
    kept = Kept()
    kept.knowledge.heard(SlotSource.TXT, SAID, 1.0)
    before = kept.facts()
    kept.knowledge.heard(SlotSource.PULL, BARE, 2.0)
    assert kept.facts() == before


def test_free_space_and_sketch_size_are_taken_from_one_and_the_same_statement() -> None:
    """Where the file system begins is their sum; of two statements it would be anywhere."""
    kept = Kept()
    kept.knowledge.heard(SlotSource.TXT, SAID, 1.0)
    kept.knowledge.heard(SlotSource.PULL, replace(BARE, slot_size=600_000), 2.0)
    assert (kept.facts().slot_size, kept.facts().sketch_size) == (600_000, None)


def test_a_statement_is_kept_once_and_not_with_every_poll() -> None:
    kept = Kept()
    for at in range(5):
        kept.knowledge.heard(SlotSource.PULL, SAID, float(at))
    assert kept.times == 1
    kept.knowledge.heard(SlotSource.PULL, replace(SAID, slot_size=1), 9.0)
    assert kept.times == 2


@pytest.mark.parametrize("cause", [Cause.NO_SPACE, Cause.BAD_SIZE])
def test_a_refused_sketch_teaches_the_slot_over_a_restart(cause: Cause) -> None:
    kept = Kept()
    kept.knowledge.refused(cause, replace(IMAGE, size=500_000), ESP8266, 1.0)
    assert kept.times == 1
    facts = kept.again().facts()
    assert (facts.slot_size, facts.slot_stated) == (499_712, False)
    assert kept.again().facts(typed=600_000).slot_size == 600_000


def test_files_that_do_not_fit_teach_nothing_about_sketches() -> None:
    kept = Kept()
    kept.knowledge.refused(Cause.NO_SPACE, FILES, ESP8266, 1.0)
    kept.knowledge.refused(Cause.BUSY, IMAGE, ESP8266, 1.0)
    assert (kept.facts().slot_size, kept.times) == (None, 0)


def test_a_module_that_missed_a_signature_once_is_known_to_want_one() -> None:
    kept = Kept()
    assert kept.facts().signature_required is None
    kept.knowledge.refused(Cause.SIGNATURE, IMAGE, ESP8266, 1.0)
    kept.knowledge.refused(Cause.SIGNATURE, IMAGE, ESP8266, 2.0)
    assert kept.times == 1
    assert kept.again().facts().signature_required is True


def test_a_delivered_sketch_makes_old_that_was_said_before_it() -> None:
    kept = Kept()
    kept.knowledge.heard(SlotSource.TXT, SAID, 1.0)
    kept.knowledge.refused(Cause.NO_SPACE, IMAGE, ESP8266, 2.0)
    kept.knowledge.refused(Cause.SIGNATURE, IMAGE, ESP8266, 2.0)
    kept.knowledge.delivered(IMAGE, Delivery.ACCEPTED, ESP8266)
    expected = replace(KNOWN, slot_size=None, flash_size=4 << 20, signature_required=True)
    assert kept.facts() == expected
    assert kept.again().knowledge.slot() is None


def test_an_esp32_has_the_slot_it_has_whatever_runs() -> None:
    kept = Kept()
    kept.knowledge.heard(SlotSource.PULL, SAID, 1.0)
    kept.knowledge.delivered(IMAGE, Delivery.ACCEPTED, ChipFamily.ESP32)
    assert kept.facts().slot_size == SAID.slot_size
    assert kept.facts().sketch_md5 is None


def test_files_are_known_only_when_the_module_confirmed_them() -> None:
    kept = Kept()
    kept.knowledge.heard(SlotSource.TXT, SAID, 1.0)
    kept.knowledge.delivered(FILES, Delivery.ACCEPTED, ESP8266)
    assert kept.again().facts().filesystem_sha256 == IMAGE.sha256
    assert kept.facts().sketch_md5 == "a" * 32  # the sketch is the same
    kept.knowledge.delivered(FILES, Delivery.UNCONFIRMED, ESP8266)
    assert kept.again().facts().filesystem_sha256 is None


def test_a_cable_undoes_what_another_sketch_taught() -> None:
    kept = Kept()
    kept.knowledge.heard(SlotSource.TXT, SAID, 1.0)
    kept.knowledge.refused(Cause.SIGNATURE, IMAGE, ESP8266, 2.0)
    kept.knowledge.refused(Cause.NO_SPACE, replace(IMAGE, size=4097), ESP8266, 2.0)
    kept.knowledge.delivered(FILES, Delivery.ACCEPTED, ESP8266)
    assert kept.facts().slot_size == 4096

    kept.knowledge.heard(SlotSource.TXT, replace(SAID, sketch_md5="b" * 32), 3.0)

    facts = kept.facts()
    assert (facts.signature_required, facts.filesystem_sha256) == (None, None)
    assert facts.slot_size == SAID.slot_size
    assert kept.again().facts().signature_required is None


def test_a_store_of_nonsense_is_as_good_as_none() -> None:
    kept = Kept({"slots": [{"size": "?"}, None], "else": 1})
    assert kept.facts() == replace(KNOWN, slot_size=None)


def test_the_area_for_files_in_a_partition_table_is_kept() -> None:
    kept = Kept()
    kept.knowledge.table_read(1 << 20, 1.0, 0x160000)
    assert kept.facts().filesystem_area == kept.again().facts().filesystem_area == 0x160000
    kept.knowledge.table_read(1 << 20, 2.0)
    assert kept.facts().filesystem_area == 0x160000
