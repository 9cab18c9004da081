"""Draws which modules of a house another integration updates, and how that goes."""

from dataclasses import replace
import random
from typing import Final

from .plan import GUEST, GuestPlan, HousePlan, ModulePlan
from .torture_garden.points import NEEDS, OF_GUESTS_TOO

_GUESTS: Final = 0.35
"""How many houses have some, besides those that are killed at a point of one."""
_VICTIMS: Final = 0.3
"""How many of those that are to be killed at a point of every update."""
_FAULTS: Final = (
    *("raises", "refuses", "does_nothing", "never_ends"),
    *("stays_away", "other_version", "raises_late"),
)


def with_guests(house: HousePlan) -> HousePlan:
    """Return a house in which some modules are guests, a rollout's second and later ones too."""
    chance = random.Random(f"{house.seed}:{house.number}:guests")
    points = {death.module: death.point for death in house.deaths if death.module is not None}
    has_some = chance.random() < _GUESTS
    modules = []
    for module in house.modules:
        drawn, is_plain = chance.random(), module.name not in points
        point = points.get(module.name)
        if (NEEDS.get(point or "") or "").startswith("guest"):
            modules.append(_guest(chance, module, is_plain=False))
        elif is_plain and has_some and drawn < 0.5 and not _is_first(house, module):
            modules.append(_guest(chance, module, is_plain=True))
        elif point in OF_GUESTS_TOO and drawn < _VICTIMS:
            modules.append(_guest(chance, module, is_plain=False))
        else:
            modules.append(module)
    return replace(house, modules=tuple(modules))


def _is_first(house: HousePlan, module: ModulePlan) -> bool:
    """Whether a point may need how it ends: the first canary's."""
    return module.name in house.members[:1]


def _guest(chance: random.Random, module: ModulePlan, *, is_plain: bool) -> ModulePlan:
    """Return a module as a guest; one that is to be killed at a point must come to it."""
    plan = GuestPlan(
        blocks=chance.random() < 0.5,
        is_sent=chance.random() < 0.5,
        seconds=chance.choice((0.1, 0.4, 1.0)),
        away=chance.choice((0.05, 0.3, 1.0)),
        late_after_start=chance.uniform(0.3, 1.5) if chance.random() < 0.2 else 0.0,
        fault=chance.choice(_FAULTS) if is_plain and chance.random() < 0.4 else None,
    )
    return as_guest(module, plan)


def as_guest(module: ModulePlan, plan: GuestPlan) -> ModulePlan:
    """Return a module that another integration updates in such a way."""
    return replace(
        module,
        door=GUEST,
        guest=plan,
        config={**module.config, "txt_firmware": True, "password": None},
        options={**module.options, "rollback": "never", "soak_minutes": 0},
        dialect=None,
        faults={},
        reload_after=None,
        moves=None,
        impostor=None,
        evil=None,
        sleep=None,
    )
