"""Draws the plan of a house: modules, faults, valves, presses and deaths, all from its seed."""

from dataclasses import replace
import random
from typing import Any, Final

from tests.virtual_module import Chip, Fault

from .draw_guests import with_guests
from .draw_many import need_of, with_many
from .plan import (
    PER_HOUSE,
    PULL,
    PUSH,
    UPLOAD,
    Death,
    Full,
    HousePlan,
    Impostor,
    ModulePlan,
    Mood,
    Move,
    ValvePlan,
)
from .torture_garden.points import NEEDS, POINTS

_PASSWORD: Final = "watering-can"
_TIME_SCALE: Final = 0.02
_GENERATIONS: Final[list[dict[str, Any]]] = [
    {"chip": Chip.ESP8266, "core": "3.1.2"},
    {"chip": Chip.ESP8266, "core": "2.7.4"},
    {"chip": Chip.ESP32, "generation": "legacy"},
    {"chip": Chip.ESP32S3, "generation": "pbkdf2"},
    {"chip": Chip.RP2040},
]
_MOVES: Final = 0.25
_FULL: Final = 0.06
_JOINS: Final = {"offline_time": 80.0}
"""1.6 s: nobody is in the Wi-Fi again any sooner, and asked for a breath (1.4 s) before it is."""
_IMPOSTURES: Final = 0.2
_IMPOSTORS: Final = ("mac", "name", "goodbye", "swap")
_SHARED: Final = 0.5
"""How many houses have a valve that several modules switch."""
_TOGETHER: Final = (2, 3)
_DIALECTS: Final = ("update_server", "web_update", "elegant_ota")
_FAULTS: Final[dict[str, list[tuple[Fault, int | None]]]] = {
    PUSH: [
        (Fault.RESET, 1),
        (Fault.RESET, None),
        (Fault.REBOOT_MIDWAY, 1),
        (Fault.HANG_MIDWAY, 1),
        (Fault.HANG_AFTER_ACCEPT, 1),
        (Fault.SILENT_DEATH, 1),
        (Fault.CLOSE_WITHOUT_OK, 1),
        (Fault.REBOOT_WITHOUT_OK, 1),
        (Fault.OLD_SKETCH_BACK, 1),
        (Fault.WRONG_VERSION_BACK, 1),
        (Fault.SLOW_RESTART, 1),
        (Fault.NEVER_BACK, 1),
        (Fault.NO_RESTART, 1),
        (Fault.BUSY, 1),
        (Fault.LOST_FIRST_REPLY, 1),
        (Fault.LATE_REPLY, 1),
        (Fault.GARBAGE_REPLY, 1),
        (Fault.NOT_ENOUGH_SPACE, 1),
        (Fault.NO_CONNECT, 1),
        (Fault.FLASH_WRITE_ERROR, 1),
        (Fault.WRONG_MD5, 1),
        (Fault.SPLIT_OK, 1),
        (Fault.MERGED_OK, 1),
        (Fault.DUPLICATE_ACK, None),
        (Fault.SLOW_SECTOR, 1),
    ],
    PULL: [
        (Fault.RESET, 1),
        (Fault.RESET, None),
        (Fault.REBOOT_MIDWAY, 1),
        (Fault.HANG_MIDWAY, 1),
        (Fault.OLD_SKETCH_BACK, 1),
        (Fault.SLOW_RESTART, 1),
        (Fault.NEVER_BACK, 1),
        (Fault.NO_RESTART, 1),
        (Fault.NOT_ENOUGH_SPACE, 1),
        (Fault.REBOOT_WITHOUT_OK, 1),
    ],
    UPLOAD: [
        (Fault.RESET, 1),
        (Fault.RESET, None),
        (Fault.REBOOT_MIDWAY, 1),
        (Fault.HANG_MIDWAY, 1),
        (Fault.CLOSE_WITHOUT_OK, 1),
        (Fault.REBOOT_WITHOUT_OK, 1),
        (Fault.OLD_SKETCH_BACK, 1),
        (Fault.WRONG_VERSION_BACK, 1),
        (Fault.SLOW_RESTART, 1),
        (Fault.NEVER_BACK, 1),
    ],
}


def plan_house(seed: str, number: int, per_house: int = PER_HOUSE) -> HousePlan:
    """Decide everything about one house; the points are gone through in turn."""
    chance = random.Random(f"{seed}:{number}")
    deaths = _deaths(chance, number, per_house)
    needs = {death.module: NEEDS.get(death.point or "", "plain") for death in deaths if death.point}
    modules = [
        plan_module(chance, f"m{index}", needs.get(f"m{index}")) for index in range(per_house)
    ]
    full = _full(chance) if not deaths or chance.random() < _FULL else ()
    if full:
        deaths, needs = (), {}
    modules = _sharing(random.Random(f"{seed}:{number}:shared"), modules, set(needs))
    beside = "upload_beside" in needs.values() or chance.random() < 0.05
    house = HousePlan(
        seed=seed,
        number=number,
        modules=tuple(modules),
        deaths=deaths,
        parallel=chance.choice((1, 2, 3, per_house, per_house)),
        release_after=chance.uniform(0.0, 1.0) if beside else None,
        full=full,
    )
    return with_guests(
        with_many(house, {need for death in deaths if (need := need_of(death.point))})
    )


def _full(chance: random.Random) -> tuple[Full, ...]:
    """Return when the disk is full: before the first press, in the middle, again and again."""
    return tuple(
        Full(after=chance.uniform(0.0, 1.5), seconds=chance.choice((0.3, 1.5, 4.0)))
        for _ in range(chance.choice((1, 1, 2, 4)))
    )


def _sharing(
    chance: random.Random, modules: list[ModulePlan], killed: set[str | None]
) -> list[ModulePlan]:
    """Have some modules switch one valve; not those that are to be killed at a point of theirs."""
    free = [module for module in modules if module.name not in killed]
    if len(free) < _TOGETHER[0] or chance.random() > _SHARED:
        return modules
    owner, *others = chance.sample(free, chance.choice([n for n in _TOGETHER if n <= len(free)]))
    options = owner.options
    for other in others:
        carefully = {**other.options, "restore_conditions": options["restore_conditions"]}
        shared = replace(other, shares=owner.name, valve=owner.valve, options=carefully)
        modules[modules.index(other)] = shared
    return modules


def _deaths(chance: random.Random, number: int, per_house: int) -> tuple[Death, ...]:
    """Return the ends of the lives: most at a named point, each of which has its turn."""
    victim = f"m{chance.randrange(per_house)}"
    points = list(POINTS)
    found: list[Death] = []
    kind = chance.choices(("point", "random", "stop", "none"), (74, 15, 7, 4))[0]
    if kind == "point":
        point = points[number % len(points)]
        if NEEDS.get(point) == "second_life":
            found = [Death(kind="random", after=chance.uniform(0.3, 1.5))]
            found.append(Death(kind="point", point=point))
        elif NEEDS.get(point) == "guest_again":
            found = [Death(kind="point", point="after_call", module=victim)]
            found.append(Death(kind="point", point=point, module=victim))
        elif NEEDS.get(point) == "upload_beside":
            found = [Death(kind="point", point=point)]
        elif (need := need_of(point)) is not None and need.startswith("rollout"):
            nth = chance.randint(1, 12) if need == "rollout_file" else 1
            found = [Death(kind="point", point=point, nth=nth)]
        elif NEEDS.get(point) == "anybody":
            found = [Death(kind="point", point=point, nth=chance.randint(1, 40))]
        else:
            found = [Death(kind="point", point=point, module=victim)]
    elif kind == "random":
        found = [Death(kind="random", after=chance.uniform(0.0, 3.0))]
    elif kind == "stop":
        found = [Death(kind="stop", after=chance.uniform(0.0, 2.5))]
    if found and chance.random() < 0.25:
        if chance.random() < 0.5:
            found.append(Death(kind="random", after=chance.uniform(0.1, 2.0)))
        else:
            later = [point for point in points if NEEDS.get(point) != "upload_beside"]
            found.append(Death(kind="point", point=chance.choice(later)))
    return tuple(found)


def plan_module(chance: random.Random, name: str, need: str | None) -> ModulePlan:
    """Return one run; what is to be killed at a point must come to it."""
    quiet_life = need is not None
    door = chance.choices((PUSH, PULL, UPLOAD), (64, 20, 16))[0]
    forced = {"pull": PULL, "tries_again": PUSH, "goes_back": PUSH, "sleeps": PUSH}
    door = forced.get(need or "", door)
    generation = dict(chance.choice(_GENERATIONS))
    dialect = chance.choice(_DIALECTS) if door == UPLOAD else None
    faults = _faults(chance, door, need)
    if Fault.NO_CONNECT in faults:
        generation = dict(_GENERATIONS[0])
    talks = door == PULL or need == "goes_back" or chance.random() < 0.8
    config = generation | {
        "time_scale": _TIME_SCALE,
        "offline_time": chance.choice((15.0, 15.0, 25.0)),
        "auth_time": 0.1,
        "limit_scale": 4.0,
        "late_reply_time": 0.3,
        "slow_restart_time": 50.0,
        "revive_after": chance.choice((0.3, 1.0)),
        "fault_at": chance.choice((0.05, 0.3, 0.5, 0.9)),
        "slow_sector_time": 0.03,
        "sector_time": chance.choice((0.0, 0.005, 0.02, 0.04)),
        "txt_firmware": talks,
        "password": _PASSWORD if door == PUSH and chance.random() < 0.3 else None,
    }
    plan = ModulePlan(
        name=name,
        door=door,
        config=config,
        dialect=dialect,
        faults=faults,
        valve=ValvePlan() if quiet_life else _valve(chance),
        options=_options(chance, need),
        press_at=0.0 if quiet_life else chance.uniform(0.0, 0.8),
        again_after=chance.uniform(0.05, 0.6) if chance.random() < 0.15 else None,
        cancel_after=_sometimes(chance, 0.0 if quiet_life else 0.12, 2.0),
        reload_after=_sometimes(chance, 0.0 if quiet_life else 0.06, 2.0),
    )
    return plan if quiet_life or door == PULL else _moving(chance, plan)


def _moving(chance: random.Random, plan: ModulePlan) -> ModulePlan:
    """Return a run in which the module may move, or somebody says that it did, at any point."""
    point = chance.choice([point for point in POINTS if point not in NEEDS])
    move = Move(point=point, swaps=chance.random() < 0.7)
    broken: dict[str, int | None] = {Fault.REBOOT_MIDWAY: 1} if chance.random() < 0.3 else {}
    drawn, kind = chance.random(), chance.choice(_IMPOSTORS)
    if drawn <= _MOVES:
        return replace(plan, moves=move, faults=broken, config={**plan.config, **_JOINS})
    if drawn <= _MOVES + _IMPOSTURES:  # of a module that stays there: who is silent is left alone
        return replace(plan, impostor=Impostor(point=point, kind=kind), faults=broken)
    return plan


def _sometimes(chance: random.Random, probability: float, longest: float) -> float | None:
    drawn, seconds = chance.random(), chance.uniform(0.05, longest)
    return seconds if drawn < probability else None


def _faults(chance: random.Random, door: str, need: str | None) -> dict[str, int | None]:
    forced = {"tries_again": (Fault.RESET, 1), "goes_back": (Fault.WRONG_VERSION_BACK, 1)}
    if need in forced:
        return dict([forced[need]])
    if need is not None or chance.random() < 0.35:
        return {}
    found = dict([chance.choice(_FAULTS[door])])
    if chance.random() < 0.15:
        found |= dict([chance.choice(_FAULTS[door])])
    return found


def _valve(chance: random.Random) -> ValvePlan:
    troubles = chance.choices(
        ("none", "jams", "refuses", "hangs", "moods", "late"), (40, 6, 6, 4, 36, 8)
    )[0]
    position = chance.choice(("closed", "closed", "open"))
    moods: list[Mood] = []
    if troubles == "moods":
        for _ in range(chance.choice((1, 1, 2, 3))):
            says = chance.choice(("unavailable", "unavailable", "open", "unknown", "closed"))
            after, seconds = chance.uniform(0.0, 1.5), chance.choice((0.03, 0.3, 0.8, 1.5))
            moods.append(Mood(after=after, seconds=seconds, says=says))
    return ValvePlan(
        lag=chance.choice((0.0, 0.05, 0.2, 0.5)),
        report=chance.choice((0.0, 0.02, 0.2)),
        answers_at_once=chance.random() < 0.6,
        jams=(position,) if troubles == "jams" else (),
        refuses=(position,) if troubles == "refuses" else (),
        hangs=(position,) if troubles == "hangs" else (),
        moods=tuple(moods),
        late_after_start=chance.uniform(0.3, 1.5) if troubles == "late" else 0.0,
    )


def _options(chance: random.Random, need: str | None) -> dict[str, Any]:
    """Return how carefully the person configured the module, its entity not yet named."""
    careful = chance.random()
    return {
        "stable": chance.choice((0, 0, 0.2)),
        "time_limit": 2.0,
        "restore_conditions": careful < 0.4,
        "when_missing": chance.choice(("restore", "restore", "stay_safe")),
        "rollback": "auto" if need == "goes_back" else chance.choice(("never", "ask", "auto")),
        "soak_minutes": 1 if need == "soaks" or chance.random() < 0.1 else 0,
    }
