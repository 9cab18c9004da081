"""A module that somebody flashed by a cable, with what nobody here knows."""

import pytest

from custom_components.esp_ota.library import ReleaseName
from tests.kit.asking import OLD, Asker, ask, headers, poller
from tests.kit.garden import Garden
from tests.virtual_module import build_image

pytestmark = pytest.mark.slow

OTHER = build_image("esp8266", version="0.5.0", size=48 * 1024)


def shown(garden: Garden) -> tuple[str, bool]:
    attributes = garden.card.attributes
    return attributes["installed_version"], attributes["installed_is_assumed"]


async def test_a_sum_that_nobody_knows_takes_back_what_the_one_before_proved(
    garden: Garden, asker: Asker
) -> None:
    await garden.add(poller())
    await garden.house.library.async_add(OLD, ReleaseName(file_name="any.bin"), source="upload")
    await ask(asker)
    await garden.hass.async_block_till_done()
    assert shown(garden) == ("1.0.0", False)

    await ask(asker, said=headers(OTHER))

    await garden.hass.async_block_till_done()
    assert shown(garden) == ("unknown", False)
    await ask(asker)
    await garden.hass.async_block_till_done()
    assert shown(garden) == ("1.0.0", False)


async def test_a_version_that_comes_with_it_is_believed(garden: Garden, asker: Asker) -> None:
    await garden.add(poller())
    await garden.house.library.async_add(OLD, ReleaseName(file_name="any.bin"), source="upload")
    await ask(asker)

    await ask(asker, said=headers(OTHER, x_ESP8266_version="0.5.0"))

    await garden.hass.async_block_till_done()
    assert shown(garden) == ("0.5.0", False)


async def test_what_an_entity_says_still_is_taken_once_more(garden: Garden, asker: Asker) -> None:
    """It says the same as before, and so nobody says it again."""
    garden.hass.states.async_set("sensor.valve_version", "1.0.0")
    await garden.add(poller(options={"info_entity": "sensor.valve_version"}))
    await garden.release("1.0.0")
    await ask(asker)
    await garden.hass.async_block_till_done()
    assert (shown(garden), garden.card.state) == (("1.0.0", False), "off")

    await ask(asker, said=headers(OTHER))

    await garden.hass.async_block_till_done()
    assert (shown(garden), garden.card.state) == (("1.0.0", False), "off")
