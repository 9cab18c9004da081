"""Whether the descriptor of an ESP32 app says anything of the sketch in it.

ESP-IDF writes `esp_app_desc_t` (`esp_app_desc.c`, `tools/cmake/project.cmake`): the project's
folder, and as version what `git describe --always --tags --dirty` says, else `1`. Arduino sketches
carry that of the core's libraries, ESPHome's its own release (`esphome/const.py`, `2025.11.0`).
"""

import re
from typing import Final

from ..models import AppDescriptor, Marker

_LIBRARIES: Final = "arduino-lib-builder"
_FRAMEWORKS: Final = re.compile(
    r"1|esp-idf\b.*|(?!\d{8}$)g?[0-9a-f]{7,40}(?:-dirty)?|20[2-9]\d\.(?:[1-9]|1[0-2])\.\d+(?:b\d+|-dev\w*)?",
    re.IGNORECASE,
)
"""The IDF without git, the IDF's own, a commit without a tag, ESPHome's release.

Who counts versions as ESPHome does has to say them in another way: a wrong guess is worse."""
_USABLE: Final = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}")


def stated_by(descriptor: AppDescriptor | None) -> Marker | None:
    """Return name and version that a sketch brought itself; None for those of a framework."""
    if descriptor is None or descriptor.project.endswith(_LIBRARIES):
        return None
    if _FRAMEWORKS.fullmatch(descriptor.version):
        return None
    if not (_USABLE.fullmatch(descriptor.project) and _USABLE.fullmatch(descriptor.version)):
        return None
    return Marker(name=descriptor.project, version=descriptor.version)
