"""Nine modules, each in another state: what `script/demo` shows on the page."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Final

from tests.virtual_module import Chip

from .bench import Bench
from .client import ActionFailed, Client
from .flows import add_discovered, address_for_sketches, configure
from .garden import VALVE
from .modules import GARDEN_VALVE, GREENHOUSE_HEATER, NEW, OLD, WELL_PUMP, Module

BEDS: Final = tuple(
    Module(
        name=f"bed-{number}",
        firmware="drip",
        chip=Chip.ESP8266,
        host=f"127.0.0.{10 + number}",
        equipment=VALVE,
        notes="Waters by the moisture of the soil, not by the clock.",
    )
    for number in (1, 2, 3)
)
"""They run one firmware, and have nothing that must be made safe."""
GATE: Final = Module(
    name="garden-gate",
    chip=Chip.ESP32S3,
    host="127.0.0.21",
    equipment=VALVE,
    notes="Stops when something stands in its way.",
)
POND: Final = Module(
    name="pond-pump",
    chip=Chip.ESP32,
    host="127.0.0.22",
    equipment=VALVE,
    notes="Rests while there is ice.",
)
RAIN_GAUGE: Final = Module(
    name="rain-gauge",
    chip=Chip.ESP8266,
    host="127.0.0.23",
    equipment=VALVE,
    shown_as="esp8266-000017",
    notes="Sleeps longer while it does not rain.",
)
_LONG: Final = "--sector-time=2.5"
"""So long that minutes are left to look at an update."""
_AWAKE: Final = "--poll-interval=5"
_ASLEEP: Final = "--poll-interval=900"
_BUSY: Final = (GARDEN_VALVE, WELL_PUMP, GREENHOUSE_HEATER, RAIN_GAUGE)
"""The first two are updated, the third waits for its turn, the last sleeps."""
_AT_ONCE: Final = 2
_BEGUN: Final = {"making_safe", "sending"}
_WAITING: Final = {"queued"}
_STARTED: Final = (
    (GARDEN_VALVE, _LONG),
    (WELL_PUMP, _LONG),
    (GREENHOUSE_HEATER, _LONG),
    (BEDS[0], f"--version={NEW}"),
    (BEDS[1],),
    (BEDS[2], "--fault=flash_write_error"),
    (GATE,),
    (POND,),
)


async def add_bed(client: Client, bed: Module) -> str:
    """Add one that was discovered, and return its entry."""
    return await add_discovered(client, bed.name, {"equipment": "nothing"})


async def bring_about(running: Bench) -> list[asyncio.Task[None]]:
    """Have the nine added, each in its state; returns the updates that are still under way."""
    client = running.client
    for module, *more in _STARTED:
        await running.modules.start(module, *more)
    for bed in (*BEDS, POND):
        await add_bed(client, bed)
    await add_discovered(client, GATE.name, {"equipment": "switches"})
    for module in (GARDEN_VALVE, WELL_PUMP, GREENHOUSE_HEATER):
        answers = {"equipment": "switches", "password": module.password}
        entry = await add_discovered(client, module.name, answers)
        await configure(client, entry, "safe_state", module.equipment.safe_state())
    await _add_sleeper(running)
    # One breaks off, one has no safe state, and one is switched off.
    broken = (BEDS[2], GATE, POND)
    for module in broken:
        await _offered(client, module)
    await running.modules[POND.name].end()
    for module in broken:
        await _update(client, module)
    for module in _BUSY:
        await _offered(client, module)
    updates = []
    for place, module in enumerate(_BUSY):
        updates.append(asyncio.create_task(_update(client, module)))
        stages = _BEGUN if place < _AT_ONCE else _WAITING
        shown = partial(client.attributes, module.update_entity)
        await client.wait_until(
            f"{module.name} begins",
            lambda shown=shown, stages=stages: shown().get("stage") in stages,
        )
    return updates


async def _update(client: Client, module: Module) -> None:
    """Have a module updated, however it ends."""
    with suppress(ActionFailed):
        await client.action("update.install", module.update_entity)


async def _add_sleeper(running: Bench) -> None:
    """Have a module that sleeps, after it has told by what it asked what it runs."""
    client, name = running.client, RAIN_GAUGE.shown_as
    assert name is not None
    RAIN_GAUGE.place_firmware(running.home.firmware_folder, OLD)
    asks = ("--no-advertise", f"--pull={await address_for_sketches(client)}", "--deep-sleep")
    awake = await running.modules.start(RAIN_GAUGE, *asks, _AWAKE)
    await add_discovered(client, name, {"equipment": "nothing"})
    await _offered(client, RAIN_GAUGE)
    await awake.end()
    asleep = await running.modules.start(RAIN_GAUGE, *asks, _ASLEEP)
    async with asyncio.timeout(30):
        while not asleep.count("answered"):  # noqa: ASYNC110 - a process of its own
            await asyncio.sleep(0.1)


async def _offered(client: Client, module: Module) -> None:
    shown = partial(client.attributes, module.update_entity)
    await client.wait_until(
        f"an update for {module.name}", lambda: shown().get("latest_version") == NEW
    )
