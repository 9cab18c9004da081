"""Whom to believe about how large a sketch a module takes."""

from typing import Any

import pytest

from custom_components.esp_ota.ota import ChipFamily, SlotKnowledge, SlotSource
from custom_components.esp_ota.ota.preflight.slot import believed, outlives_sketch

PULL, TXT, TYPED, MERGED, REFUSAL = (
    SlotSource.PULL,
    SlotSource.TXT,
    SlotSource.TYPED,
    SlotSource.MERGED,
    SlotSource.REFUSAL,
)


def says(source: SlotSource, size: int, at: float = 0.0) -> SlotKnowledge:
    """Return one statement."""
    return SlotKnowledge(source=source, size=size, at=at)


@pytest.mark.parametrize(
    ("statements", "size"),
    [
        ([], None),
        # What runs knows best, the newest of it
        ([says(PULL, 100, 1), says(TXT, 200, 2)], 200),
        ([says(PULL, 100, 3), says(TXT, 200, 2)], 100),
        ([says(TXT, 100, 1), says(TXT, 200, 2)], 200),
        ([says(TXT, 100, 1), says(TYPED, 900), says(MERGED, 800, 9)], 100),
        # Then the person, who corrects what was concluded
        ([says(TYPED, 900), says(MERGED, 800, 9), says(REFUSAL, 50, 9)], 900),
        # Then a partition table
        ([says(MERGED, 800, 1)], 800),
        # A refusal counts alone, or after what it contradicts
        ([says(REFUSAL, 50, 1)], 50),
        ([says(MERGED, 800, 1), says(REFUSAL, 700, 2)], 700),
        ([says(TXT, 800, 1), says(REFUSAL, 700, 2)], 700),
        ([says(TXT, 800, 3), says(REFUSAL, 700, 2)], 800),
        ([says(TXT, 800, 1), says(REFUSAL, 900, 2)], 800),
        ([says(REFUSAL, 900, 1), says(REFUSAL, 700, 2)], 700),
    ],
)
def test_one_statement_wins(statements: list[SlotKnowledge], size: int | None) -> None:
    for order in (statements, statements[::-1]):
        found = believed(order)
        assert (found.size if found else None) == size


@pytest.mark.parametrize(
    ("family", "refused", "left"),
    [
        (ChipFamily.ESP8266, 500_000, 499_712),
        (ChipFamily.ESP8266, 499_713, 499_712),
        (ChipFamily.ESP8266, 499_712, 495_616),
        (ChipFamily.ESP8266, 1, 0),
        (ChipFamily.ESP32, 500_000, 499_999),
        (ChipFamily.RP2, 500_000, 499_999),
        (None, 500_000, 499_999),
        (ChipFamily.ESP32, 0, 0),
    ],
)
def test_a_refused_image_leaves_room_for_less(
    family: ChipFamily | None, refused: int, left: int
) -> None:
    """An ESP8266 rounds up to sectors of 4,096 bytes before it compares."""
    assert SlotKnowledge.from_refusal(refused, family, 7.0) == says(REFUSAL, left, 7.0)


@pytest.mark.parametrize("source", SlotSource)
def test_only_what_runs_can_be_calculated_with(source: SlotSource) -> None:
    assert says(source, 1).stated is (source in {PULL, TXT})


@pytest.mark.parametrize("source", SlotSource)
@pytest.mark.parametrize("family", [*ChipFamily, None])
def test_another_sketch_leaves_other_room_except_on_an_esp32(
    source: SlotSource, family: ChipFamily | None
) -> None:
    fixed = family is ChipFamily.ESP32 or source in {TYPED, MERGED}
    assert outlives_sketch(says(source, 1), family) is fixed


@pytest.mark.parametrize(
    "stored",
    [
        None,
        7,
        {},
        {"size": 1, "source": "pull"},
        {"size": "many", "source": "pull", "at": 1},
        {"size": 1, "source": "hearsay", "at": 1},
        {"size": 1, "source": "pull", "at": None},
    ],
)
def test_what_is_not_understood_in_a_store_is_nothing(stored: Any) -> None:
    assert SlotKnowledge.from_stored(stored) is None


def test_what_was_stored_is_known_again() -> None:
    stored = {"size": 500, "source": "refusal", "at": 12.5}
    assert SlotKnowledge.from_stored(stored) == says(REFUSAL, 500, 12.5)
