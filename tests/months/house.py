"""One house: its modules, its Home Assistant, its person, and what is written down of them."""

from dataclasses import dataclass, field
from pathlib import Path
import time

from .clock import Clock
from .history import History, Press
from .life import Life
from .person import Entities
from .plan import ModulePlan, Plan, clock_text
from .releases import Site
from .setup import Setup, set_up
from .world import Unit, World


@dataclass
class House:
    """Everything that an act may move."""

    plan: Plan
    clock: Clock
    world: World
    site: Site
    life: Life
    run: History
    known: dict[str, Entities] = field(default_factory=dict)
    """What Home Assistant has of each module that is added."""
    added: dict[str, float] = field(default_factory=dict)
    wanted: Setup = field(default_factory=dict)
    """What the person has set up, as they left it."""
    cut_off: bool = False
    """Whether there is no network, not even between the person and Home Assistant."""
    pull_url: str = ""

    @property
    def units(self) -> dict[str, Unit]:
        """The modules by name."""
        return self.world.units

    @property
    def config(self) -> Path:
        """Home Assistant's configuration directory."""
        return self.life.config

    def say(self, text: str) -> None:
        """Print a line of the story."""
        print(f"{clock_text(time.time())} {text}", flush=True)

    def press(self, plan: ModulePlan, version: str | None = None) -> None:
        """Write down that the person asks for an update."""
        press = Press(at=time.time(), module=plan.name, by="person", version=version)
        self.run.presses.append(press)

    def set_up(self) -> Setup:
        """Read what is set up now."""
        return set_up(self.config, {name: item.entry_id for name, item in self.known.items()})
