"""The few houses that come to every named point."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import batched
import random
from typing import Any, Final

from .draw import plan_module
from .draw_guests import as_guest
from .evil.kinds import KINDS
from .plan import (
    PER_HOUSE,
    UPLOAD,
    Death,
    GuestPlan,
    HousePlan,
    ModulePlan,
    RolloutPlan,
    Sleep,
)

_CHIP: Final = {"chip": "esp8266", "core": "3.1.2"}
_NEEDS: Final = ("plain", "tries_again", "pull", "goes_back", "soaks", "plain")


def _modules(*needs: str, **config: Any) -> list[ModulePlan]:
    chance = random.Random("tour")
    modules = [plan_module(chance, f"m{index}", need) for index, need in enumerate(needs)]
    return [
        replace(module, press_at=1.0, again_after=None, config={**module.config, **config})
        for module in modules
    ]


def _of_one_kind(*needs: str) -> list[ModulePlan]:
    modules = _modules(*needs)
    kept = [{k: v for k, v in item.config.items() if k != "generation"} for item in modules]
    return [
        replace(module, config={**config, **_CHIP, "txt_firmware": True})
        for module, config in zip(modules, kept, strict=True)
    ]


def _updates() -> HousePlan:
    """Return a house of updates, by the way of one death."""
    modules = _modules(*_NEEDS)
    modules[0] = replace(modules[0], press_at=0.0)
    return HousePlan(
        seed="tour",
        number=0,
        modules=tuple(modules),
        deaths=(Death(kind="point", point="after_first_byte", module="m0"),),
        parallel=len(modules),
        release_after=0.1,
    )


def _rollout(number: int, modules: list[ModulePlan], **terms: Any) -> HousePlan:
    plan: dict[str, Any] = {
        "members": tuple(module.name for module in modules),
        "canaries": 1,
        "soak": 0.3,
        "waves": ("1",),
        "pause": 0.3,
        "stop": "0",
        "start_at": 0.1,
    }
    return HousePlan(
        seed="tour",
        number=number,
        modules=tuple(modules),
        deaths=(),
        parallel=2,
        rollout=RolloutPlan(**plan | terms),
        opens_at=(1.0,),
    )


def _done() -> HousePlan:
    """Return one whose rollout rests, is paused and goes on, and whose canary sleeps."""
    modules = _of_one_kind("sleeps", "sleeps", "sleeps")
    modules[0] = replace(modules[0], sleep=Sleep(asleep=3.0, awake=3.0))
    return _rollout(1, modules, pause_after=1.5, resume_after=0.5)


def _stopped() -> HousePlan:
    """Return one whose first canary fails while the second waits."""
    modules = _of_one_kind("sleeps", "sleeps", "sleeps")
    modules[0] = replace(modules[0], faults={"old_sketch_back": 1})
    return replace(_rollout(2, modules, canaries=2), parallel=1)


def _cancelled() -> HousePlan:
    return _rollout(3, _of_one_kind("sleeps", "sleeps"), cancel_after=1.5)


def _guests() -> HousePlan:
    """Return one with two guests; Home Assistant dies when one of them was called."""
    plan = GuestPlan(blocks=False, is_sent=False, seconds=0.4, away=0.3)
    modules = [as_guest(module, plan) for module in _modules("plain", "plain")]
    death = Death(kind="point", point="after_call", module="m0")
    return HousePlan(seed="tour", number=4, modules=tuple(modules), deaths=(death,), parallel=2)


def _evil() -> Iterator[HousePlan]:
    """Yield houses in which every kind of evil has its turn, each with one module that is good."""
    kinds = [(door, kind) for door, names in KINDS.items() for kind in names]
    for number, some in enumerate(batched(kinds, PER_HOUSE - 1, strict=False)):
        chance = random.Random(f"evil {number}")
        modules = [plan_module(chance, "m0", "plain")]
        for index, (door, kind) in enumerate(some, 1):
            plain = plan_module(chance, f"m{index}", "plain")
            config = {**plain.config, "password": None, "txt_firmware": True}
            dialect = "update_server" if door == UPLOAD else None
            modules.append(
                replace(plain, door=door, dialect=dialect, config=config, faults={}, evil=kind)
            )
        modules = [replace(item, cancel_after=None, reload_after=None) for item in modules]
        yield HousePlan(seed="evil", number=number, modules=tuple(modules), deaths=(), parallel=3)


EVIL_TOUR: Final = tuple(_evil())
TOUR: Final = (_updates(), _done(), _stopped(), _cancelled(), _guests())
