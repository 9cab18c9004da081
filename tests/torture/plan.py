"""What a seed decides before anything runs: modules, their faults, valves, presses, and deaths."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import random
from typing import Any, Final

from tests.virtual_module import Chip, Fault

from .torture_garden.points import NEEDS, POINTS

OLD, NEW = "1.0.0", "1.1.0"
PUSH, PULL, UPLOAD = "arduino_ota", "http_pull", "http_upload"
PER_HOUSE: Final = 6
PASSWORD: Final = "watering-can"
_TIME_SCALE: Final = 0.02

WAITS: Final = {
    "answer": 0.8,
    "auth_answer": 2.0,
    "callback": 1.2,
    "stall": 1.2,
    "result": 0.8,
    "restart": 0.5,
    "retry_pause": 0.2,
    "watch_interval": 0.05,
    "request": 1.0,
    "offer": 3.0,
    "hold": 2.5,
    "go": 1.5,
    "back": 2.5,
    "evidence": 1.5,
    "evidence_unlikely": 0.4,
    "minute": 0.4,
}
"""Seconds that Home Assistant waits in a torture; a real one is more patient (`house.Patience`)."""

_GENERATIONS: Final[list[dict[str, Any]]] = [
    {"chip": Chip.ESP8266, "core": "3.1.2"},
    {"chip": Chip.ESP8266, "core": "2.7.4"},
    {"chip": Chip.ESP32, "generation": "legacy"},
    {"chip": Chip.ESP32S3, "generation": "pbkdf2"},
    {"chip": Chip.RP2040},
]
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Mood:
    """A while in which a valve's entity says something of its own."""

    after: float
    """Seconds since the valve was last told to close."""
    seconds: float
    says: str
    """`unavailable`, `unknown`, or a position that is a lie."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValvePlan:
    """How one valve behaves."""

    lag: float = 0.05
    """Seconds from the command to the movement's end."""
    report: float = 0.02
    """Seconds until Home Assistant is told of it."""
    answers_at_once: bool = True
    """The action returns before the valve has moved, as most do."""
    jams: tuple[str, ...] = ()
    """Positions it does not reach."""
    refuses: tuple[str, ...] = ()
    """Positions whose action raises."""
    hangs: tuple[str, ...] = ()
    """Positions whose action never returns."""
    moods: tuple[Mood, ...] = ()
    late_after_start: float = 0.0
    """Seconds for which its entity is unavailable after each start of Home Assistant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModulePlan:
    """One run: a module, its valve, and what the person does."""

    name: str
    door: str
    config: Mapping[str, Any]
    """For the virtual module."""
    dialect: str | None
    faults: Mapping[str, int | None]
    valve: ValvePlan
    options: Mapping[str, Any]
    """Of its config entry."""
    press_at: float
    again_after: float | None = None
    """Seconds until the second press, which must be refused."""
    cancel_after: float | None = None
    reload_after: float | None = None

    @property
    def firmware(self) -> str:
        """The name of its firmware."""
        return f"valve-{self.config['chip']}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Death:
    """How one life of Home Assistant ends, if nothing is done before."""

    kind: str
    """`point`, `random` or `stop`."""
    point: str | None = None
    module: str | None = None
    nth: int = 1
    after: float = 0.0
    """Seconds after the first press, of later lives after their beginning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HousePlan:
    """One house: some modules at once, and the deaths of its Home Assistant."""

    seed: str
    number: int
    modules: tuple[ModulePlan, ...]
    deaths: tuple[Death, ...]
    parallel: int
    release_after: float | None = None
    """Seconds until a release is uploaded beside all this."""
    waits: Mapping[str, float] = field(default_factory=lambda: dict(WAITS))

    def told(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def plan_house(seed: str, number: int, per_house: int = PER_HOUSE) -> HousePlan:
    """Decide everything about one house; the points are gone through in turn."""
    chance = random.Random(f"{seed}:{number}")  # noqa: S311 - to be repeated, not to be secret
    deaths = _deaths(chance, number, per_house)
    needs = {death.module: NEEDS.get(death.point or "", "plain") for death in deaths if death.point}
    modules = [_module(chance, f"m{index}", needs.get(f"m{index}")) for index in range(per_house)]
    beside = "upload_beside" in needs.values() or chance.random() < 0.05
    return HousePlan(
        seed=seed,
        number=number,
        modules=tuple(modules),
        deaths=deaths,
        parallel=chance.choice((2, 3, per_house, per_house)),
        release_after=chance.uniform(0.0, 1.0) if beside else None,
    )


def _deaths(chance: random.Random, number: int, per_house: int) -> tuple[Death, ...]:
    """Return the ends of the lives: most at a named point, each of which has its turn."""
    victim = f"m{chance.randrange(per_house)}"
    points = list(POINTS)
    found: list[Death] = []
    kind = chance.choices(("point", "random", "stop", "none"), (65, 20, 8, 7))[0]
    if kind == "point":
        point = points[number % len(points)]
        if NEEDS.get(point) == "second_life":
            found = [Death(kind="random", after=chance.uniform(0.3, 1.5))]
            found.append(Death(kind="point", point=point))
        elif NEEDS.get(point) == "upload_beside":
            found = [Death(kind="point", point=point)]
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


def _module(chance: random.Random, name: str, need: str | None) -> ModulePlan:
    """Return one run; what is to be killed at a point must come to it."""
    quiet_life = need is not None
    door = chance.choices((PUSH, PULL, UPLOAD), (64, 20, 16))[0]
    door = {"pull": PULL, "tries_again": PUSH, "goes_back": PUSH}.get(need or "", door)
    generation = dict(chance.choice(_GENERATIONS))
    dialect = chance.choice(_DIALECTS) if door == UPLOAD else None
    faults = _faults(chance, door, need)
    if Fault.NO_CONNECT in faults:
        generation = dict(_GENERATIONS[0])
    talks = door == PULL or need == "goes_back" or chance.random() < 0.75
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
        "sector_time": chance.choice((0.0, 0.005, 0.01, 0.03)),
        "txt_firmware": talks,
        "password": PASSWORD if door == PUSH and chance.random() < 0.3 else None,
    }
    return ModulePlan(
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
            after, seconds = chance.uniform(0.0, 2.0), chance.choice((0.03, 0.3, 0.8, 1.5))
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
