"""Which releases a module can have, and which of them may be on offer."""

from ..const import SOURCE_SERVER
from ..house import House
from ..library import Release
from ..ota import same_version


def releases_for(house: House, entry_id: str, firmware: str | None) -> list[Release]:
    """Return the releases of a module's firmware, newest first.

    What a server has assigned to one module is there for that one only.
    """
    assigned = assigned_to(house, entry_id)
    found = house.library.candidates(firmware) if firmware is not None else []
    return [item for item in found if item.source != SOURCE_SERVER or item == assigned]


def may_be_offered(house: House, entry_id: str, releases: list[Release]) -> list[Release]:
    """Return what may be on offer: where a server decides, nothing but what it has assigned."""
    if house.assignments.of(entry_id) is None:
        return releases
    assigned = assigned_to(house, entry_id)
    return [assigned] if assigned is not None else []


def assigned_to(house: House, entry_id: str) -> Release | None:
    """Return the release that a server has assigned to a module, None for none."""
    assignment = house.assignments.of(entry_id)
    known = assignment.sha256 if assignment else None
    return house.library.get(known) if known is not None else None


def version_for_query(offered: Release | None, installed: str | None) -> str:
    """Return the version on offer, for sketches that ask before they download.

    They compare letter by letter, so what runs is named in their own spelling.
    """
    if offered is None or same_version(offered.version, installed or ""):
        return installed or ""
    return offered.version
