"""gzip, where a module unpacks it: less to send, but only when nothing can go wrong.

`Updater.cpp` and `eboot.c` of esp8266/Arduino: a packed sketch is staged right below the file
system and unpacked by the boot loader at the restart, from flash offset 0 upwards. Nobody checks
the content before. `ESP8266HTTPUpdateServer-impl.h` stages lower, as it does not know the size.
`PicoOTA.h` and `ota.c` of arduino-pico stage it in a file instead.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
import hashlib
import re
import time
from typing import Final
import zlib

from ..image import read_staged_from
from ..models import ChipFamily, FlashMode, Image, ImageKind, ModuleFacts

SECTOR: Final = 4096
_FIRST_CORE: Final = (2, 7, 0)
"""Release of esp8266/Arduino whose updater and boot loader both know gzip."""
_LEAST_GAIN: Final = 10
"""Percent; less is not worth a second form of the image on the module's flash."""
_SECONDS: Final = 20.0
"""A sketch of 1 MiB took 0.03 s here, the worst content that was found 3.1 s."""
_BLOCK: Final = 1 << 16
_DEMANDS: Final[dict[FlashMode, frozenset[str]]] = {
    FlashMode.DOUT: frozenset(),
    FlashMode.DIO: frozenset({"address"}),
    FlashMode.QOUT: frozenset({"four lines"}),
    FlashMode.QIO: frozenset({"address", "four lines"}),
}
"""What a flash chip must be able to, and be wired for, beyond reading over two lines: to take the
address over more than one line, and to read over four. Where what runs uses it, it is there."""
_RELEASE: Final = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})([-+.].*)?")


class PackingReason(StrEnum):
    """Why an image is packed, or is sent as it is; the value names the sentence."""

    SMALLER = "smaller"
    ALREADY_PACKED = "already_packed"
    CHIP = "chip"
    FILESYSTEM = "filesystem"
    SIGNED = "signed"
    OLD_CORE = "old_core"
    FLASH_MODE = "flash_mode"
    OVERLAP = "overlap"
    NOT_CERTAIN = "not_certain"
    LITTLE_GAIN = "little_gain"
    TOO_SLOW = "too_slow"


@dataclass(frozen=True, kw_only=True, slots=True)
class PackingAdvice:
    """Whether to pack an image for a module, and why."""

    reason: PackingReason
    facts: dict[str, str] = field(default_factory=dict)
    """Placeholders of the reason's sentence."""

    @property
    def pack(self) -> bool:
        """Whether to send the packed form."""
        return self.reason is PackingReason.SMALLER


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """What to send: the packed form or the one that was given, and why it is this one."""

    data: bytes
    image: Image
    advice: PackingAdvice


def pack_for(data: bytes, image: Image, module: ModuleFacts) -> Packed:
    """Return the form of an image to send to a module. It computes: run it in an executor."""
    advice = may_pack(image, module)
    if not advice.pack:
        return Packed(data=data, image=image, advice=advice)
    try:
        packed_data, packed = pack(data, image)
    except TimeoutError:
        advice = PackingAdvice(reason=PackingReason.TOO_SLOW)
        return Packed(data=data, image=image, advice=advice)
    gain = 100 - packed.size * 100 // image.size
    if advice_now := obstacle(packed, module):
        advice = advice_now
    elif gain < _LEAST_GAIN:
        advice = _advice(PackingReason.LITTLE_GAIN, percent=gain)
    else:
        advice = _advice(
            PackingReason.SMALLER, size=image.size, packed_size=packed.size, percent=gain
        )
        return Packed(data=packed_data, image=packed, advice=advice)
    return Packed(data=data, image=image, advice=advice)


def pack(data: bytes, image: Image, *, seconds: float = _SECONDS) -> tuple[bytes, Image]:
    """Return an image as one gzip member, and its facts; the same bytes give the same.

    Raises TimeoutError when that takes longer than `seconds`.
    """
    deadline = time.monotonic() + seconds
    packer = zlib.compressobj(level=9, wbits=31)
    parts = []
    for at in range(0, len(data), _BLOCK):
        parts.append(packer.compress(data[at : at + _BLOCK]))
        if time.monotonic() > deadline:
            raise TimeoutError
    packed = b"".join([*parts, packer.flush()])
    return packed, replace(
        image,
        packed=True,
        size=len(packed),
        md5=hashlib.md5(packed, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(packed).hexdigest(),
        staged_from=read_staged_from(packed),
    )


def may_pack(image: Image, module: ModuleFacts) -> PackingAdvice:
    """Say whether packing an image for a module is without risk, as far as it shows before."""
    if image.packed:
        return PackingAdvice(reason=PackingReason.ALREADY_PACKED)
    if image.signed or module.signature_required:
        return PackingAdvice(reason=PackingReason.SIGNED)  # of the packed bytes nobody has one
    return (
        flash_mode_risk(image, module)
        or obstacle(image, module)
        or PackingAdvice(reason=PackingReason.SMALLER)
    )


def obstacle(image: Image, module: ModuleFacts) -> PackingAdvice | None:
    """Return what speaks against the packed form of an image on a module, None for nothing."""
    chip = image.chip
    if image.kind is not ImageKind.SKETCH or chip is None:
        return PackingAdvice(reason=PackingReason.FILESYSTEM)
    if chip.family is ChipFamily.ESP32:
        return _advice(PackingReason.CHIP, image_chip=chip)
    if image.packed and image.signed and not module.signature_required:
        # Who does not look for a signature takes its last four bytes for the unpacked size.
        return PackingAdvice(reason=PackingReason.SIGNED)
    if chip.family is ChipFamily.RP2:
        return None  # staged as a file, so nothing overlaps; no header that could be wrong
    return _known_risk(image, module) or _unknown_risk(image, module)


def _known_risk(image: Image, module: ModuleFacts) -> PackingAdvice | None:
    """Return a reason for which an ESP8266 would not start the unpacked sketch."""
    if _has_gzip(module.core_version) is False:
        return _advice(PackingReason.OLD_CORE, core=module.core_version)
    end, staged_at = filesystem_start(module), _staging_address(image, module)
    if end is None or staged_at is None:
        return None
    # Facts of packed images that 0.1.0 stored lack the offset: then nothing may overlap at all.
    staged_from = _sectors(image.plain_size) if image.staged_from is None else image.staged_from
    if _sectors(image.plain_size) > end or (image.packed and staged_from > staged_at):
        return _advice(PackingReason.OVERLAP, plain_size=image.plain_size, staged_at=staged_at)
    return None


def flash_mode_risk(image: Image, module: ModuleFacts) -> PackingAdvice | None:
    """Return whether a packed sketch asks more of an ESP8266's flash chip than what runs does.

    The updater writes the module's own mode into a plain image, and cannot into a packed one.
    """
    chip, asked, used = image.chip, image.flash_mode, module.flash_mode
    if chip is None or chip.family is not ChipFamily.ESP8266 or asked is None or used is None:
        return None
    if _DEMANDS[asked] <= _DEMANDS[used]:
        return None
    return _advice(PackingReason.FLASH_MODE, image_mode=asked, module_mode=used)


def _staging_address(image: Image, module: ModuleFacts) -> int | None:
    """Return the lowest flash offset at which an ESP8266 may stage the packed form."""
    end = filesystem_start(module)
    if end is None or module.sketch_size is None:
        return None
    if module.staged_low:
        return min(_sectors(module.sketch_size) + SECTOR, end)
    # Before it is packed only this much is known: it must fit below the file system at all.
    return end - _sectors(image.size) if image.packed else end


def _unknown_risk(image: Image, module: ModuleFacts) -> PackingAdvice | None:
    """Return what nobody said, by the names of the TXT records that would say it."""
    known = {
        "core": _has_gzip(module.core_version) is not None,
        "flash_mode": image.flash_mode is not None and module.flash_mode is not None,
        "flash_size": module.flash_size is not None,
        "free, sketch_size": filesystem_start(module) is not None,
    }
    if missing := ", ".join(name for name, is_known in known.items() if not is_known):
        return _advice(PackingReason.NOT_CERTAIN, missing=missing)
    return None


def filesystem_start(module: ModuleFacts) -> int | None:
    """Return the flash offset up to which an ESP8266 stages, as `ESP.getFreeSketchSpace` has it."""
    if module.slot_size is None or module.sketch_size is None or not module.slot_stated:
        return None
    return _sectors(module.sketch_size) + module.slot_size


def _has_gzip(core_version: str | None) -> bool | None:
    """Whether the core of what runs unpacks; builds from between two releases count as older."""
    if core_version is None or (found := _RELEASE.fullmatch(core_version)) is None:
        return None
    release = (int(found[1]), int(found[2]), int(found[3]))
    return release > _FIRST_CORE or (release == _FIRST_CORE and found[4] is None)


def _sectors(size: int) -> int:
    """Return a size as the flash takes it, in whole sectors."""
    return (size + SECTOR - 1) // SECTOR * SECTOR


def _advice(reason: PackingReason, **facts: object) -> PackingAdvice:
    return PackingAdvice(reason=reason, facts={name: str(value) for name, value in facts.items()})
