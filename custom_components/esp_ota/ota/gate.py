"""Pre-flight: does this image belong on this module? Pure comparisons of facts, no I/O.

Each check answers VALID, INVALID or UNKNOWN. INVALID refuses. UNKNOWN refuses too, unless the
person accepted that check for this module once, or the module itself answers it before it
takes the first byte (the slot).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .exceptions import InstallRefused
from .models import Cause, ChipFamily, Image, ImageKind, ModuleFacts


class Check(StrEnum):
    """One question of the pre-flight; the value is its slug in options and documents."""

    KIND = "kind"
    CHIP = "chip"
    PACKING = "packing"
    SLOT = "slot"
    FIRMWARE = "firmware"
    SAME_IMAGE = "same_image"
    VERSION = "version"


class Answer(StrEnum):
    """What a check found."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What is to be installed: an image, under which name, and by whose choice."""

    image: Image
    firmware: str
    version: str
    older: bool = False
    """Whether the version is older than the one that runs."""
    chosen: bool = False
    """Whether the person named this very version, so that going back is meant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """The answer of one check, with the facts its sentence needs."""

    check: Check
    answer: Answer
    cause: Cause | None = None
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Preflight:
    """All answers, and what the person accepted as unknown."""

    results: tuple[CheckResult, ...]
    accepted: frozenset[Check] = frozenset()

    @property
    def refusal(self) -> CheckResult | None:
        """The first answer that forbids the install, None when it may begin."""
        for result in self.results:
            if result.answer is Answer.INVALID:
                return result
        for result in self.results:
            if (
                result.answer is Answer.UNKNOWN
                and result.check not in self.accepted
                and result.check is not Check.SLOT
            ):
                return result
        return None

    def raise_for_refusal(self) -> None:
        """Raise InstallRefused with the cause of the first refusal, if there is one."""
        if (refusal := self.refusal) is None:
            return
        if refusal.answer is Answer.UNKNOWN:
            raise InstallRefused(Cause.NOT_CERTAIN, check=refusal.check, **refusal.facts)
        assert refusal.cause is not None
        raise InstallRefused(refusal.cause, **refusal.facts)


def preflight(
    candidate: Candidate, module: ModuleFacts, accepted: frozenset[Check] = frozenset()
) -> Preflight:
    """Ask every check about one candidate and one module."""
    results = tuple(question(candidate, module) for question in _QUESTIONS)
    return Preflight(results=results, accepted=accepted)


def _valid(check: Check) -> CheckResult:
    return CheckResult(check=check, answer=Answer.VALID)


def _unknown(check: Check, **facts: object) -> CheckResult:
    texts = {name: str(value) for name, value in facts.items()}
    return CheckResult(check=check, answer=Answer.UNKNOWN, facts=texts)


def _invalid(check: Check, cause: Cause, **facts: object) -> CheckResult:
    texts = {name: str(value) for name, value in facts.items()}
    return CheckResult(check=check, answer=Answer.INVALID, cause=cause, facts=texts)


def _kind(candidate: Candidate, _module: ModuleFacts) -> CheckResult:
    """Only sketches are installed so far; a filesystem image would overwrite one."""
    if candidate.image.kind is not ImageKind.SKETCH:
        return _invalid(Check.KIND, Cause.WRONG_KIND, kind=candidate.image.kind)
    return _valid(Check.KIND)


def _chip(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Compare chips; where only the family is known, a family of one chip is enough."""
    chip = candidate.image.chip
    known = module.chip or module.family
    if chip is None:  # nothing in a filesystem image tells
        return _valid(Check.CHIP)
    if known is None:
        return _unknown(Check.CHIP, image_chip=chip)
    if chip.family is not (module.chip.family if module.chip else module.family):
        return _invalid(Check.CHIP, Cause.WRONG_CHIP, image_chip=chip, module_chip=known)
    if module.chip is None and chip.family is not ChipFamily.ESP8266:
        return _unknown(Check.CHIP, image_chip=chip)
    if module.chip is not None and module.chip is not chip:
        return _invalid(Check.CHIP, Cause.WRONG_CHIP, image_chip=chip, module_chip=known)
    return _valid(Check.CHIP)


def _packing(candidate: Candidate, _module: ModuleFacts) -> CheckResult:
    """ESP32 cores do not unpack; ESP8266 only from core 2.7 on, which nothing tells us yet."""
    chip = candidate.image.chip
    if not candidate.image.packed or chip is None:
        return _valid(Check.PACKING)
    if chip.family is ChipFamily.ESP32:
        return _invalid(Check.PACKING, Cause.GZIP_UNSUPPORTED, image_chip=chip)
    if chip.family is ChipFamily.ESP8266:
        return _unknown(Check.PACKING, image_chip=chip)
    return _valid(Check.PACKING)


def _slot(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Compare with the slot; where it is unknown the module answers before the first byte."""
    if module.slot_size is None:
        return _unknown(Check.SLOT, size=candidate.image.size)
    if candidate.image.size > module.slot_size:
        return _invalid(
            Check.SLOT, Cause.TOO_LARGE, size=candidate.image.size, slot=module.slot_size
        )
    return _valid(Check.SLOT)


def _firmware(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Another firmware's name on the module means another sketch, with other pins."""
    marker = candidate.image.marker
    if marker is not None and marker.name != candidate.firmware:
        return _invalid(
            Check.FIRMWARE,
            Cause.OTHER_FIRMWARE,
            image=marker.name,
            module_firmware=candidate.firmware,
        )
    if module.firmware is None:
        return _unknown(Check.FIRMWARE, firmware=candidate.firmware)
    if module.firmware != candidate.firmware:
        return _invalid(
            Check.FIRMWARE,
            Cause.OTHER_FIRMWARE,
            image=candidate.firmware,
            module_firmware=module.firmware,
        )
    return _valid(Check.FIRMWARE)


def _same_image(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Refuse the very bytes that run: sending them restarts the module for nothing."""
    if module.sketch_md5 is not None and module.sketch_md5 == candidate.image.plain_md5:
        return _invalid(Check.SAME_IMAGE, Cause.SAME_IMAGE, version=candidate.version)
    return _valid(Check.SAME_IMAGE)


def _version(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Go back only when the person named the version."""
    if candidate.older and not candidate.chosen:
        return _invalid(
            Check.VERSION, Cause.DOWNGRADE, version=candidate.version, installed=module.version
        )
    return _valid(Check.VERSION)


_QUESTIONS: Final[tuple[Callable[[Candidate, ModuleFacts], CheckResult], ...]] = (
    _kind,
    _chip,
    _packing,
    _slot,
    _firmware,
    _same_image,
    _version,
)
