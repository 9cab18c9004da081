"""Versions as a person reads them: which is newer, which are the same, and what nobody can tell.

An order that is wrong installs what nobody wanted, so there is none where people would differ.
"""

from dataclasses import dataclass
from functools import lru_cache
import re
from typing import Final

from .words import (
    AFTER,
    PACKAGING,
    REPAIRS,
    STAGES,
    UNRANKED,
    chip_of,
    is_git,
    is_hash,
    is_stamp,
    is_time,
    spelled,
)

_LEAD: Final = re.compile(r"^(?:version|ver|release|v)[\s._-]*(?=\d)")
_PARTS: Final = re.compile(r"[^\s._/,-]+")
_RUNS: Final = re.compile(r"[0-9]+|[^0-9]+")
_DIGITS: Final = re.compile(r"[0-9]{1,18}")
"""No version has a longer number; text from outside must not become one of any size."""
_DATED: Final = 2
"""Numbers before a date that make the date an addition: `2.0-20180322`, but `mega-20230623`."""
_END: Final = (10, "", ())
_STRANGE, _UNRANKED, _AFTER = 15, 5, 20

type _Word = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A version in its parts; the first one in which two differ decides."""

    prefix: tuple[str, ...] = ()
    """Words before the first number: `r` of `r9`."""
    numbers: tuple[int, ...] = ()
    """Without zeros at the end: `1.2` and `1.2.0` are one version."""
    variant: tuple[str, ...] = ()
    """Words behind them that name another build: `audioreactive` is no newer than the plain one."""
    words: tuple[_Word, ...] = ()
    """The other ones, each with its numbers: `rc` 1."""
    ahead: int = 0
    """Commits behind the version, as `git describe` counts them."""
    stamp: tuple[int, ...] = ()
    """Day and time of the build."""
    details: tuple[str, ...] = ()
    """What tells builds apart and not their order: hashes, `dirty`, what follows a `+`."""


class _Reader:
    """Takes the parts of one version, one after the other."""

    def __init__(self) -> None:
        self.prefix: list[str] = []
        self.numbers: list[int] = []
        self.words: list[tuple[str, list[int]]] = []
        self.ahead = 0
        self.stamp: list[int] = []
        self.details: list[str] = []

    def take(self, parts: list[str]) -> None:
        at = 0
        while at < len(parts):
            at += self._take(parts[at], parts[at + 1] if at + 1 < len(parts) else "")

    def _take(self, part: str, behind: str) -> int:
        """Take one part, or two that belong together; return how many."""
        begun = bool(self.numbers)
        if begun and _DIGITS.fullmatch(part) and is_git(behind):
            self.ahead = int(part)
            if self.ahead:  # with 0 it is the version itself
                self.details.append(behind)
            return 2
        if begun and (chip := chip_of(part, behind)) is not None:
            return chip[1]
        if begun and part in PACKAGING:
            return 1
        is_dated = len(self.numbers) >= _DATED and is_stamp(part)
        if is_dated or (self.stamp and is_time(part)):
            self.stamp.append(int(part))
        elif is_hash(part) or (part == "dirty" and begun):
            self.details.append(part)
        else:
            self._take_runs(part)
        return 1

    def _take_runs(self, part: str) -> None:
        for run in _RUNS.findall(part):
            if not _DIGITS.fullmatch(run):
                self._take_word(run)
            elif self.words:
                self.words[-1][1].append(int(run))
            else:
                self.numbers.append(int(run))

    def _take_word(self, word: str) -> None:
        if self.numbers:
            self.words.append((word, []))
        else:
            self.prefix.append(word)

    def version(self) -> Version:
        words = [(spelled(word, alone=not numbers), numbers) for word, numbers in self.words]
        variant = [(word, numbers) for word, numbers in words if not _counts(word)]
        return Version(
            prefix=tuple(self.prefix),
            numbers=_trimmed(self.numbers) if any(self.numbers) else tuple(self.numbers[:1]),
            variant=tuple(str(part) for word, numbers in variant for part in (word, *numbers)),
            words=tuple((word, _trimmed(numbers)) for word, numbers in words if _counts(word)),
            ahead=self.ahead,
            stamp=tuple(self.stamp),
            details=tuple(sorted(self.details)),
        )


def _counts(word: str) -> bool:
    """Whether a word behind the numbers has a place in the order; a letter is a revision."""
    return word == AFTER or word in STAGES or word in UNRANKED | REPAIRS or len(word) == 1


def _trimmed(numbers: list[int]) -> tuple[int, ...]:
    """Return numbers without the zeros at their end."""
    end = max((at + 1 for at, number in enumerate(numbers) if number), default=0)
    return tuple(numbers[:end])


@lru_cache(maxsize=4096)
def read_version(text: str) -> Version:
    """Return a version in its parts."""
    head, _, build = _LEAD.sub("", text.strip().lower()).partition("+")
    reader = _Reader()
    reader.take(_PARTS.findall(head))
    if build:
        reader.details.append(f"+{build}")
    return reader.version()


def same_version(one: str, other: str) -> bool:
    """Whether two texts name the same version, however they are spelt."""
    return one == other or _compare(one, other) == 0


def is_newer(version: str, than: str) -> bool | None:
    """Whether a version is newer than another; None where that cannot be told."""
    if version == than or (order := _compare(version, than)) == 0:
        return False
    return None if order is None else order > 0


def is_prerelease(version: str) -> bool:
    """Whether a version says of itself that it comes before a release: `1.4.0-rc.1`, `nightly`.

    Commits behind a release (`1.4.0-3-gabc1234`) are none of its stages.
    """
    read = read_version(version)
    words = (*(word for word, _ in read.words), *(spelled(w, alone=False) for w in read.prefix))
    return any(word in STAGES or word in UNRANKED for word in words)


def by_version(text: str) -> tuple[object, ...]:
    """Sort key, oldest first: it agrees with the order, and puts the rest somewhere."""
    version = read_version(text)
    words = [(_rank(word), word, numbers) for word, numbers in version.words]
    stamp, numbers = version.stamp, version.numbers
    order = numbers, (*words, _END), version.ahead, stamp
    return bool(numbers), version.prefix, version.variant, order


def differ_for_certain(said: str, label: str) -> bool:
    """Whether what a module says it runs cannot be what a file was labelled as.

    A label often says more than the sketch knows (`rc1`, a date, a commit), and may be of
    another kind: that proves nothing.
    """
    one, other = read_version(said), read_version(label)
    if one.prefix != other.prefix or not (one.numbers and other.numbers):
        return False
    if one.numbers != other.numbers:
        return True
    if _compare(said, label) in {0, None}:
        return False
    pairs = ((one.words, other.words), (one.ahead, other.ahead), (one.stamp, other.stamp))
    return next((bool(a and b) for a, b in pairs if a != b), False)


def says_less(said: str, label: str) -> bool:
    """Whether what a module says is the label without what only tells builds apart."""
    one, other = read_version(said), read_version(label)
    if (one.prefix, one.numbers) != (other.prefix, other.numbers) or not one.numbers:
        return False
    known = len(one.words)
    more = [word for word, _ in other.words[known:]]
    return (
        one.words == other.words[:known]
        and one.variant == other.variant[: len(one.variant)]
        and all(_rank(word) == _STRANGE for word in more)
        and one.ahead in {0, other.ahead}
        and one.stamp in {(), other.stamp}
        and one.details in {(), other.details}
        and one != other
    )


@lru_cache(maxsize=16384)
def _compare(left: str, right: str) -> int | None:
    """Return -1, 0 or 1; None where nobody can tell which is newer."""
    one, other = read_version(left), read_version(right)
    if one == Version() == other:  # nothing but separators
        return None
    if (one.prefix, one.variant) != (other.prefix, other.variant):
        return None
    if bool(one.numbers) != bool(other.numbers):
        return None
    if one.numbers != other.numbers:
        return 1 if one.numbers > other.numbers else -1
    if one.words != other.words:
        return _compare_words(one.words, other.words)
    if one.ahead != other.ahead:
        return 1 if one.ahead > other.ahead else -1
    if one.stamp != other.stamp:
        both = one.stamp and other.stamp
        return (1 if one.stamp > other.stamp else -1) if both else None
    return 0 if one.details == other.details else None


def _compare_words(left: tuple[_Word, ...], right: tuple[_Word, ...]) -> int | None:
    """Compare by the first words in which two versions differ."""
    at = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    if at is None:  # one of them ends here
        at = min(len(left), len(right))
    one, other = _entry(left, at), _entry(right, at)
    letters = all(len(word) == 1 and word not in REPAIRS for word in (one[1], other[1]))
    told = one[1] == other[1] or letters or not {one[0], other[0]} & {_STRANGE, _UNRANKED}
    ends = _END in {one, other} and _UNRANKED in {one[0], other[0]}
    if not (told or ends):
        return None
    return 1 if one > other else -1


def _entry(words: tuple[_Word, ...], at: int) -> tuple[int, str, tuple[int, ...]]:
    if at >= len(words):
        return _END
    word, numbers = words[at]
    return _rank(word), word, numbers


def _rank(word: str) -> int:
    """Return where a word stands to the bare version, which is at 10."""
    if word == AFTER:
        return _AFTER
    return STAGES.get(word, _UNRANKED if word in UNRANKED else _STRANGE)
