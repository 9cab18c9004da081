"""What `script/demo --once` can play. A new one is a subclass here; nothing else knows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, override

from .bench import Bench
from .flows import add_discovered, asked_again, configure, make_valve
from .garden import VALVE_JAMMED, Json
from .modules import GARDEN_VALVE, GREENHOUSE_HEATER, NEW, OLD, WELL_PUMP, Module, RunningModule
from .timeline import Timeline
from .watch import Target, Watch


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What was seen of one install, by Home Assistant and by the module."""

    bench: Bench
    module: RunningModule
    watch: Watch
    entry_id: str
    equipment: str | None
    """The equipment's state at the end."""


class Scenario:
    """One update without a person: set up, press Update, judge."""

    name: ClassVar[str]
    summary: ClassVar[str]
    module: ClassVar[Module]
    verdict: ClassVar[str] = "verified"
    arguments: ClassVar[tuple[str, ...]] = ()
    """Further ones for the virtual module: a fault, say."""

    def password(self) -> str | None:
        """Return what is typed into the form as password."""
        return self.module.password

    def safe_state(self) -> Json:
        """Return the safe state that is configured."""
        return self.module.equipment.safe_state()

    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        """Add the discovered module, set its safe state and return its entry."""
        client = bench.client
        if self.module is GARDEN_VALVE:
            await make_valve(client)
        answers = {"equipment": "switches", "password": self.password()}
        entry_id = await add_discovered(client, self.module.name, answers)
        timeline.tell(f"{self.module.name} was discovered and added")
        await configure(client, entry_id, "safe_state", self.safe_state())
        return entry_id

    async def play(self, bench: Bench, timeline: Timeline) -> Outcome:
        """Set up, press Update and wait for the end."""
        module, client = self.module, bench.client
        entry_id = await self.set_up(bench, timeline)
        await client.wait_until(
            f"the card offers {NEW}",
            lambda: client.attributes(module.update_entity).get("latest_version") == NEW,
        )
        running = bench.modules[module.name]
        target = Target(entity_id=module.update_entity, equipment=module.equipment, module=running)
        watch = Watch(client, timeline, target)
        await watch.press_update()
        return Outcome(
            bench=bench,
            module=running,
            watch=watch,
            entry_id=entry_id,
            equipment=client.state(module.equipment.entity_id),
        )

    async def judge(self, outcome: Outcome) -> list[str]:
        """Return what is not as the scenario's name says."""
        found = list(self.complaints(outcome))
        if outcome.watch.verdict != self.verdict:
            found.append(f"the verdict is {outcome.watch.verdict} instead of {self.verdict}")
        if outcome.equipment != self.module.equipment.working:
            found.append(f"the {self.module.equipment.name} is left {outcome.equipment}")
        if outcome.watch.shown["in_progress"]:
            found.append("the card still says that an update runs")
        return found

    def complaints(self, outcome: Outcome) -> Iterator[str]:
        """Yield what is not as the scenario's name says."""
        yield from verified(outcome)


def verified(outcome: Outcome) -> Iterator[str]:
    """Yield what speaks against a good end."""
    module, watch = outcome.module, outcome.watch
    if watch.error:
        yield f"Home Assistant reported an error: {watch.error}"
    if watch.shown["installed_version"] != NEW or watch.shown["installed_is_assumed"]:
        yield f"the card says that {watch.shown['installed_version']} runs"
    if module.version != NEW or module.count("restarted") != 1:
        yield f"the module runs {module.version} after {module.count('restarted')} restarts"
    if not watch.percents or sorted(watch.percents) != watch.percents:
        yield f"the percentages shown were {watch.percents}"
    equipment = module.module.equipment
    if watch.equipment_states != [equipment.safe, equipment.working]:
        yield f"the {equipment.name} went {watch.equipment_states}"


def untouched(outcome: Outcome) -> Iterator[str]:
    """Yield what speaks against the module having been left alone."""
    module = outcome.module
    if not outcome.watch.error:
        yield "Home Assistant reported no error"
    if module.version != OLD or module.count("restarted"):
        yield f"the module runs {module.version} after {module.count('restarted')} restarts"
    if module.count("first_byte") or module.count("connected"):
        yield "the module got a part of the image"


class Push(Scenario):
    """An ESP8266 without a password."""

    name = "push"
    summary = "the garden valve is closed, its ESP8266 updated, the valve opened again"
    module = GARDEN_VALVE


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


SCENARIOS: dict[str, type[Scenario]] = {
    scenario.name: scenario for scenario in (Push, Password, Pbkdf2, Unsafe, WrongPassword)
}
