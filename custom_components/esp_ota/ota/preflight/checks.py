"""The questions of the pre-flight: pure comparisons of an image with a module, no I/O.

Each check answers VALID, INVALID or UNKNOWN. `RULES` is the one list of them, which the gate
asks and `docs/preflight.md` is made from.
"""

from typing import Final

from ..causes import Cause
from ..details import mistaken_kind
from ..models import ChipFamily, Image, ImageKind, ModuleFacts
from ..naming import is_newer, same_version
from .answers import (
    Candidate,
    Check,
    CheckResult,
    Rule,
    SignatureState,
    invalid,
    unknown,
    valid,
)
from .bounds import ask_channel, ask_hold, ask_pin
from .filesystem_area import (
    LITTLEFS_OF_ESP8266,
    LONGEST_NAME_OF_ESP8266,
    block_of_esp8266,
    filesystem_areas,
)
from .packing import PackingReason, flash_mode_risk, obstacle


def _kind(candidate: Candidate, _module: ModuleFacts) -> CheckResult:
    """Tell a sketch from a file system: each would destroy the other in its place."""
    kind, wanted = candidate.image.kind, candidate.wanted
    if kind is not wanted:
        return invalid(Check.KIND, Cause.WRONG_KIND, detail=mistaken_kind(kind))
    return valid(Check.KIND)


def _image(candidate: Candidate, _module: ModuleFacts) -> CheckResult:
    """Refuse what the library knows and has no image of any more."""
    if not candidate.is_lost:
        return valid(Check.IMAGE)
    facts = {"firmware": candidate.firmware, "version": candidate.version}
    return invalid(Check.IMAGE, Cause.IMAGE_MISSING, **facts)


def _chip(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Compare chips; a family of one chip is enough. File systems are for none."""
    chip = candidate.image.chip
    known = module.chip or module.family
    if chip is None:
        return valid(Check.CHIP)
    if known is None:
        return unknown(Check.CHIP, Cause.NOT_CERTAIN_CHIP, image_chip=chip)
    if chip.family is not (module.chip.family if module.chip else module.family):
        return invalid(Check.CHIP, Cause.WRONG_CHIP, image_chip=chip, module_chip=known)
    if module.chip is None and chip.family is not ChipFamily.ESP8266:
        return unknown(Check.CHIP, Cause.NOT_CERTAIN_CHIP, image_chip=chip)
    if module.chip is not None and module.chip is not chip:
        return invalid(Check.CHIP, Cause.WRONG_CHIP, image_chip=chip, module_chip=known)
    return valid(Check.CHIP)


def _flash_size(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Refuse an ESP8266 sketch built for more flash than there is: it could not be updated again.

    Where the module's flash is unknown, its updater compares it itself, unless the image is
    packed; then it is among the questions of the packing.
    """
    image = candidate.image
    if image.flash_size is None or image.chip is None:
        return valid(Check.FLASH_SIZE)
    if image.chip.family is not ChipFamily.ESP8266:
        return valid(Check.FLASH_SIZE)  # the boot loader's header counts there, not the image's
    if module.flash_size is None:
        return unknown(Check.FLASH_SIZE, image_flash=image.flash_size)
    if image.flash_size > module.flash_size:
        return invalid(
            Check.FLASH_SIZE,
            Cause.FLASH_SIZE,
            image_flash=image.flash_size,
            module_flash=module.flash_size,
        )
    return valid(Check.FLASH_SIZE)


_PACKED_CAUSES: Final = {
    PackingReason.CHIP: Cause.GZIP_UNSUPPORTED,
    PackingReason.FILESYSTEM: Cause.GZIP_FILESYSTEM,
    PackingReason.OLD_CORE: Cause.GZIP_OLD_CORE,
    PackingReason.OVERLAP: Cause.GZIP_OVERLAP,
    PackingReason.SIGNED: Cause.GZIP_SIGNED,
}


def _packing(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Refuse a gzip image unless the module's boot loader, which checks nothing, can unpack it."""
    if not candidate.image.packed or (found := obstacle(candidate.image, module)) is None:
        return valid(Check.PACKING)
    if found.reason is PackingReason.NOT_CERTAIN:
        return unknown(Check.PACKING, Cause.NOT_CERTAIN_PACKING, **found.facts)
    return invalid(Check.PACKING, _PACKED_CAUSES[found.reason], **found.facts)


def _flash_mode(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Ask before a gzip image makes an ESP8266 read its flash in a more demanding mode.

    A less demanding one is safe: DOUT works wherever DIO does, DIO wherever QIO does.
    """
    image = candidate.image
    if not image.packed or (found := flash_mode_risk(image, module)) is None:
        return valid(Check.FLASH_MODE)
    return unknown(Check.FLASH_MODE, Cause.GZIP_FLASH_MODE, **found.facts)


def _slot(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Compare sizes; where the free slot is unknown, the module tells before it begins.

    The area of a file system is another one, which no module states.
    """
    image = candidate.image
    if module.slot_size is None or image.kind is not ImageKind.SKETCH:
        return unknown(Check.SLOT, size=image.size)
    if image.size > module.slot_size:
        return invalid(Check.SLOT, Cause.TOO_LARGE, size=image.size, slot=module.slot_size)
    return valid(Check.SLOT)


def _filesystem(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Refuse files that the module's core cannot mount, and ask where area or blocks are others.

    A module that cannot mount its file system mostly formats it, and all files are lost.
    """
    image = candidate.image
    if image.kind is not ImageKind.FILESYSTEM:
        return valid(Check.FILESYSTEM)
    family = module.chip.family if module.chip else module.family
    version = image.filesystem_version
    if version and family is ChipFamily.ESP8266 and _numbers(version) > LITTLEFS_OF_ESP8266:
        return invalid(Check.FILESYSTEM, Cause.LITTLEFS_VERSION, version=version)
    names = image.filesystem_longest_name
    if names and family is ChipFamily.ESP8266 and names > LONGEST_NAME_OF_ESP8266:
        return invalid(Check.FILESYSTEM, Cause.LITTLEFS_NAMES, names=names)
    areas, size = filesystem_areas(module), image.filesystem_size
    if size is None:
        return valid(Check.FILESYSTEM)
    if areas and size not in areas:
        area = " / ".join(str(size) for size in sorted(areas))
        return unknown(Check.FILESYSTEM, Cause.FILESYSTEM_AREA, size=size, area=area)
    block, wanted = image.filesystem_block, block_of_esp8266(size)
    if block and family is ChipFamily.ESP8266 and block != wanted:
        facts = {"size": size, "block": block, "wanted": wanted}
        return unknown(Check.FILESYSTEM, Cause.FILESYSTEM_BLOCK, **facts)
    return valid(Check.FILESYSTEM)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _firmware(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Refuse another firmware: it is another sketch, with other pins."""
    marker = candidate.image.marker
    if marker is not None and marker.name != candidate.firmware:
        return invalid(
            Check.FIRMWARE,
            Cause.OTHER_FIRMWARE,
            image=marker.name,
            module_firmware=candidate.firmware,
        )
    if module.firmware is None:
        return unknown(Check.FIRMWARE, Cause.NOT_CERTAIN_FIRMWARE, firmware=candidate.firmware)
    if module.firmware != candidate.firmware:
        return invalid(
            Check.FIRMWARE,
            Cause.OTHER_FIRMWARE,
            image=candidate.firmware,
            module_firmware=module.firmware,
        )
    return valid(Check.FIRMWARE)


def _same_image(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Refuse the very bytes that run: sending them restarts the module for nothing.

    A file system is written to by its sketch: who names a version wants it as it was delivered.
    """
    image = candidate.image
    if image.kind is ImageKind.SKETCH:
        same = module.sketch_md5 is not None and module.sketch_md5 == image.plain_md5
    else:
        same = module.filesystem_sha256 == image.sha256 and not candidate.chosen
    if same:
        return invalid(Check.SAME_IMAGE, Cause.SAME_IMAGE, version=candidate.version)
    return valid(Check.SAME_IMAGE)


def _version(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Go back only when the person named the version; where the two have no order, as well.

    File systems have none. Naming the version is the only way to accept it.
    """
    version, installed = candidate.version, candidate.installed or module.version
    if candidate.image.kind is not ImageKind.SKETCH or installed is None:
        return valid(Check.VERSION)
    newer = is_newer(version, installed)
    if newer is None:
        cause = None if candidate.chosen else Cause.NOT_CERTAIN_VERSION
        return unknown(Check.VERSION, cause, version=version, installed=installed)
    if not (newer or candidate.chosen or same_version(version, installed)):
        return invalid(Check.VERSION, Cause.DOWNGRADE, version=version, installed=installed)
    return valid(Check.VERSION)


def _signature(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Ask for a signature where the firmware has a key, or the module takes no unsigned image.

    The first signed image is asked about: once it runs, the module may take no unsigned one.
    """
    image = candidate.image
    if candidate.signature is SignatureState.INVALID:
        return invalid(Check.SIGNATURE, Cause.SIGNATURE_INVALID, firmware=candidate.firmware)
    if candidate.signature is SignatureState.ABSENT:
        return invalid(Check.SIGNATURE, Cause.SIGNATURE_MISSING, firmware=candidate.firmware)
    if module.signature_required and not image.signed and _is_verified(image, module):
        return invalid(Check.SIGNATURE, Cause.UNSIGNED_IMAGE)
    locks = image.signed and image.kind is ImageKind.SKETCH
    if locks and not module.signature_required:
        return unknown(Check.SIGNATURE, Cause.NOT_CERTAIN_SIGNATURE)
    return valid(Check.SIGNATURE)


def _is_verified(image: Image, module: ModuleFacts) -> bool:
    """Whether an updater that verifies looks at this kind: only an ESP8266 at file systems too."""
    family = module.chip.family if module.chip else module.family
    return image.kind is ImageKind.SKETCH or family is ChipFamily.ESP8266


RULES: Final = (
    Rule(check=Check.IMAGE, ask=_image, causes=(Cause.IMAGE_MISSING,)),
    Rule(check=Check.KIND, ask=_kind, causes=(Cause.WRONG_KIND,)),
    Rule(
        check=Check.CHIP,
        ask=_chip,
        causes=(Cause.WRONG_CHIP,),
        unknown=(Cause.NOT_CERTAIN_CHIP,),
    ),
    Rule(check=Check.FLASH_SIZE, ask=_flash_size, causes=(Cause.FLASH_SIZE,), left_to_module=True),
    Rule(
        check=Check.PACKING,
        ask=_packing,
        causes=tuple(_PACKED_CAUSES.values()),
        unknown=(Cause.NOT_CERTAIN_PACKING,),
    ),
    Rule(
        check=Check.FLASH_MODE,
        ask=_flash_mode,
        causes=(),
        unknown=(Cause.GZIP_FLASH_MODE,),
    ),
    Rule(check=Check.SLOT, ask=_slot, causes=(Cause.TOO_LARGE,), left_to_module=True),
    Rule(
        check=Check.FILESYSTEM,
        ask=_filesystem,
        causes=(Cause.LITTLEFS_VERSION, Cause.LITTLEFS_NAMES),
        unknown=(Cause.FILESYSTEM_AREA, Cause.FILESYSTEM_BLOCK),
    ),
    Rule(
        check=Check.FIRMWARE,
        ask=_firmware,
        causes=(Cause.OTHER_FIRMWARE,),
        unknown=(Cause.NOT_CERTAIN_FIRMWARE,),
    ),
    Rule(check=Check.SAME_IMAGE, ask=_same_image, causes=(Cause.SAME_IMAGE,)),
    Rule(
        check=Check.VERSION,
        ask=_version,
        causes=(Cause.DOWNGRADE,),
        unknown=(Cause.NOT_CERTAIN_VERSION,),
        by_choice=True,
    ),
    Rule(
        check=Check.SIGNATURE,
        ask=_signature,
        causes=(Cause.SIGNATURE_INVALID, Cause.SIGNATURE_MISSING, Cause.UNSIGNED_IMAGE),
        unknown=(Cause.NOT_CERTAIN_SIGNATURE,),
    ),
    Rule(check=Check.PIN, ask=ask_pin, causes=(Cause.PINNED,)),
    Rule(check=Check.HOLD, ask=ask_hold, causes=(Cause.HELD,)),
    Rule(check=Check.CHANNEL, ask=ask_channel, causes=(Cause.CHANNEL,)),
)

ACCEPTABLE: Final = tuple(rule.check for rule in RULES if rule.unknown and not rule.by_choice)
"""The checks that may answer "cannot tell" and be accepted once for a module."""
