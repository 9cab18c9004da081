"""The words in names and versions of firmware, by what they mean to a person."""

from datetime import datetime
import re
from typing import Final

from ..models import Chip
from ..module import chip_from_text

SEPARATORS: Final = " ._-"

PACKAGING: Final = frozenset(
    {
        "app",
        "bin",
        "factory",
        "final",
        "firmware",
        "full",
        "gz",
        "ino",
        "ota",
        "release",
        "stable",
        "update",
    }
)
"""What a build or a web page adds to a name; it says nothing of the firmware."""
STRONG_FILES: Final = frozenset(
    {"ffat", "fatfs", "filesystem", "littlefs", "mkfatfs", "mklittlefs", "mkspiffs", "spiffs"}
)
"""At the end of a name they say that it is a file system."""
HINTS_OF_FILES: Final = STRONG_FILES | {"fs"}
"""Anywhere between separators they make it likely."""
ONLY_OF_FILES: Final = HINTS_OF_FILES | {"data", "fat"}
"""Where it is known to be a file system, these are no part of its firmware's name."""
BEFORE_A_VERSION: Final = frozenset({"rel", "release", "v", "ver", "version"})

STAGES: Final = {"dev": 0, "alpha": 1, "beta": 2, "rc": 3}
"""What comes before a release, in this order: the one of PEP 440."""
UNRANKED: Final = frozenset({"nightly", "pre", "snapshot"})
"""They come before the release as well; whether before its `rc1`, nobody can tell."""
AFTER: Final = "post"
REPAIRS: Final = frozenset({"build", "fix", "hotfix", "p", "patch", "r", "rev", "sp", "svn"})
"""Words of a version that count; any other one names a variant, with other pins or parts."""
_SPELLINGS: Final = {"a": "alpha", "b": "beta", "c": "rc", "preview": "pre"}

_STAGE: Final = re.compile(
    r"[ab]\d+|(?:alpha|beta|rc|pre|preview|dev|snapshot|nightly|post|build)\d*"
)
_HASH: Final = re.compile(r"g[0-9a-f]{6,40}|(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,40}")
_GIT: Final = re.compile(r"g[0-9a-f]{4,40}")
_STAMP: Final = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?")
_BOARDS: Final = {
    "d1mini": Chip.ESP8266,
    "esp01": Chip.ESP8266,
    "esp01s": Chip.ESP8266,
    "esp02": Chip.ESP8266,
    "esp12e": Chip.ESP8266,
    "esp12f": Chip.ESP8266,
    "esp8285": Chip.ESP8266,
    "nodemcu": Chip.ESP8266,
    "nodemcuv2": Chip.ESP8266,
    "esp32cam": Chip.ESP32,
    "esp32dev": Chip.ESP32,
    "pico": Chip.RP2040,
    "picow": Chip.RP2040,
    "pico2": Chip.RP2350,
    "pico2w": Chip.RP2350,
    "rpipico": Chip.RP2040,
    "rpipicow": Chip.RP2040,
    "rpipico2": Chip.RP2350,
    "rpipico2w": Chip.RP2350,
}
"""Boards whose name leaves no choice of chip. They differ in more, so they stay in the name."""


def chip_of(word: str, behind: str = "") -> tuple[Chip, int] | None:
    """Return the chip that words name by itself, and how many of the two: `ESP32` `S3`."""
    if (both := chip_from_text(word + behind)) is not None and behind:
        return both, 2
    if (one := chip_from_text(word)) is not None:
        return one, 1
    return None


def board_chip(word: str) -> Chip | None:
    """Return the chip of a board; the word says more than that."""
    return _BOARDS.get(word)


def spelled(word: str, *, alone: bool) -> str:
    """Return the long form of a word for a stage; a letter is one with a number behind it."""
    return word if alone and len(word) == 1 else _SPELLINGS.get(word, word)


def is_stage(word: str) -> bool:
    """Whether a word says how far a version is: `rc1`, `beta`, `build57`; `b` is a letter."""
    return _STAGE.fullmatch(word) is not None


def is_hash(word: str) -> bool:
    """Whether a word is the hash of a commit, which tells versions apart but not their order."""
    return _HASH.fullmatch(word) is not None


def is_git(word: str) -> bool:
    """Whether a word is what `git describe` puts behind its number."""
    return _GIT.fullmatch(word) is not None


def is_stamp(word: str) -> bool:
    """Whether digits are a day, or a day and a time, that a calendar knows."""
    form = _STAMP.get(len(word))
    if form is None or not (word.isascii() and word.isdecimal()) or word[:2] not in {"19", "20"}:
        return False
    try:
        datetime.strptime(word, form)  # noqa: DTZ007 - only whether there is such a day
    except ValueError:
        return False
    return True


def is_time(word: str) -> bool:
    """Whether digits behind a day are its time: `1230`, `123059`."""
    return _TIME.fullmatch(word) is not None
