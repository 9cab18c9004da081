"""An image after which another one asks each time, told by its sum alone."""

import asyncio

import pytest

from tests.kit.asking import Asker, ask, headers, poller
from tests.kit.garden import Garden, until
from tests.virtual_module import build_image

pytestmark = pytest.mark.slow

OTHER = build_image("esp32", version="0.5.0", size=48 * 1024)


def esp32(*running: bytes) -> dict[str, str]:
    """Return what an ESP32 sends."""
    said = headers(*running).items()
    return {name.replace("8266", "32"): value.replace("8266", "32") for name, value in said}


async def test_it_is_not_sent_a_third_time(garden: Garden, asker: Asker) -> None:
    await garden.add(poller(options={"chip": "esp32"}))
    await garden.release("1.1.0", "esp32")
    await ask(asker, said=esp32())
    for _ in range(2):
        pressed = asyncio.create_task(garden.refused("other_image_back"))
        await until(lambda: garden.card.attributes["stage"] == "queued")
        status, _, _ = await ask(asker, said=esp32())
        assert status == 200
        await asyncio.sleep(0.1)
        await ask(asker, said=esp32(OTHER))
        await pressed
        await ask(asker, said=esp32())

    await garden.refused("offered_twice")
