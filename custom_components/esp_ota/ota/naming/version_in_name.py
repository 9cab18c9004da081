"""Where in a name the version stands, and which numbers with dots are none."""

from dataclasses import dataclass
from ipaddress import IPv4Address
import re
from typing import Final

from .words import is_stamp, is_time

_EDGE: Final = r"(?:(?<=[ _+-])|(?<![0-9]\.)(?<=\.)|^)"
"""Behind a separator; a dot behind a digit is in the middle of a number: `core2.7.4`."""
_END: Final = r"(?=[ ._+-]|$)"
_STAGE: Final = r"(?:alpha|beta|preview|pre|rc|dev|snapshot|nightly|post)"
_DOTTED: Final = re.compile(
    rf"{_EDGE}(?:version|ver|v)?"
    rf"(?P<text>(?P<numbers>\d+(?:\.\d+)+)(?:{_STAGE}\d*|[abc]\d+|(?P<letter>[a-z]))?){_END}",
    re.IGNORECASE,
)
_DAY: Final = re.compile(rf"{_EDGE}(?P<text>(20\d\d)([-_])(\d\d)\3(\d\d)){_END}")
_DIGITS: Final = re.compile(rf"{_EDGE}(?P<text>\d{{8}}(?:\d{{4}}|\d{{6}})?){_END}")
_STAGED: Final = re.compile(
    rf"{_EDGE}v(?P<text>\d+(?:[-_.]?{_STAGE}[-_.]?\d*|[abc]\d+)){_END}", re.IGNORECASE
)
_BUILD: Final = re.compile(rf"{_EDGE}(?P<text>build[-_.]?\d+){_END}", re.IGNORECASE)
_BEFORE: Final = re.compile(r"([^ ._+-]+)[ ._+-]*$")
_BEHIND: Final = re.compile(r"[ ._+-]*([^ ._+-]+)")

_UNITS: Final = frozenset(
    {
        "v",
        "mv",
        "kv",
        "a",
        "ma",
        "w",
        "kw",
        "hz",
        "khz",
        "mhz",
        "ghz",
        "kb",
        "mb",
        "gb",
        "mm",
        "cm",
        "inch",
        "in",
    }
)
_UNIT_LETTERS: Final = frozenset("acfghikmsvw")
"""Behind two numbers a letter may be a unit: `1.5A`; behind three it is a revision."""
_OF_PARTS: Final = frozenset({"hardware", "hw", "pcb", "rev", "revision"})
"""A number behind one of these is a board's."""
_OF_OTHERS: Final = frozenset(
    {
        "arduino",
        "board",
        "core",
        "display",
        "eink",
        "epaper",
        "epd",
        "idf",
        "lcd",
        "lwip",
        "oled",
        "sdk",
        "tft",
    }
)
"""A number behind one of these is that part's, where there is another one."""
_BANDS: Final = frozenset({315, 433, 434, 802, 868, 915})
"""MHz of radio modules, and the number of a standard for radio."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A version in a name."""

    text: str
    start: int
    """Where it begins, with a `v` that belongs to it."""
    end: int
    joint: str
    """The separator before it."""


def find_version(stem: str) -> Found | None:
    """Return the version in a name; None when there is none that everybody would see."""
    own: list[re.Match[str]] = []
    others: list[re.Match[str]] = []
    for found in _DOTTED.finditer(stem):
        before = _word(_BEFORE.search(stem[: found.start()]))
        if before in _OF_PARTS or not _is_version(found, stem, before):
            continue
        (others if before in _OF_OTHERS else own).append(found)
    if found_all := own or others:
        return _found(stem, found_all[-1])
    for pattern in (_DAY, _DIGITS, _STAGED, _BUILD):
        if days := [found for found in pattern.finditer(stem) if _is_usable(pattern, found)]:
            return _with_time(stem, days[-1])
    return None


def _is_version(found: re.Match[str], stem: str, before: str) -> bool:
    numbers = [int(number) for number in found["numbers"].split(".")[:5]]
    letter = (found["letter"] or "").lower()
    if len(numbers) == 2 and letter in _UNIT_LETTERS:  # noqa: PLR2004
        return False
    if _word(_BEHIND.match(stem, found.end())) in _UNITS or numbers[0] in _BANDS:
        return False
    is_marked = found.start("text") > found.start()
    return is_marked or not _is_private(numbers)


def _is_private(numbers: list[int]) -> bool:
    """Whether four numbers are an address at home: versions look like others."""
    if len(numbers) != 4 or max(numbers) > 255:  # noqa: PLR2004
        return False
    return IPv4Address(bytes(numbers)).is_private and numbers[0] != 0


def _is_usable(pattern: re.Pattern[str], found: re.Match[str]) -> bool:
    if pattern is _DAY:
        return is_stamp("".join(found.group(2, 4, 5)))
    return pattern is not _DIGITS or is_stamp(found["text"])


def _with_time(stem: str, found: re.Match[str]) -> Found:
    """Take the time that follows a day."""
    day = _found(stem, found)
    if (time := re.compile(r"[-_T](\d{4}|\d{6})" + _END).match(stem, day.end)) is None:
        return day
    if not is_time(time[1]) or not day.text[0].isdigit():
        return day
    return Found(text=day.text + time[0], start=day.start, end=time.end(), joint=day.joint)


def _found(stem: str, found: re.Match[str]) -> Found:
    joint = stem[found.start() - 1 : found.start()]
    return Found(text=found["text"], start=found.start(), end=found.end(), joint=joint)


def _word(found: re.Match[str] | None) -> str:
    return found[1].lower() if found else ""
