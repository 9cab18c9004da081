"""Draws what many modules share: a rollout, areas, windows, and who of them sleeps."""

from dataclasses import replace
import random
from typing import Any, Final

from .evil.kinds import KINDS
from .plan import PUSH, HousePlan, ModulePlan, RolloutPlan, Sleep
from .torture_garden.points import NEEDS

_ROLLOUTS: Final = 0.3
"""How many houses have one, besides those that are killed at a point of it."""
_AREAS: Final = 0.4
_SLEEPS: Final = 0.12
_WINDOWS: Final = 0.15
_EVIL: Final = 0.3
_PAUSED: Final = 0.25
_CANCELLED: Final = 0.12


def with_many(house: HousePlan, needs: set[str]) -> HousePlan:
    """Return a house in which its modules have something to do with each other.

    `needs` is what the points need at which it is killed.
    """
    chance = random.Random(f"{house.seed}:{house.number}:many")
    many = {need for need in needs if need.startswith("rollout")}
    if chance.random() < _ROLLOUTS or many:
        house = _with_rollout(chance, house, many)
    if chance.random() < _AREAS:
        house = _with_areas(chance, house)
    if chance.random() < _WINDOWS or "window" in needs:
        house = replace(house, opens_at=_openings(chance))
    sleeps = [_sleeping(chance, house, module, needs) for module in house.modules]
    return _with_evil(replace(house, modules=tuple(sleeps)))


def _with_evil(house: HousePlan) -> HousePlan:
    """Let one or two modules mean harm, in some houses."""
    chance = random.Random(f"{house.seed}:{house.number}:evil")
    if chance.random() > _EVIL:
        return house
    modules = list(house.modules)
    for index in chance.sample(range(len(modules)), chance.choice((1, 1, 2))):
        module = modules[index]
        if module.name in _victims(house) or module.sleep is not None:
            continue
        kind = chance.choice(KINDS[module.door])
        config = {**module.config, "password": None}
        modules[index] = replace(
            module, evil=kind, faults={}, moves=None, impostor=None, config=config
        )
    return replace(house, modules=tuple(modules))


def _victims(house: HousePlan) -> set[str | None]:
    """Return whose own points the house is killed at: they have to come to them."""
    return {death.module for death in house.deaths if death.module is not None}


def _with_rollout(chance: random.Random, house: HousePlan, needs: set[str]) -> HousePlan:
    """Give all modules one kind of chip, so that one firmware is for all of them."""
    first = house.modules[0].config
    chip = {key: first[key] for key in ("chip", "core", "generation") if key in first}
    modules = tuple(replace(item, config=_of_chip(item.config, chip)) for item in house.modules)
    free = [item.name for item in modules if item.name not in _victims(house)]
    most = len(free) if chance.random() < 0.5 else max(2, len(free) - 2)
    members = sorted(chance.sample(free, min(len(free), chance.randint(2, max(2, most)))))
    if "rollout_waves" in needs:
        members = free
    canaries = 1 if "rollout_waves" in needs else chance.choice((0, 1, 1, 1, 2))
    waves = chance.choice(((), ("1",), ("1", "2"), ("50%",)))
    if "rollout_waves" in needs:
        waves = ("1",)
    plan = RolloutPlan(
        members=tuple(members),
        canaries=canaries,
        soak=chance.choice((0.0, 0.3, 1.0)),
        waves=waves,
        pause=chance.choice((0.0, 0.3)),
        stop=chance.choice(("0", "0", "1", "34%")),
        start_at=chance.uniform(0.0, 0.4),
        opens_in=chance.uniform(0.5, 3.0) if chance.random() < 0.2 else None,
        pause_after=chance.uniform(0.0, 5.0) if chance.random() < _PAUSED else None,
        resume_after=chance.uniform(0.1, 1.5),
        cancel_after=chance.uniform(0.0, 6.0) if chance.random() < _CANCELLED else None,
    )
    plan = _as_needed(chance, plan, needs)
    return replace(house, rollout=plan, modules=_to_be_rolled_out(modules, plan, needs))


def _of_chip(config: Any, chip: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k not in {"core", "generation"}} | chip


def _as_needed(chance: random.Random, plan: RolloutPlan, needs: set[str]) -> RolloutPlan:
    if "rollout_pauses" in needs:
        return replace(plan, pause_after=chance.uniform(0.3, 3.0), cancel_after=None)
    if "rollout_cancels" in needs:
        return replace(plan, pause_after=None, cancel_after=chance.uniform(0.3, 3.0))
    if "rollout_waves" in needs:
        return replace(plan, soak=0.5, pause=0.5, stop="100%", pause_after=None, cancel_after=None)
    if "rollout_stops" in needs:
        return replace(plan, canaries=2, stop="0", pause_after=None, cancel_after=None)
    return plan


def _to_be_rolled_out(
    modules: tuple[ModulePlan, ...], plan: RolloutPlan, needs: set[str]
) -> tuple[ModulePlan, ...]:
    """Let the first canary fail, or be updated, where the point of a death needs that."""
    found = []
    for module in modules:
        if module.name == plan.members[0] and needs & {"rollout_stops", "rollout_waves"}:
            faults = {"old_sketch_back": 1} if "rollout_stops" in needs else {}
            config = {**module.config, "txt_firmware": True}
            module = replace(  # noqa: PLW2901
                module,
                door=PUSH,
                dialect=None,
                config=config,
                faults=faults,
                valve=type(module.valve)(),
                moves=None,
                impostor=None,
                cancel_after=None,
                reload_after=None,
            )
        found.append(module)
    return tuple(found)


def _with_areas(chance: random.Random, house: HousePlan) -> HousePlan:
    areas = ("Lawn", "Pond", None)[: chance.choice((2, 3, 3))]
    modules = tuple(replace(item, area=chance.choice(areas)) for item in house.modules)
    return replace(house, modules=modules)


def _openings(chance: random.Random) -> tuple[float, ...]:
    """Return when the window of the house opens; in some houses it closes once more."""
    opens = chance.uniform(0.3, 2.5)
    if chance.random() < 0.6:
        return (opens,)
    closes = opens + chance.choice((0.1, 0.5, 1.5))
    return opens, closes, closes + chance.uniform(0.3, 2.0)


def _sleeping(
    chance: random.Random, house: HousePlan, module: ModulePlan, needs: set[str]
) -> ModulePlan:
    """Return a module that may sleep: one that is pushed to, is itself, and stays where it is."""
    is_victim = module.name in _victims(house)
    drawn, asleep = chance.random(), chance.uniform(0.6, 2.5)
    if module.door != PUSH or module.moves or module.impostor:
        return module
    if drawn > _SLEEPS and not (is_victim and "sleeps" in needs):
        return module
    if is_victim and "sleeps" not in needs:
        return module
    return replace(module, sleep=Sleep(asleep=asleep, awake=3.0))


def need_of(point: str | None) -> str | None:
    """Return what must happen for a point to be come to, of those that this file draws."""
    need = NEEDS.get(point or "")
    return need if need in {"window", "sleeps"} or (need or "").startswith("rollout") else None
