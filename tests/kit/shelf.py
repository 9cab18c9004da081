"""A library that is asked without a house around it."""

from typing import Any

from custom_components.esp_ota.library import Library, ReleaseName
from homeassistant.core import HomeAssistant

ANY = ReleaseName(file_name="any.bin")


def restarted(hass: HomeAssistant, **needs: Any) -> Library:
    """Return a library as a new start of Home Assistant makes it; it is not loaded yet."""
    return Library(hass, **needs)


def versions(library: Library) -> list[str]:
    return [release.version for release in library.releases]
