"""A Home Assistant with a fleet of modules that are updated, as a process.

    python -m tests.bench.many.fleet MODULES LIMIT AREAS FOLDER

Takes one JSON command a line on stdin, and answers each with a JSON line on stdout.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
import json
import logging
from pathlib import Path
from statistics import median
import sys
import time
from typing import Any, Final

from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.rollouts import ROLLOUTS
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.setup import async_setup_component

from .garden import DOMAIN, FIRMWARE, house_entry, module_entry
from .house import _add_release, _running, _set_up
from .steps import Steps

_OPERATIONS: Final = ("async_join", "async_leave", "async_move", "async_look")


class Fleet:
    """Does what the commands say."""

    def __init__(self, hass: HomeAssistant, modules: int) -> None:
        self._hass = hass
        self._house = hass.data[HOUSE]
        self._steps = Steps()
        self._cards = [f"update.module_{number}_firmware" for number in range(modules)]
        self._took: dict[str, list[float]] = {}

    async def do(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Do one of the commands below."""
        answer: dict[str, Any] = await getattr(self, command)(**arguments)
        return answer

    async def release(self, path: str) -> dict[str, Any]:
        """Add a release."""
        await _add_release(self._hass, Path(path))
        return {}

    async def known(self, version: str) -> dict[str, Any]:
        """Wait until each module has said that it runs this."""
        entries = [one for one in self._house.modules if one.title.startswith("module-")]
        while any(one.runtime_data.coordinator.data.installed != version for one in entries):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        return {}

    async def update_all(self) -> dict[str, Any]:
        """Press all cards at once, and move some of those that wait; return when all have ended."""
        cards = self._cards
        self._watch_operations()
        cpu, began = time.process_time(), time.monotonic()
        self._steps.reset()
        with self._steps.watched():
            moving = asyncio.create_task(self._move(cards[-1]))
            try:
                await self._hass.services.async_call(
                    "update", "install", {"entity_id": cards}, blocking=True
                )
                error = None
            except HomeAssistantError as err:
                error = str(err)
            ended = time.monotonic()
            await moving
        states = [self._hass.states.get(card) for card in cards]
        verified = [one for one in states if one and one.attributes["last_verdict"] == "verified"]
        return {
            "error": error,
            "verified": len(verified),
            "pressed": began,
            "seconds": ended - began,
            "cpu": time.process_time() - cpu,
            "block": self._steps.told,
            "operations": self._took,
            "stages": self._stages(),
        }

    def _stages(self) -> dict[str, float]:
        """Return the seconds that a module was in each stage, in the middle."""
        past = [self._house.history.of(one.entry_id) for one in self._house.modules]
        last = [one[0]["stages"] for one in past if one]
        names = dict.fromkeys(name for one in last for name in one)
        return {name: median(one.get(name, 0.0) for one in last) for name in names}

    async def _move(self, card: str) -> None:
        """Put one that waits to the front and back again, as long as it waits."""
        await self._until(card, "queued")
        for place in cycle((len(self._cards) // 2, 10**6)):
            await asyncio.sleep(0.5)
            if self._stage(card) != "queued":
                return
            target = {"entity_id": card, "place": place}
            with suppress(HomeAssistantError):  # its turn has come
                await self._hass.services.async_call(DOMAIN, "move_in_queue", target, blocking=True)

    def _stage(self, card: str) -> str | None:
        state = self._hass.states.get(card)
        assert state is not None
        stage: str | None = state.attributes["stage"]
        return stage

    async def _until(self, card: str, stage: str | None) -> None:
        while self._stage(card) != stage:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def cancel_all(self, version: str) -> dict[str, Any]:
        """Press all cards, and cancel all when the last one waits."""
        target = {"entity_id": self._cards}
        self._steps.reset()
        with self._steps.watched():
            pressed = asyncio.create_task(
                self._hass.services.async_call(
                    "update", "install", target | {"version": version}, blocking=True
                )
            )
            await self._until(self._cards[-1], "queued")
            told = self._steps.told
            self._steps.reset()
            began = time.monotonic()
            with suppress(HomeAssistantError):  # some have ended
                await self._hass.services.async_call(DOMAIN, "cancel", target, blocking=True)
            await asyncio.wait({pressed})
            seconds = time.monotonic() - began
            pressed.exception()
            await asyncio.sleep(2)
        return {"pressed": told, "cancelled": self._steps.told, "seconds": seconds}

    async def roll_out(self, version: str, canaries: int) -> dict[str, Any]:
        """Roll a version out to all; return when that has ended."""
        said = {"firmware": FIRMWARE, "version": version, "canaries": canaries}
        self._steps.reset()
        with self._steps.watched():
            await self._hass.services.async_call(
                DOMAIN, "start_rollout", said, blocking=True, return_response=True
            )
            rollout = self._hass.data[ROLLOUTS].last
            while rollout.is_open:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            await asyncio.sleep(2)
        return {"state": str(rollout.state), "block": self._steps.told}

    def _watch_operations(self) -> None:
        """Take the CPU time of each operation of the queue."""
        queue = self._house.queue

        def timed(name: str) -> Callable[..., Any]:
            work, took = getattr(queue, name), self._took.setdefault(name, [])

            def run(*arguments: Any, **named: Any) -> Any:
                began = time.thread_time()
                try:
                    return work(*arguments, **named)
                finally:
                    took.append(1000 * (time.thread_time() - began))

            return run

        self._took = {}
        for name in _OPERATIONS:
            setattr(queue, name, timed(name))


def _entry(number: int) -> dict[str, Any]:
    """Return the entry of a module that announces nothing, and asks."""
    made = module_entry(number)
    return made | {"data": made["data"] | {"service_name": None}}


async def serve(modules: int, limit: int, areas: int, folder: Path) -> None:
    """Set up so many modules, and do what the commands say until there are no more."""
    async with _running(folder) as (hass, port):
        assert await async_setup_component(hass, DOMAIN, {})
        house = house_entry()
        options = house["options"] | {"parallel_installs": limit, "stagger": "area"}
        await _set_up(hass, [house | {"options": options}])
        await _set_up(hass, [_entry(number) for number in range(modules)])
        made = [ar.async_get(hass).async_create(f"area {number}") for number in range(areas)]
        devices = dr.async_get(hass)
        for number in range(modules):
            (device,) = dr.async_entries_for_config_entry(devices, f"module-{number}")
            devices.async_update_device(device.id, area_id=made[number % areas].id)
        await hass.http.start()
        await hass.async_block_till_done()
        doing = Fleet(hass, modules)
        print(json.dumps({"port": port}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await doing.do(**json.loads(line))), flush=True)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    numbers = [int(text) for text in sys.argv[1:4]]
    asyncio.run(serve(*numbers, Path(sys.argv[4])))
