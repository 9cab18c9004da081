"""The firmwares of all houses."""

from functools import cache
from typing import Final

from tests.virtual_module import Chip, ModuleConfig, build_image, read_marker
from tests.virtual_module.inspect_image import gunzip, is_gzip

from .plan import NEW, OLD

CHIPS: Final = (Chip.ESP8266, Chip.ESP32, Chip.ESP32S3, Chip.RP2040)
_SIZE: Final = 64 * 1024


@cache
def image_of(chip: Chip, version: str) -> bytes:
    """Return one sketch."""
    return build_image(chip, name=f"valve-{chip}", version=version, size=_SIZE)


def all_images() -> list[bytes]:
    """Return what the library of every house holds.

    With the version that a module says it runs against better knowledge: by itself a house goes
    back only from what it knows to be something else.
    """
    known = (ModuleConfig().wrong_version, OLD, NEW)
    return [image_of(chip, version) for chip in CHIPS for version in known]


def beside() -> bytes:
    """Return a release of a firmware that no module here runs."""
    return build_image(Chip.ESP8266, name="pump", version="3.0.0", size=_SIZE)


def version_of(payload: bytes) -> str | None:
    """Return the version in a sketch, packed or not."""
    found = read_marker(gunzip(payload) if is_gzip(payload) else payload)
    return found[1] if found else None
