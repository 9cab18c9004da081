"""The words of the pre-flight: what is asked, of what, and what the answers are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from ..causes import Cause
from ..models import Image, ImageKind, ModuleFacts


class Check(StrEnum):
    """One question of the pre-flight; the value is its slug in options and documents."""

    __hash__ = str.__hash__  # `Enum` hashes its name in Python, and these are keys

    IMAGE = "image"
    KIND = "kind"
    CHIP = "chip"
    FLASH_SIZE = "flash_size"
    PACKING = "packing"
    FLASH_MODE = "flash_mode"
    SLOT = "slot"
    FILESYSTEM = "filesystem"
    FIRMWARE = "firmware"
    SAME_IMAGE = "same_image"
    VERSION = "version"
    SIGNATURE = "signature"
    PIN = "pin"
    HOLD = "hold"
    CHANNEL = "channel"


class Answer(StrEnum):
    """What a check found."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


class SignatureState(StrEnum):
    """What comparing an image's signature with the key of its firmware gave."""

    UNCHECKED = "unchecked"
    """There is no key for this firmware."""
    ABSENT = "absent"
    INVALID = "invalid"
    VALID = "valid"


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What is to be installed: an image, under which name, and by whose choice."""

    image: Image
    firmware: str
    version: str
    installed: str | None = None
    """The version that runs as the card shows it, which may be assumed only."""
    chosen: bool = False
    """Whether a person named this version and not the offered one, so that going back is meant."""
    wanted: ImageKind = ImageKind.SKETCH
    """What it is to replace on the module."""
    signature: SignatureState = SignatureState.UNCHECKED
    is_lost: bool = False
    """Whether its image is not on the disk any more."""
    is_prerelease: bool = False
    by_rollout: bool = False
    """Whether a rollout brings it: who named its version named it for no module in particular."""
    goes_back: bool = False
    """Whether it ran before, and is put back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """The answer of one check, with the facts its sentence needs."""

    check: Check
    answer: Answer
    cause: Cause | None = None
    """Names the sentence; None where nothing is wrong, or the module itself will tell."""
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def is_certain(self) -> bool:
        """Whether it is known, so that nobody can accept it either."""
        return self.answer is not Answer.UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One check: how it is asked, and what it may say."""

    check: Check
    ask: Callable[[Candidate, ModuleFacts], CheckResult]
    causes: tuple[Cause, ...]
    """What it refuses with."""
    unknown: tuple[Cause, ...] = ()
    """What it asks the person to accept when nobody knows; empty where it never has to ask."""
    by_choice: bool = False
    """Whether naming the version is how the person accepts it, each time anew."""
    left_to_module: bool = False
    """Whether the module itself answers it, before anything is lost, when nobody knows."""


@cache
def valid(check: Check) -> CheckResult:
    """Return that nothing is wrong."""
    return CheckResult(check=check, answer=Answer.VALID)


def unknown(check: Check, cause: Cause | None = None, **facts: object) -> CheckResult:
    """Return that nobody knows; without a cause the module itself will tell."""
    texts = {name: str(value) for name, value in facts.items()}
    return CheckResult(check=check, answer=Answer.UNKNOWN, cause=cause, facts=texts)


def invalid(check: Check, cause: Cause, **facts: object) -> CheckResult:
    """Return that it is wrong."""
    texts = {name: str(value) for name, value in facts.items()}
    return CheckResult(check=check, answer=Answer.INVALID, cause=cause, facts=texts)
