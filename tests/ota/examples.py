"""What tests about the core's decisions share: one image, one module, one candidate."""

from collections.abc import Mapping
import time
from typing import Any

from custom_components.esp_ota.ota import (
    Candidate,
    Chip,
    ChipFamily,
    EvidenceSource,
    Image,
    ModuleFacts,
    Sighting,
    read_image,
)
from tests.virtual_module import build_image

DATA = build_image("esp8266", version="1.1.0", size=24 * 1024)
IMAGE: Image = read_image(DATA)
CANDIDATE = Candidate(image=IMAGE, firmware="garden-valve", version="1.1.0")
MODULE = ModuleFacts(
    name="garden-valve",
    host="192.0.2.7",
    port=8266,
    family=ChipFamily.ESP8266,
    chip=Chip.ESP8266,
    mac="5c:cf:7f:a1:b2:c3",
    firmware="garden-valve",
    version="1.0.0",
    slot_size=1 << 20,
)


def sighting(**changes: Any) -> Sighting:
    """Return what a module says now."""
    said: Mapping[str, Any] = {"source": EvidenceSource.TXT, "at": time.monotonic()} | changes
    return Sighting(**said)
