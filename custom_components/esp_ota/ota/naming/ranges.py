"""Pins: one version, all that begin alike, or a range, as a person writes them.

`1.2.0` is one version, however it is spelt. `1.2.*` and `1.2.x` are all that begin so. `>=1.2, <2`
are all for which each part holds: `>=`, `>`, `<=`, `<`, and `!=` which leaves one out. The order is
that of versions; what has no order to a bound lies in no range. As PEP 440 has it, `<2` does not
mean what comes before 2 as its pre-release.
"""

from dataclasses import dataclass
from functools import lru_cache
import re
from typing import Final

from .versions import Version, is_newer, is_prerelease, read_version, same_version

_LONGEST: Final = 200
_PART: Final = re.compile(r"(>=|<=|!=|==?|>|<)?\s*([0-9A-Za-z_](?:[\w.+-]*\.\*|[\w.+-]*))")
_BETWEEN: Final = re.compile(r"\s*,\s*|\s+")
_ALIKE: Final = re.compile(r"[vV]?([0-9]{1,9}(?:\.[0-9]{1,9})*)\.[*xX]")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """One condition: `>=`, `>`, `<=`, `<`, `!=`, `==`, or `*` for all that begin so."""

    sign: str
    version: str

    def permits(self, version: str) -> bool:
        wanted = self.version
        match self.sign:
            case "==":
                return same_version(version, wanted)
            case "!=":
                return not same_version(version, wanted)
            case "*":
                return _begins_so(read_version(version), wanted)
            case ">=" | ">":
                is_edge = self.sign == ">=" and same_version(version, wanted)
                return is_edge or is_newer(version, wanted) is True
        if same_version(version, wanted):
            return self.sign == "<="
        comes_before = is_newer(wanted, version) is True
        return comes_before and not (self.sign == "<" and _leads_to(version, wanted))


def _begins_so(version: Version, wanted: str) -> bool:
    """Whether the first numbers are these; another variant is another firmware."""
    if version.prefix or version.variant or not version.numbers:
        return False
    numbers = [int(number) for number in wanted.split(".")]
    return [*version.numbers, *[0] * len(numbers)][: len(numbers)] == numbers


def _leads_to(version: str, wanted: str) -> bool:
    """Whether a version is a pre-release of another one, which is none itself."""
    numbers = read_version(version).numbers, read_version(wanted).numbers
    return numbers[0] == numbers[1] and is_prerelease(version) and not is_prerelease(wanted)


def pin_permits(pin: str, version: str) -> bool:
    """Whether a pin lets a version be installed; a pin that cannot be read names what it says."""
    try:
        parts = _parts(pin)
    except ValueError:
        return same_version(pin, version)
    return all(part.permits(version) for part in parts)


def pinned_version(pin: str) -> str | None:
    """Return the version that a pin names, None where it is a range."""
    try:
        parts = _parts(pin)
    except ValueError:
        return pin
    return parts[0].version if [part.sign for part in parts] == ["=="] else None


def read_pin(text: str) -> str:
    """Return a pin as it is stored; raises ValueError for what is none."""
    text = " ".join(text.split())
    _parts(text)
    return text


@lru_cache(maxsize=256)
def _parts(pin: str) -> tuple[_Part, ...]:
    """Return the conditions of a pin; raises ValueError with the part that cannot be read."""
    if len(pin) > _LONGEST:
        raise ValueError(pin[:_LONGEST])
    found, at = [], 0
    while at < len(pin):
        if (match := _PART.match(pin, at)) is None:
            raise ValueError(pin[at:])
        found.append(_part(match[1] or "==", match[2], match[0]))
        at = match.end()
        if at < len(pin):
            if (between := _BETWEEN.match(pin, at)) is None or between.end() == len(pin):
                raise ValueError(pin[at:])
            at = between.end()
    names = [part for part in found if part.sign == "=="]
    if not found or (names and len(found) > 1):
        raise ValueError(pin)
    return tuple(found)


def _part(sign: str, version: str, text: str) -> _Part:
    """Return one condition; only what has a number can be a bound, or a beginning."""
    sign = "==" if sign == "=" else sign
    if (alike := _ALIKE.fullmatch(version)) is not None and sign == "==":
        return _Part(sign="*", version=alike[1])
    if "*" in version or alike is not None:
        raise ValueError(text)
    if sign not in {"==", "!="} and not read_version(version).numbers:
        raise ValueError(text)
    return _Part(sign=sign, version=version)
