"""The house of the matrix: its releases, its valves, and how long it waits."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from typing import Final

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.house.house import Patience
from custom_components.esp_ota.library import ReleaseName
from custom_components.esp_ota.ota import PullLimits, UploadLimits
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.kit.garden import patience
from tests.virtual_module import Chip, build_filesystem, build_image

from .cells import FIRMWARE, GENERATIONS, WITH_FILES

OLD, NEW = "1.0.0", "1.1.0"
SIZE: Final = 48 * 1024
FILES: Final = build_filesystem(16 * 1024, seed=1)
HOUSE_SECRET: Final = "house-secret"


@cache
def image_of(chip: Chip, firmware: str, version: str) -> bytes:
    """Return one sketch."""
    return build_image(chip, name=firmware, version=version, size=SIZE)


PATIENCE: Final = ContextVar[Patience]("PATIENCE")
"""How long the task waits that installs, and all tasks that it starts."""


def be_patient(waits: Mapping[str, float]) -> None:
    """Wait long from here on, but for what is to run out: no module is slow, machines are."""
    given: dict[str, float] = {
        "answer": 5.0,
        "auth_answer": 20.0,
        "callback": 20.0,
        "result": 20.0,
        "stall": 20.0,
        "go": 20.0,
        "back": 20.0,
        "evidence": 20.0,
        "evidence_unlikely": 0.5,
        "late": 1.0,
        "interval": 0.1,
        "patient_probe": 5.0,
        "retry_pause": 0.1,
        "watch_interval": 0.05,
    }
    own = {"offer": 20.0, "restart": 1.5} | waits
    offer, restart = own.pop("offer"), own.pop("restart")
    given |= own
    usual = patience(**given)
    push = replace(usual.push, stream=replace(usual.push.stream, restart=restart))
    upload = UploadLimits(stall=20.0, result=given["result"], poll=0.02, restart=restart)
    pull = PullLimits(offer=offer, hold=20.0, stall=20.0, restart=restart)
    PATIENCE.set(replace(usual, push=push, upload=upload, pull=pull))


async def set_up_house(hass: HomeAssistant, *, valves: int, at_once: int) -> None:
    """Set up a house with a valve for each module and all releases."""
    each = {f"valve_{number}": {"initial": True} for number in range(valves)}
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": each})
    house = MockConfigEntry(
        domain=DOMAIN,
        unique_id="house",
        data={"kind": "house", "pull_secret": HOUSE_SECRET},
        options={"parallel_installs": at_once},
    )
    house.add_to_hass(hass)
    assert await hass.config_entries.async_setup(house.entry_id)
    library = hass.data[HOUSE].library
    for chip in sorted({config["chip"] for config in GENERATIONS.values()}):
        for firmware in (FIRMWARE, WITH_FILES):
            for version in (OLD, NEW):
                image = image_of(Chip(chip), firmware, version)
                await library.async_add(image, ReleaseName(file_name="any.bin"), source="upload")
    name = ReleaseName(file_name="files.bin", firmware=WITH_FILES, version=NEW)
    await library.async_add(FILES, name, source="upload")
