"""Updates in which something goes wrong on the way: what is believed, and what is not."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import override

from .bench import Bench
from .client import Client
from .garden import VALVE
from .modules import GARDEN_VALVE, OLD
from .scenario import Outcome, Scenario, verified
from .timeline import Timeline
from .watch import INSTALL_SECONDS


class LostOk(Scenario):
    """The last word of the module is lost, but the new sketch runs."""

    name = "lost-ok"
    summary = "the module restarts without its final OK: what it announces afterwards is the proof"
    module = GARDEN_VALVE
    arguments = ("--fault=reboot_without_ok",)

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        if outcome.module.count("ok_sent"):
            yield "the module said OK"


class OldSketchBack(Scenario):
    """The module says OK, restarts, and runs what it ran before."""

    name = "old-sketch-back"
    summary = (
        "the module says OK, but comes back with the old sketch: nobody is told that it worked"
    )
    module = GARDEN_VALVE
    verdict = "unchanged (old_version_back)"
    arguments = ("--fault=old_sketch_back",)

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from not_updated(outcome)
        if outcome.module.count("ok_sent") != 1 or outcome.module.count("restarted") != 1:
            yield "the module did not say OK and restart once"


class ConditionBreaks(Scenario):
    """Somebody opens the valve while the image is sent."""

    name = "condition-breaks"
    summary = (
        "the valve is opened in the middle of the transfer: it is stopped, the old sketch runs on"
    )
    module = GARDEN_VALVE
    verdict = "failed (safe_state_broken)"

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        pressed = asyncio.ensure_future(super().press(bench, timeline))
        card = self.module.update_entity
        try:
            await bench.client.wait_until(
                "the first quarter is sent",
                lambda: (bench.client.attributes(card).get("update_percentage") or 0) >= 25,
            )
            timeline.tell("somebody opens the garden valve by hand: its contact says so")
            await bench.client.action("input_boolean.turn_on", VALVE.evidence["entity_id"])
        finally:
            await pressed

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from not_updated(outcome)
        if outcome.module.count("restarted") or outcome.module.count("complete"):
            yield "the module got the whole image"
        if not outcome.module.count("first_byte"):
            yield "nothing was sent, so nothing was stopped"


async def begun_and_ended(client: Client, entity_id: str, begin: Awaitable[None]) -> None:
    """Begin an install whose end nobody waits for, and wait for it."""
    await begin
    await client.wait_until(
        "an update begins", lambda: bool(client.attributes(entity_id).get("in_progress"))
    )
    await client.wait_until(
        "the end of the update",
        lambda: not client.attributes(entity_id).get("in_progress"),
        INSTALL_SECONDS,
    )


def not_updated(outcome: Outcome) -> Iterator[str]:
    """Yield what speaks against the old sketch running, and the person knowing it."""
    if not outcome.watch.error:
        yield "Home Assistant reported no error"
    if outcome.module.version != OLD:
        yield f"the module runs {outcome.module.version}"
    if outcome.watch.shown["installed_version"] != OLD:
        yield f"the card says that {outcome.watch.shown['installed_version']} runs"
