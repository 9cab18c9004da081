"""Files that a module asks for: its next request is all that is ever said of them."""

from dataclasses import replace
from typing import Any

import pytest

from homeassistant.exceptions import HomeAssistantError
from tests.kit.asking import PATH, SECRET, asking, sampled
from tests.kit.garden import CLOSED_AND_OPENED, Garden, patience
from tests.kit.sentences import assert_error_is_whole
from tests.test_files_update import add_files, files_card
from tests.virtual_module import Fault, PullConfig, PullMode, Seen
from tests.virtual_module.chips import Chip

pytestmark = pytest.mark.slow

FILES, SKETCH = PullMode.FILESYSTEM, PullMode.SKETCH
WRONG_SUM: dict[str, Any] = {"faults": [Fault.WRONG_MD5]}
LAST_SECTOR: dict[str, Any] = {"faults": [Fault.FLASH_WRITE_ERROR], "fault_at": 0.99}
OLD_CORE: dict[str, Any] = {"core": "2.3.0", "offline_time": 50.0}
EXAMPLE: dict[str, Any] = {"steps": (FILES, SKETCH), "stops_after_failure": True}
"""The sketch of the cores' `httpUpdateLittleFS` example."""
FILES_ONLY: dict[str, Any] = {"steps": (FILES,)}
BOTH: dict[str, Any] = {"steps": (FILES, SKETCH)}


@pytest.fixture(autouse=True)
def _patient(garden: Garden, port: int) -> None:
    """Wait as long as for modules that talk, and not long for one that restarts."""
    limits = replace(garden.house.patience.pull, restart=0.4)
    garden.house.patience = replace(patience(), pull=limits)


def pull(port: int, sketch: dict[str, Any]) -> PullConfig:
    return PullConfig(url=f"http://127.0.0.1:{port}{PATH}/{SECRET}", poll_interval=0.2, **sketch)


@pytest.mark.parametrize("chip", [Chip.ESP8266, Chip.ESP32])
@pytest.mark.parametrize("fault", [WRONG_SUM, LAST_SECTOR], ids=["sum", "flash"])
@pytest.mark.parametrize("sketch", [EXAMPLE, FILES_ONLY], ids=["example", "files only"])
async def test_files_that_a_module_refuses_at_their_end_are_no_success(
    garden: Garden, port: int, chip: Chip, fault: dict[str, Any], sketch: dict[str, Any]
) -> None:
    entry = await garden.add(sampled(chip))
    await add_files(garden, "1.1.0")
    async with asking(port, chip, pull=pull(port, sketch), **fault) as module:
        with pytest.raises(HomeAssistantError) as caught:
            await garden.install_files()
        assert module.events.count_of(Seen.PULL_FAILED) == 1
        assert not module.events.count_of(Seen.INSTALLED)
    assert caught.value.translation_key == "files_incomplete"
    assert_error_is_whole(caught.value)
    attributes = garden.card.attributes
    assert (attributes["last_verdict"], attributes["last_cause"]) == ("failed", "files_asked_again")
    card = files_card(garden)
    assert card is not None
    assert card.attributes["installed_version"] != "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize(
    ("sketch", "config"),
    [(EXAMPLE, {}), (BOTH, {}), (FILES_ONLY, OLD_CORE), (BOTH, OLD_CORE)],
    ids=["example", "both", "files only, core 2.3", "both, core 2.3"],
)
async def test_files_that_a_module_takes_are_unverified(
    garden: Garden, port: int, sketch: dict[str, Any], config: dict[str, Any]
) -> None:
    await garden.add(sampled())
    await add_files(garden, "1.1.0")
    async with asking(port, pull=pull(port, sketch), **config) as module:
        await garden.install_files()
        assert module.events.count_of(Seen.INSTALLED) == 1
    assert garden.card.attributes["last_verdict"] == "unverified"
    card = files_card(garden)
    assert card is not None
    assert card.attributes["installed_version"] == "1.1.0"


async def test_a_core_that_restarts_after_files_and_did_not_has_refused_them(
    garden: Garden, port: int
) -> None:
    await garden.add(sampled())
    await add_files(garden, "1.1.0")
    async with asking(port, pull=pull(port, BOTH), **OLD_CORE, **WRONG_SUM) as module:
        with pytest.raises(HomeAssistantError) as caught:
            await garden.install_files()
        assert not module.events.count_of(Seen.RESTARTED)
    assert caught.value.translation_key == "files_incomplete"
    assert garden.card.attributes["last_cause"] == "files_no_restart"


async def test_a_sketch_does_not_follow_files_that_were_refused(garden: Garden, port: int) -> None:
    await garden.add(sampled())
    await add_files(garden, "1.1.0")
    await garden.release("1.1.0")
    async with asking(port, pull=pull(port, EXAMPLE), **WRONG_SUM) as module:
        await garden.runs("1.0.0")
        facts = await garden.refused("files_incomplete")
        assert "asked for the same files again" in facts["because"]
        assert not module.events.count_of(Seen.INSTALLED)
    assert garden.card.attributes["last_cause"] == "files_asked_again"


async def test_a_download_of_files_that_breaks_leaves_them_incomplete(
    garden: Garden, port: int
) -> None:
    await garden.add(sampled())
    await add_files(garden, "1.1.0")
    broken = {"faults": [Fault.RESET], "sector_time": 0.05}
    async with asking(port, pull=pull(port, FILES_ONLY), **broken):
        with pytest.raises(HomeAssistantError) as caught:
            await garden.install_files()
    assert caught.value.translation_key == "files_incomplete"
    assert "connection" in (caught.value.translation_placeholders or {})["because"]
    assert garden.card.attributes["last_cause"] == "connection_lost"
