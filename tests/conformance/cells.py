"""The dimensions of the matrix: doors, generations of modules, and situations they get into."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
import hashlib
from typing import Any, Final

from tests.virtual_module import Fault, HttpDialect

PUSH: Final = "arduino_ota"
PULL: Final = "http_pull"
PAGES: Final = tuple(dialect.value for dialect in HttpDialect)
DOORS: Final = (PUSH, *PAGES, PULL)

CLASSIC_FIRST: Final = "ESP8266, June 2015"
CLASSIC: Final = "ESP8266, July 2015"
ESP8266_2_3: Final = "ESP8266 2.3"
ESP8266_2_7: Final = "ESP8266 2.7"
ESP8266_3_1: Final = "ESP8266 3.1"
ESP32_MD5: Final = "ESP32 to 3.3.0"
ESP32_PBKDF2: Final = "ESP32 from 3.3.1"
RP2040: Final = "RP2040"
_FROM_2015: Final = {"chip": "esp8266", "port": 8266, "offline_time": 100.0}
"""Two seconds: a restart that nothing else will tell of shall not be missed."""
GENERATIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    CLASSIC_FIRST: _FROM_2015 | {"generation": "classic_first"},
    CLASSIC: _FROM_2015 | {"generation": "classic"},
    ESP8266_2_3: {"chip": "esp8266", "core": "2.3.0"},
    ESP8266_2_7: {"chip": "esp8266", "core": "2.7.4"},
    ESP8266_3_1: {"chip": "esp8266", "core": "3.1.2"},
    ESP32_MD5: {"chip": "esp32", "generation": "legacy"},
    ESP32_PBKDF2: {"chip": "esp32s3", "generation": "pbkdf2"},
    RP2040: {"chip": "rp2040"},
}
"""What a module is, by the core that its sketch was built with."""

CLASSICS: Final = (CLASSIC_FIRST, CLASSIC)
"""They know no password, say nothing of themselves, and have no other door."""
CLASSIC_WAITS: Final = {"evidence": 0.5, "answer": 1.0, "result": 6.0}
_SINCE_2_7: Final = (ESP8266_2_7, ESP8266_3_1)
_ESP32: Final = (ESP32_MD5, ESP32_PBKDF2)
_HAVE_DOOR: Final[Mapping[str, tuple[str, ...]]] = {
    PULL: tuple(one for one in GENERATIONS if one not in CLASSICS),
    HttpDialect.UPDATE_SERVER: (*_SINCE_2_7, *_ESP32, RP2040),
    HttpDialect.WEB_UPDATE: (*_SINCE_2_7, *_ESP32, RP2040),
    HttpDialect.ELEGANT_OTA: (*_SINCE_2_7, *_ESP32, RP2040),
    HttpDialect.ASYNC_ELEGANT_OTA: (*_SINCE_2_7, ESP32_MD5),  # it was given up before 3.3.1
    HttpDialect.PRETTY_OTA: _ESP32,
    HttpDialect.TASMOTA: (ESP8266_2_7, *_ESP32),  # it stays with 2.7
    HttpDialect.ESP_EASY: (*_SINCE_2_7, *_ESP32),
    HttpDialect.WIFI_OTA: (*_SINCE_2_7, *_ESP32, RP2040),
}
"""A page on a core of 2016 differs in the wording of errors only; all have the first door."""

PASSWORD: Final = "watering-can"
OWN_SECRET: Final = "secret-of-one"
FIRMWARE: Final = "garden-valve"
WITH_FILES: Final = "garden-files"
"""A firmware whose releases have files beside the sketch."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Situation:
    """What is particular about one module and its install; the rest is as it should be."""

    title: str
    lock: str | None = PASSWORD
    """The module's password."""
    key: str | None = PASSWORD
    """What Home Assistant knows of it."""
    module: Mapping[str, Any] = field(default_factory=dict)
    """Changes of the module's configuration."""
    path: str = "/{house}"
    """The end of the URL in a sketch that asks."""
    login: str | None = None
    """What it sends as HTTP password, where it has one."""
    own_secret: str | None = None
    firmware: str = FIRMWARE
    card: str = "firmware"
    """What Update is pressed on: the sketch's card, or that of the files."""
    waits: Mapping[str, float] = field(default_factory=dict)
    """Limits that shall run out, in seconds."""
    small_slot: bool = False
    stops_after_failure: bool = False
    """A sketch that asks does not go on after a call that failed."""
    quiet: bool = False
    """The module says nothing of what it runs."""
    moves: bool = False
    """While its valve closes, it loses its power and comes back at another address."""
    neighbour: bool = False
    """Another module, which takes any image, gets the address that it had."""


def _fault(
    title: str,
    fault: Fault,
    times: int | None = None,
    *,
    waits: Mapping[str, float] | None = None,
    **module: Any,
) -> Situation:
    return Situation(title=title, module={"faults": {fault: times}} | module, waits=waits or {})


HASHED: Final = Situation(
    title="sketch has the password's MD5",
    lock=None,
    module={"password_hash": hashlib.md5(PASSWORD.encode()).hexdigest()},
)
LOGINS: Final = (
    Situation(title="no password", lock=None, key=None),
    Situation(title="right password"),
    HASHED,
    Situation(title="wrong password", key="battery staple"),
    Situation(title="password not given", key=None),
)
"""At the doors that we go to."""
_NO_OFFER: Final = {"offer": 3.0}
SECRETS: Final = (
    Situation(title="secret of the house"),
    Situation(title="secret of its own", path="/{own}", own_secret=OWN_SECRET),
    Situation(title="secret as HTTP password", path="", login="{house}"),
    Situation(title="wrong secret", path="/wrong", waits=_NO_OFFER),
    Situation(title="house's secret, has its own", own_secret=OWN_SECRET, waits=_NO_OFFER),
    Situation(title="secret not given", path="", waits=_NO_OFFER),
)
"""Of modules that come to us."""
_LONG_AWAY: Final = {"offline_time": _FROM_2015["offline_time"]}
OUTCOMES: Final = (
    Situation(title="files come first", firmware=WITH_FILES, module=_LONG_AWAY),
    Situation(
        title="files alone",
        firmware=WITH_FILES,
        card="files",
        module=_LONG_AWAY,
        waits={"evidence": 0.5},
    ),
    Situation(
        title="says nothing of itself", quiet=True, module=_LONG_AWAY, waits={"evidence": 0.5}
    ),
    Situation(title="image too large", small_slot=True, waits={"callback": 3.0}),
    _fault("connection breaks once", Fault.RESET, 1),
    _fault("connection breaks each time", Fault.RESET),
    _fault("restarts in the middle", Fault.REBOOT_MIDWAY, waits={"restart": 0.8}, **_LONG_AWAY),
    _fault("restarts without a word", Fault.REBOOT_WITHOUT_OK, waits={"result": 1.0}),
    _fault("does not restart", Fault.NO_RESTART, waits={"go": 2.0, "evidence": 1.0}),
    _fault("old sketch is back", Fault.OLD_SKETCH_BACK, waits={"evidence": 15.0}, **_LONG_AWAY),
    _fault("does not come back", Fault.NEVER_BACK, waits={"back": 2.0, "offer": 3.0}),
)
"""What becomes of an image that may be sent."""
_JOINS: Final = {"offline_time": 150.0}
"""Three seconds: nobody is in the Wi-Fi again much sooner."""
_moves = partial(Situation, moves=True, module=_JOINS, waits={"retry_pause": 4.0})
MOVES: Final = (
    _moves(title="comes back at another address"),
    _moves(title="a neighbour gets its address", neighbour=True),
)
"""Of modules that we go to: a module that asks comes from wherever it is."""
REFUSED_AT_THE_END: Final = Situation(
    title="files are refused at the end",
    firmware=WITH_FILES,
    card="files",
    module={"faults": {Fault.FLASH_WRITE_ERROR: None}, "fault_at": 0.99},
    stops_after_failure=True,
)
"""Of modules that are told a size: an update page does not know where the end is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One install of the matrix."""

    door: str
    generation: str
    situation: Situation

    def __str__(self) -> str:
        return f"{self.door}, {self.generation}: {self.situation.title}"


def generations_of(door: str) -> tuple[str, ...]:
    """Return the generations that have this door."""
    return _HAVE_DOOR.get(door, tuple(GENERATIONS))


def situations_of(door: str) -> tuple[Situation, ...]:
    """Return the situations that modules with this door can be in."""
    if door == PULL:
        return (*SECRETS, *OUTCOMES, REFUSED_AT_THE_END)
    if door == PUSH:
        return (*LOGINS, *OUTCOMES, *MOVES, REFUSED_AT_THE_END)
    return (*(one for one in LOGINS if one is not HASHED), *OUTCOMES, *MOVES)


def exists(door: str, generation: str, situation: Situation) -> bool:
    """Whether there is such a cell: on other cores the MD5 is how each password is kept."""
    known = generation in generations_of(door) and situation in situations_of(door)
    if generation in CLASSICS:
        always_restarts = Fault.NO_RESTART in situation.module.get("faults", ())
        others = (*LOGINS[1:], REFUSED_AT_THE_END)
        return known and situation not in others and not always_restarts
    return known and (situation is not HASHED or generation == ESP32_PBKDF2)


def cells_of(doors: tuple[str, ...]) -> Iterator[Cell]:
    """Yield all installs through some doors."""
    for door in doors:
        for situation in situations_of(door):
            for generation in generations_of(door):
                if exists(door, generation, situation):
                    yield Cell(door=door, generation=generation, situation=situation)
