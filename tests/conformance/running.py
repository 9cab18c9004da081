"""All cells side by side, on a machine that may be busy with other things."""

import asyncio
from collections.abc import Sequence
from typing import Final

from zeroconf.asyncio import AsyncZeroconf

from homeassistant.core import HomeAssistant

from .cells import Cell
from .endings import Ending, ending_of
from .trials import Trial

AT_ONCE: Final = 12
"""Cells in progress: they mostly wait, but some also compute, on two cores."""
SPARE: Final = 16
"""Cells that may be played once more."""
_BEAT: Final = 0.02
_STANDSTILL: Final = 0.2
"""Seconds; what a module waits for is scaled down to about as much."""


async def run_all(
    hass: HomeAssistant, port: int, cells: Sequence[Cell]
) -> dict[Cell, Ending | BaseException]:
    """Run cells side by side; return how each ended.

    A module and Home Assistant share one loop here. What ended otherwise than it has to while that
    stood still tells of this machine, not of the cell: it is played once more, alone.
    """
    turns = asyncio.Semaphore(AT_ONCE)
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    stood_still: list[float] = []

    async def run(number: int, cell: Cell) -> tuple[Ending | BaseException, float]:
        async with turns:
            begin = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(180):
                    return await Trial(cell, number, hass, port, zeroconf).run(), begin
            except Exception as err:  # noqa: BLE001 - it is how the cell ended
                return err, begin

    pulse = asyncio.create_task(_feel(stood_still))
    try:
        running = [run(number, cell) for number, cell in enumerate(cells)]
        endings = dict(zip(cells, await asyncio.gather(*running), strict=True))
        odd = [
            cell
            for cell, (ending, begin) in endings.items()
            if ending != ending_of(cell) and any(at > begin for at in stood_still)
        ]
        for number, cell in enumerate(odd[:SPARE], len(cells)):
            endings[cell] = await run(number, cell)
    finally:
        pulse.cancel()
        await asyncio.wait([pulse])
        await zeroconf.async_close()
    return {cell: ending for cell, (ending, _) in endings.items()}


async def _feel(stood_still: list[float]) -> None:
    """Note when the loop did not turn for so long that waits of modules run out."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(_BEAT)
        if loop.time() - before > _BEAT + _STANDSTILL:
            stood_still.append(loop.time())
