"""What a server is told of a module, and of how an update ended."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry

from ..const import CONF_PREFIX
from ..modules import ModuleCoordinator, identity_of
from ..ota import Cause, Finished, InstallResult, Verdict, attributes, same_version
from .note import SpeltNote

_NOT_OF_THE_IMAGE: Final = frozenset(
    {
        Cause.CANCELLED,
        Cause.INHIBITED,
        Cause.INTERNAL,
        Cause.INTERRUPTED,
        Cause.NOT_AWAKE,
        Cause.NOT_NOTED,
        Cause.NO_POLL,
        Cause.SUSPENDED,
        Cause.UNREACHABLE,
        Cause.WINDOW_MISSED,
        Cause.SAFE_STATE_FAILED,
        Cause.SAFE_STATE_NOT_CONFIRMED,
        Cause.SAFE_STATE_REFUSED,
        Cause.DEPLOYMENT_CHANGED,
        Cause.DEPLOYMENT_HELD,
        Cause.DEPLOYMENT_NOT_CONFIRMED,
    }
)
"""Of a refusal: another day, or another press, and it may be installed all the same."""


def name_at_server(entry: ConfigEntry, settings: Mapping[str, Any]) -> str:
    """Return the id of a module at a server, which stays whatever becomes known of it."""
    return f"{settings.get(CONF_PREFIX) or ''}{identity_of(entry)}"[:128]


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
            "sw_version": installed,
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
    if result.verdict is Verdict.CANCELLED:
        return None
    if result.verdict is Verdict.REFUSED and result.cause in _NOT_OF_THE_IMAGE:
        return None
    return Finished.FAILURE


def details_of(result: InstallResult, sentence: str) -> list[str]:
    """Return the lines that say so."""
    cause = f" ({result.cause})" if result.cause else ""
    return [f"{result.verdict}{cause}: {sentence}"]
