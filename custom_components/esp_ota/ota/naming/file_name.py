"""What the name of a firmware file says: name, version, chip, and whether it is a file system.

`<name>[-_]v?<version>` and what builds add to it. What a person could read in two ways is not
read at all: a wrong guess is worse than none.
"""

from dataclasses import dataclass, field
from itertools import pairwise
import re
from typing import Final

from ..models import Chip
from .version_in_name import find_version
from .words import (
    BEFORE_A_VERSION,
    HINTS_OF_FILES,
    ONLY_OF_FILES,
    PACKAGING,
    SEPARATORS,
    STRONG_FILES,
    board_chip,
    chip_of,
    is_git,
    is_hash,
    is_stage,
    is_stamp,
    is_time,
)

_ENDING: Final = re.compile(r"(?:\.(?:bin|gz|elf|uf2|hex|img|zip))+$", re.IGNORECASE)
_COPY: Final = re.compile(r"(?: ?\(\d{1,3}\)| - copy| copy)+$", re.IGNORECASE)
"""What browsers and desktops add to a second file of the same name."""
_WORD: Final = re.compile(r"([ ._+-]*)([A-Za-z]*\d+(?:\.\d+)+[A-Za-z]*|[^ ._+-]+)")
ANY_WORD: Final = re.compile(r"[^ ._+-]+")
_BUILD: Final = re.compile(
    r"\+[0-9A-Za-z]+(?:\.(?:\d+|(?=[0-9]*[a-f])[0-9a-f]{7,40})(?![0-9A-Za-z]))*"
)
_COUNT: Final = re.compile(r"\d{1,4}")
_AROUND_NAME: Final = PACKAGING - {"app", "final", "full", "stable"}
NAME: Final = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}")
_VERSION: Final = re.compile(r"\w[\w.+-]{0,63}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileName:
    """What one name says; None where it says nothing, or more than one thing."""

    name: str | None = None
    version: str | None = None
    chip: Chip | None = None


type _Word = tuple[str, str]
"""A word behind a version, after the separator before it."""


@dataclass(slots=True)
class _Tail:
    """The words behind a version, sorted by what they are."""

    version: list[str] = field(default_factory=list)
    variants: list[_Word] = field(default_factory=list)


def read_file_name(file_name: str, *, files: bool = False) -> FileName:
    """Return what a file name says; `files` tells that the bytes are a file system."""
    stem = stem_of(file_name)
    chip = _chip_in(stem)
    if (found := find_version(stem)) is None:
        return FileName(chip=chip)
    tail = _sorted(stem[found.end :], files=files)
    name = _name_before(stem[: found.start], files=files)
    joint = found.joint if found.joint in {"-", "_"} else "-"
    if name:
        name += "".join(f"{by if by in {'-', '_'} else joint}{word}" for by, word in tail.variants)
        name = name.replace(" ", "-") if NAME.fullmatch(name.replace(" ", "-")) else None
    version = "".join([found.text, *tail.version]).replace(" ", "-")
    return FileName(
        name=name or None, version=version if _VERSION.fullmatch(version) else None, chip=chip
    )


def stem_of(file_name: str) -> str:
    """Return a file name without its endings, and without what a second copy is marked with."""
    return _COPY.sub("", _ENDING.sub("", file_name.strip())).strip(SEPARATORS)


def hints_at_files(file_name: str) -> bool:
    """Whether a word in a name makes a file system likely."""
    return not HINTS_OF_FILES.isdisjoint(ANY_WORD.findall(stem_of(file_name).lower()))


def says_files(file_name: str) -> bool:
    """Whether a name ends with a word for a file system: `garden-1.2.0.littlefs.bin`."""
    words = ANY_WORD.findall(stem_of(file_name).lower())
    return bool(words) and words[-1] in STRONG_FILES


def _chip_in(stem: str) -> Chip | None:
    """Return the chip that the words of a name agree on."""
    words = [*ANY_WORD.findall(stem.lower()), ""]
    named = {found[0] for word, behind in pairwise(words) if (found := chip_of(word, behind))}
    named = named or {chip for word in words if (chip := board_chip(word)) is not None}
    return named.pop() if len(named) == 1 else None


def _sorted(text: str, *, files: bool) -> _Tail:
    """Sort the words behind a version."""
    tail = _Tail()
    if build := _BUILD.match(text):
        tail.version.append(build[0])
        text = text[build.end() :]
    words = [(by.strip(" ")[:1] or by[:1], word) for by, word in _WORD.findall(text)]
    at = 0
    while at < len(words):
        at += _sort(
            words[at], words[at + 1] if at + 1 < len(words) else ("", ""), tail, files=files
        )
    return tail


def _sort(this: _Word, behind: _Word, tail: _Tail, *, files: bool) -> int:
    """Put one word where it belongs, or two that belong together; return how many."""
    word, next_word = this[1].lower(), behind[1].lower()
    if (chip := chip_of(word, next_word)) is not None:
        return chip[1]
    if word in PACKAGING or (files and word in ONLY_OF_FILES):
        return 1
    pair = (
        (_COUNT.fullmatch(word) and is_git(next_word))
        or (is_stage(word) and word.isalpha() and _COUNT.fullmatch(next_word))
        or (is_stamp(word) and is_time(next_word))
    )
    if pair:
        tail.version += [*this, *behind]
        return 2
    if is_stage(word) or is_stamp(word) or is_hash(word) or word == "dirty":
        tail.version += this
    else:
        tail.variants.append(this)
    return 1


def _name_before(text: str, *, files: bool) -> str | None:
    """Return the name before a version, without what builds put around it."""
    dropped = _AROUND_NAME | BEFORE_A_VERSION | (HINTS_OF_FILES if files else frozenset())
    words = [(found.start(), found[0].lower()) for found in ANY_WORD.finditer(text)]
    while words and (more := _dropped_at_end([word for _, word in words], dropped)):
        text = text[: words[-more][0]]
        del words[-more:]
    leading = {"firmware"} | (HINTS_OF_FILES if files else set())
    if words and words[0][1] in leading:
        text = text[words[1][0] :] if len(words) > 1 else ""
    return text.strip(SEPARATORS) if any(word not in PACKAGING for _, word in words) else None


def _dropped_at_end(words: list[str], dropped: frozenset[str]) -> int:
    """Return how many words at the end of a name are not its own: a chip, a day, packaging."""
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if is_time(last) and is_stamp(before):
        return 2
    if before and (chip := chip_of(before, last)) is not None and chip[1] > 1:
        return 2
    return 1 if chip_of(last) or is_stamp(last) or last in dropped else 0
