"""What a server is told of a module, and of how an update ended."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry

from ..const import CONF_PREFIX
from ..modules import ModuleCoordinator, identity_of
from ..ota import Cause, Finished, InstallResult, Verdict, attributes, same_version
from .note import SpeltNote

_OF_THE_IMAGE: Final = frozenset(
    {
        Cause.WRONG_CHIP,
        Cause.WRONG_KIND,
        Cause.FLASH_SIZE,
        Cause.TOO_LARGE,
        Cause.LITTLEFS_VERSION,
        Cause.LITTLEFS_NAMES,
        Cause.FILESYSTEM_AREA,
        Cause.FILESYSTEM_BLOCK,
        Cause.GZIP_UNSUPPORTED,
        Cause.GZIP_FILESYSTEM,
        Cause.GZIP_OLD_CORE,
        Cause.GZIP_FLASH_MODE,
        Cause.GZIP_OVERLAP,
        Cause.GZIP_SIGNED,
        Cause.OTHER_FIRMWARE,
        Cause.UNSIGNED_IMAGE,
        Cause.SIGNATURE_MISSING,
        Cause.SIGNATURE_INVALID,
        Cause.NO_SPACE,
        Cause.NO_SPACE_FILES,
        Cause.BAD_SIZE,
        Cause.FLASH_CONFIG,
        Cause.WRONG_MAGIC,
        Cause.SIGNATURE,
        Cause.REJECTED,
        Cause.REJECTED_BY_PAGE,
        Cause.OFFERED_TWICE,
    }
)
"""Refusals that another day, or another press, does not change: the server needs another image."""

_NOBODY_KNOWS: Final = "unknown"
"""As the version that runs; without a word the server would keep the old one."""


def name_at_server(entry: ConfigEntry, settings: Mapping[str, Any]) -> str:
    """Return the id of a module at a server, which stays whatever becomes known of it."""
    name = identity_of(entry).replace(":", "")
    return f"{settings.get(CONF_PREFIX) or ''}{name}"[:128]


def attributes_of(coordinator: ModuleCoordinator, spelt: SpeltNote | None) -> dict[str, Any]:
    """Return what a module is. An image fits a chip, so that is the hardware.

    What runs is spelt as the server does: it compares letter by letter.
    """
    facts, installed = coordinator.facts(), coordinator.data.installed
    if spelt is not None and installed and same_version(spelt["version"], installed):
        installed = spelt["said"]
    chip = str(facts.chip or facts.family or "") or None
    return attributes(
        {
            "hw_boardname": chip or "default",
            "hw_revision": "default",
            "sw_version": installed or (_NOBODY_KNOWS if coordinator.data.before else None),
            "board": facts.board,
            "chip": chip,
            "firmware": coordinator.data.firmware,
            "mac": facts.mac,
            "module": coordinator.config_entry.title,
        }
    )


def finished_of(result: InstallResult) -> Finished | None:
    """Return how an update ended for the server, None where it stays open: it may yet be."""
    if result.verdict.is_success:
        return Finished.SUCCESS if result.verdict is Verdict.VERIFIED else Finished.NONE
    if result.cause is Cause.SAME_IMAGE:
        return Finished.SUCCESS
    is_open = result.verdict is Verdict.REFUSED and result.cause not in _OF_THE_IMAGE
    if is_open or result.verdict is Verdict.CANCELLED:
        return None
    return Finished.FAILURE


def details_of(result: InstallResult, sentence: str) -> list[str]:
    """Return the lines that say so."""
    cause = f" ({result.cause})" if result.cause else ""
    return [f"{result.verdict}{cause}: {sentence}"]
