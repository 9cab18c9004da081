"""What each module runs, could run, and would roll back to."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback

from ..const import CONF_FIRMWARE, SOURCE_SERVER
from ..house import House
from ..ota import same_version
from .installer import ModuleRuntime


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One module's place in the library; None where nobody knows."""

    module: str
    firmware: str | None
    runs: str | None
    offered: str | None
    """The version its card offers."""
    could_run: tuple[str, ...]
    """Every version of its firmware, newest first."""
    rolls_back_to: str | None


@callback
def async_uses(house: House) -> list[Use]:
    """Return all modules by name; those that are not loaded with what the journal knows."""
    return sorted((_use(house, entry) for entry in house.modules), key=lambda use: use.module)


def _use(house: House, entry: ConfigEntry) -> Use:
    known = house.journal.known(entry.entry_id)
    firmware = entry.options.get(CONF_FIRMWARE) or (known["firmware"] if known else None)
    releases = house.library.candidates(firmware) if firmware else []
    assignment = house.assignments.of(entry.entry_id)
    assigned = assignment.sha256 if assignment else None
    versions = dict.fromkeys(
        item.version
        for item in releases
        if item.source != SOURCE_SERVER or item.image.sha256 == assigned
    )
    previous = known.get("previous") if known else None
    runtime = getattr(entry, "runtime_data", None)
    offered = None
    if isinstance(runtime, ModuleRuntime):
        offered, back = runtime.coordinator.offered, runtime.installer.rolls_back_to
        previous = back.version if back else previous
    return Use(
        module=entry.title,
        firmware=firmware,
        runs=known["version"] if known else None,
        offered=offered.version if offered else None,
        could_run=tuple(versions),
        rolls_back_to=next((item for item in versions if same_version(item, previous or "")), None),
    )
