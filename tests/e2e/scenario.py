"""What all scenarios of `script/demo --once` share: one update, set up, played and judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import hashlib
from typing import ClassVar

from .bench import Bench
from .flows import add_discovered, configure, make_valve
from .garden import VALVE, Json
from .modules import NEW, OLD, Module, RunningModule
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
    clicked: ClassVar[bool] = False
    """Whether a browser is needed."""

    @property
    def modules(self) -> Sequence[Module]:
        """What is switched on from the beginning."""
        return [self.module]

    def password(self) -> str | None:
        """Return what is typed into the form as password."""
        return self.module.password

    def safe_state(self) -> Json:
        """Return the safe state that is configured."""
        return self.module.equipment.safe_state()

    async def add(self, bench: Bench, timeline: Timeline) -> str:
        """Add the module and return its entry."""
        answers = {"equipment": "switches", "password": self.password()}
        entry_id = await add_discovered(bench.client, self.module.name, answers)
        timeline.tell(f"{self.module.name} was discovered and added")
        return entry_id

    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        """Add the module, set its safe state and return its entry."""
        if self.module.equipment is VALVE:
            await make_valve(bench.client)
        entry_id = await self.add(bench, timeline)
        await configure(bench.client, entry_id, "safe_state", self.safe_state())
        return entry_id

    async def press(self, bench: Bench, timeline: Timeline) -> None:
        """Press Update and wait for the end; raises ActionFailed with what a person is told."""
        await bench.client.action("update.install", self.module.update_entity)

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
        await watch.follow(self.press(bench, timeline))
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


def verified(outcome: Outcome, *, restarts: int = 1) -> Iterator[str]:
    """Yield what speaks against a good end."""
    module, watch = outcome.module, outcome.watch
    if watch.error:
        yield f"Home Assistant reported an error: {watch.error}"
    if watch.shown["installed_version"] != NEW or watch.shown["installed_is_assumed"]:
        yield f"the card says that {watch.shown['installed_version']} runs"
    if module.version != NEW or module.count("restarted") != restarts:
        yield f"the module runs {module.version} after {module.count('restarted')} restarts"
    if module.md5 != hashlib.md5(module.module.image(NEW)).hexdigest():
        yield "what runs on the module is not the image of the release"
    if not watch.percents or sorted(watch.percents) != watch.percents:
        yield f"the percentages shown were {watch.percents}"
    yield from secured(outcome)


def secured(outcome: Outcome) -> Iterator[str]:
    """Yield what speaks against the equipment having been safe while it had to be."""
    module, changes = outcome.module, outcome.watch.equipment_changes
    equipment = module.module.equipment
    if outcome.watch.equipment_states != [equipment.safe, equipment.working]:
        yield f"the {equipment.name} went {outcome.watch.equipment_states}"
        return
    (safe_at, _), (restored_at, _) = changes
    busy = [
        at
        for name in ("first_byte", "restarted", "back")
        for at in module.times(name)
        if outcome.watch.began <= at <= outcome.watch.ended
    ]
    if busy and not safe_at < min(busy) <= max(busy) < restored_at:
        yield f"the {equipment.name} was not {equipment.safe} all the time"


def untouched(outcome: Outcome) -> Iterator[str]:
    """Yield what speaks against the module having been left alone."""
    module = outcome.module
    if not outcome.watch.error:
        yield "Home Assistant reported no error"
    if module.version != OLD or module.count("restarted"):
        yield f"the module runs {module.version} after {module.count('restarted')} restarts"
    if module.count("first_byte") or module.count("connected"):
        yield "the module got a part of the image"
