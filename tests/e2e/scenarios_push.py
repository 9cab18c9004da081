"""Updates pushed by ArduinoOTA: those that end well, and those that must not begin."""

from collections.abc import Iterator
import hashlib
from typing import override

from .bench import Bench
from .flows import add_discovered, asked_again, configure
from .garden import VALVE_JAMMED, Json
from .modules import GARDEN_VALVE, GREENHOUSE_HEATER, NEW, WELL_PUMP
from .scenario import Outcome, Scenario, secured, untouched, verified
from .timeline import Timeline


class Push(Scenario):
    """An ESP8266 without a password."""

    name = "push"
    summary = "the garden valve is closed, its ESP8266 updated, the valve opened again"
    module = GARDEN_VALVE


class Classic(Scenario):
    """An ESP8266 with a sketch of July 2015: no TXT record, no answer over UDP, no proof."""

    name = "classic"
    summary = "the garden valve runs a sketch of 2015: it takes the image, and nothing proves more"
    module = GARDEN_VALVE
    verdict = "unverified"
    arguments = ("--generation=classic",)

    @override
    async def add(self, bench: Bench, timeline: Timeline) -> str:
        answers = {"equipment": "switches"}
        entry_id = await add_discovered(bench.client, self.module.name, answers)
        chosen = {"firmware": self.module.name, "chip": self.module.chip}
        await configure(bench.client, entry_id, "firmware", chosen)
        timeline.tell(f"{self.module.name} was discovered and added, firmware and chip by hand")
        return entry_id

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        module, shown = outcome.module, outcome.watch.shown
        if outcome.watch.error:
            yield f"Home Assistant reported an error: {outcome.watch.error}"
        if shown["installed_version"] != NEW or not shown["installed_is_assumed"]:
            yield f"the card does not assume that {NEW} runs: {shown['installed_version']}"
        if module.md5 != hashlib.md5(self.module.image(NEW)).hexdigest():
            yield "what runs on the module is not the image of the release"
        if module.count("replied") or module.count("invited") != 1:
            yield f"the module was invited {module.count('invited')} times, or answered over UDP"
        if module.count("ok_sent") != 1 or module.count("restarted") != 1:
            yield f"the module restarted {module.count('restarted')} times"
        yield from secured(outcome)


class Password(Scenario):
    """An ESP8266 with a password."""

    name = "password"
    summary = "the same for the well pump, whose ESP8266 wants a password"
    module = WELL_PUMP

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        if outcome.module.count("auth_ok") != 1:
            yield "the module did not check a password"


class Pbkdf2(Password):
    """An ESP32 whose core authenticates with PBKDF2."""

    name = "pbkdf2"
    summary = "the same for the greenhouse heater, an ESP32 of the newest generation"
    module = GREENHOUSE_HEATER


class Unsafe(Scenario):
    """Conditions that never become true."""

    name = "unsafe"
    summary = "the garden valve is jammed: the update is refused and nothing is sent"
    module = GARDEN_VALVE
    verdict = "refused (safe_state_not_confirmed)"

    @override
    def safe_state(self) -> Json:
        return self.module.equipment.safe_state(time_limit=5)

    @override
    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        await bench.client.action("input_boolean.turn_on", VALVE_JAMMED)
        return await super().set_up(bench, timeline)

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from untouched(outcome)
        if outcome.module.count("invited"):
            yield "the module was invited"
        if "sending" in outcome.watch.stages:
            yield "the card said that it was sending"


class WrongPassword(Scenario):
    """A password that the module refuses."""

    name = "wrong-password"
    summary = "the well pump refuses the password: nothing is sent, the password is asked for"
    module = WELL_PUMP
    verdict = "refused (wrong_password)"

    @override
    def password(self) -> str | None:
        return "shallow-water"

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from untouched(outcome)
        if outcome.module.count("auth_failed") != 1:
            yield f"the module refused {outcome.module.count('auth_failed')} passwords"

    @override
    async def play(self, bench: Bench, timeline: Timeline) -> Outcome:
        outcome = await super().play(bench, timeline)
        if await asked_again(bench.client, outcome.entry_id):
            timeline.tell("the password is asked for again")
        return outcome

    @override
    async def judge(self, outcome: Outcome) -> list[str]:
        found = await super().judge(outcome)
        if not await asked_again(outcome.bench.client, outcome.entry_id):
            found.append("Home Assistant does not ask for the password again")
        return found
