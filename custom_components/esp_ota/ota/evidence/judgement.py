"""What a statement heard after the restart proves about an install."""

from dataclasses import replace

from ..causes import Cause
from ..models import Chip, Image, ImageKind, InstallResult, ModuleFacts, Sighting, Verdict
from ..naming import differ_for_certain, name_says_less, same_name, same_version, says_less
from ..preflight import Candidate


def is_proof(sighting: Sighting, candidate: Candidate, before: ModuleFacts) -> bool:
    """Whether this one statement proves that the candidate runs now."""
    return judge(sighting, candidate, before).verdict is Verdict.VERIFIED


def judge(sighting: Sighting | None, candidate: Candidate, before: ModuleFacts) -> InstallResult:
    """Return the verdict for the best statement heard since the module came back.

    A version that was there before as well proves nothing: it may be the old image. Nor does one
    that is only spelt differently from the file's, or that says less than it.
    """
    of_files = candidate.image.kind is ImageKind.FILESYSTEM
    if sighting is None:
        return InstallResult(verdict=Verdict.UNVERIFIED, of_files=of_files)
    if before.mac and sighting.mac and sighting.mac != before.mac:
        return InstallResult(
            verdict=Verdict.FAILED,
            cause=Cause.WRONG_MODULE,
            facts={"expected": before.mac, "found": sighting.mac},
        )
    if of_files:
        return InstallResult(verdict=Verdict.UNVERIFIED, of_files=True)
    if (result := _judge_md5(sighting, candidate, before)) is not None:
        return result
    if sighting.version is None:
        return InstallResult(verdict=Verdict.UNVERIFIED)
    return _judge_version(sighting, sighting.version, candidate, before)


def _judge_version(
    sighting: Sighting, said: str, candidate: Candidate, before: ModuleFacts
) -> InstallResult:
    """Return the verdict for the name and version that a module says it runs."""
    was_there = before.version is not None and same_version(said, before.version)
    wanted, unproven = candidate.version, InstallResult(verdict=Verdict.UNVERIFIED, version=said)
    is_named = _is_named(sighting, candidate.firmware)
    if is_named or name_says_less(sighting.firmware or "", candidate.firmware):
        if same_version(said, wanted):
            proven = is_named and not was_there
            return replace(unproven, verdict=Verdict.VERIFIED) if proven else unproven
        if says_less(said, wanted) or not (was_there or differ_for_certain(said, wanted)):
            return unproven
    if was_there and (before.firmware is None or _is_named(sighting, before.firmware)):
        return _unchanged(sighting, candidate, Cause.OLD_VERSION_BACK)
    return _other(sighting, candidate)


def _is_named(sighting: Sighting, firmware: str) -> bool:
    """Whether a module says that it runs this firmware, or does not say which."""
    return sighting.firmware is None or same_name(sighting.firmware, firmware)


def _judge_md5(
    sighting: Sighting, candidate: Candidate, before: ModuleFacts
) -> InstallResult | None:
    """Return the verdict for the sum of what runs, None where it leaves that open."""
    if sighting.sketch_md5 is None:
        return None
    if sighting.sketch_md5 == candidate.image.plain_md5:
        version = sighting.version or candidate.version
        return InstallResult(verdict=Verdict.VERIFIED, version=version)
    if sighting.sketch_md5 == before.sketch_md5:
        return _unchanged(sighting, candidate, Cause.OLD_FIRMWARE_BACK)
    if _is_rewritten(candidate.image, before):
        return None
    return _other(sighting, candidate, by_sum=True)


def _is_rewritten(image: Image, module: ModuleFacts) -> bool:
    """Whether a module may run this image with another sum than its file has.

    The ESP8266's updater writes the module's own flash mode into a plain image (`Updater.cpp`,
    `_writeBuffer`).
    """
    if image.chip is not Chip.ESP8266 or image.packed:
        return False
    return image.flash_mode is None or image.flash_mode is not module.flash_mode


def _unchanged(sighting: Sighting, candidate: Candidate, cause: Cause) -> InstallResult:
    """Return that the old image is back, for certain by its sum only.

    A label alone is the old one also where new bytes were built with it.
    """
    return InstallResult(
        verdict=Verdict.UNCHANGED,
        cause=cause,
        facts={"version": candidate.version, "installed": sighting.version or "?"},
        version=sighting.version,
    )


def _other(sighting: Sighting, candidate: Candidate, *, by_sum: bool = False) -> InstallResult:
    found = " ".join(text for text in (sighting.firmware, sighting.version) if text)
    return InstallResult(
        verdict=Verdict.FAILED,
        cause=Cause.OTHER_VERSION_BACK if found else Cause.OTHER_IMAGE_BACK,
        facts={"version": candidate.version} | ({"found": found} if found else {}),
        version=sighting.version,
        by_sum=by_sum,
    )
