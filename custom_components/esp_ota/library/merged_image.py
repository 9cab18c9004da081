"""What a merged image for a serial cable teaches, though it can never be a release."""

from collections.abc import Iterable

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..ota import (
    ChipFamily,
    LibraryError,
    ReleaseName,
    read_filesystem_area,
    read_marker,
    read_slots,
)


async def async_learn_slot(
    hass: HomeAssistant, modules: Iterable[ConfigEntry], data: bytes, name: ReleaseName
) -> None:
    """Tell the modules of its firmware how large the slots in its partition table are.

    They got that table by cable; updates over the air never change it.
    """
    firmware, size, area = await hass.async_add_executor_job(_firmware_and_slot, data, name)
    if firmware is None or size is None:
        return
    for entry in modules:
        runtime = getattr(entry, "runtime_data", None)
        if runtime is None:
            continue
        coordinator = runtime.coordinator
        facts = coordinator.facts()
        if (facts.firmware, facts.family) == (firmware, ChipFamily.ESP32):
            coordinator.async_table_read(size, area)


def _firmware_and_slot(data: bytes, name: ReleaseName) -> tuple[str | None, int | None, int | None]:
    sizes = [slot.size for slot in read_slots(data) if slot.ota]
    return _firmware(data, name), min(sizes, default=None), read_filesystem_area(data)


def _firmware(data: bytes, name: ReleaseName) -> str | None:
    marker = read_marker(data)
    try:
        return name.resolve(marker)[0]
    except LibraryError:  # a version is of no interest here
        return name.firmware or (marker.name if marker else None)
