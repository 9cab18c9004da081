"""How each install of the matrix has to end: what is said of it, and what is true."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from custom_components.esp_ota.ota import Cause, Verdict
from tests.virtual_module import HttpDialect

from .cells import (
    CLASSIC,
    CLASSIC_FIRST,
    DOORS,
    ESP32_MD5,
    ESP32_PBKDF2,
    ESP8266_2_3,
    PULL,
    PUSH,
    RP2040,
    Cell,
)


class Took(StrEnum):
    """How much of what was sent last the module took in."""

    NOTHING = "nothing"
    PART = "part"
    ALL = "all"


class Runs(StrEnum):
    """What a module runs in the end."""

    OLD = "old"
    NEW = "new"
    NOTHING = "nothing"
    ELSE = "something else"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """What an install ended as, and what was true of the module then."""

    verdict: Verdict
    cause: Cause | None = None
    tries: int = 1
    """How often an image was sent, or collected."""
    took: Took = Took.ALL
    restarts: int = 1
    runs: Runs = Runs.NEW


type Row = Ending | Mapping[str, Ending]
"""One ending for all generations, or one for each."""

_RUNS: Final = Ending(verdict=Verdict.VERIFIED)


def _refused(cause: Cause) -> Ending:
    """Return the ending of an install that never reached the module's flash."""
    return Ending(
        verdict=Verdict.REFUSED,
        cause=cause,
        tries=0,
        took=Took.NOTHING,
        restarts=0,
        runs=Runs.OLD,
    )


def _failed(cause: Cause, took: Took = Took.PART, *, tries: int = 1, restarts: int = 0) -> Ending:
    """Return the ending of an install after which the old sketch runs."""
    return Ending(
        verdict=Verdict.FAILED,
        cause=cause,
        tries=tries,
        took=took,
        restarts=restarts,
        runs=Runs.OLD,
    )


_OLD_BACK: Final = Ending(verdict=Verdict.UNCHANGED, cause=Cause.OLD_VERSION_BACK, runs=Runs.OLD)
"""It says a version and no sum: the new image may run with the old number as well."""
_OLD_ASKS: Final = replace(_OLD_BACK, cause=Cause.OLD_FIRMWARE_ASKS)
"""Its sum tells which image it is."""
_NEVER_BACK: Final = Ending(
    verdict=Verdict.FAILED, cause=Cause.DID_NOT_COME_BACK, runs=Runs.NOTHING
)
_FILES: Final = Ending(verdict=Verdict.UNVERIFIED, runs=Runs.OLD)
"""No module says what its files are."""
_NO_FILES: Final = {
    title: _refused(Cause.NO_FILESYSTEM_UPLOAD) for title in ("files come first", "files alone")
}

_MOVED: Final = replace(_RUNS, restarts=2)
"""The first one is where it lost its power."""

_AFTER_ALL: Final[Mapping[str, Row]] = {
    "says nothing of itself": replace(_RUNS, verdict=Verdict.UNVERIFIED),
    "connection breaks once": replace(_RUNS, tries=2),
    "restarts without a word": _RUNS,
}
"""Through each door."""
_WE_GO: Final[Mapping[str, Row]] = {
    **_AFTER_ALL,
    "no password": _RUNS,
    "comes back at another address": _MOVED,
    "a neighbour gets its address": _MOVED,
    "right password": _RUNS,
    "sketch has the password's MD5": _RUNS,
    "wrong password": _refused(Cause.WRONG_PASSWORD),
    "password not given": _refused(Cause.PASSWORD_MISSING),
    "files come first": replace(_RUNS, tries=2, restarts=2),
    "files alone": _FILES,
    "image too large": _failed(Cause.NO_SPACE),
    "connection breaks each time": _failed(Cause.CONNECTION_LOST, tries=3),
    "restarts in the middle": _failed(Cause.REBOOTED, tries=3, restarts=3),
    "does not restart": _failed(Cause.DID_NOT_RESTART, Took.ALL),
    "old sketch is back": _OLD_BACK,
    "does not come back": _NEVER_BACK,
}
"""To the module, by its update page if nothing else is said."""

_TAKEN: Final = replace(_RUNS, verdict=Verdict.UNVERIFIED)
"""By a module that says nothing of itself."""
_HOW_IT_MOVES: Final = ("comes back at another address", "a neighbour gets its address")
_ASKED: Final = replace(_refused(Cause.MODULE_MOVED), restarts=1)
"""Nothing at the new address tells that it is the same module, without stopping its sketch or
telling it of a visitor: a person is asked."""
_MOVED_SILENT: Final = dict.fromkeys(_HOW_IT_MOVES, replace(_ASKED, tries=1))
_FLASHES_FILES: Final = _failed(Cause.FILES_UNANSWERED, Took.NOTHING)
_DEAF: Final = _failed(Cause.PORT_CLOSED)
"""The sketch stopped all UDP when it was invited, and hears no second invitation."""
_OF_2015: Final[Mapping[str, Mapping[str, Ending]]] = {
    CLASSIC_FIRST: {
        "no password": _TAKEN,
        "files come first": _FLASHES_FILES,
        "files alone": _FLASHES_FILES,
        "files are refused at the end": _FLASHES_FILES,
        "image too large": _failed(Cause.CONNECTION_LOST, Took.NOTHING, tries=3),
        "connection breaks once": replace(_TAKEN, tries=2),
        "restarts without a word": _TAKEN,
        **_MOVED_SILENT,
        "old sketch is back": replace(_TAKEN, runs=Runs.OLD),
    },
    CLASSIC: {
        "no password": _TAKEN,
        "files come first": _FLASHES_FILES,
        "files alone": _FLASHES_FILES,
        "files are refused at the end": _FLASHES_FILES,
        "image too large": _failed(Cause.STOPPED_LISTENING, Took.NOTHING, tries=0),
        "connection breaks once": _DEAF,
        "connection breaks each time": _DEAF,
        "restarts without a word": _TAKEN,
        **_MOVED_SILENT,
        "old sketch is back": replace(_TAKEN, runs=Runs.OLD),
    },
}
"""Where it differs from what came after."""

ENDINGS: Final[Mapping[str, Mapping[str, Row]]] = {
    PUSH: {
        **_WE_GO,
        "files are refused at the end": _failed(Cause.FLASH_FAILED, Took.ALL),
        "image too large": {
            # A core of 2016 says OK before it looks at the size, as an ESP32 does.
            ESP8266_2_3: _failed(Cause.NO_CALLBACK, Took.NOTHING, tries=0),
            ESP32_MD5: _failed(Cause.NO_CALLBACK_OR_TOO_LARGE, Took.NOTHING, tries=0),
            ESP32_PBKDF2: _failed(Cause.NO_CALLBACK_OR_TOO_LARGE, Took.NOTHING, tries=0),
            "": _refused(Cause.NO_SPACE),
        },
    },
    HttpDialect.UPDATE_SERVER: _WE_GO,
    HttpDialect.WEB_UPDATE: {
        **_WE_GO,
        # It asks for the password behind the upload, and has nothing to say but FAIL.
        "wrong password": _failed(Cause.WRONG_PASSWORD, Took.ALL),
        "password not given": _failed(Cause.PASSWORD_MISSING, Took.ALL),
        **_NO_FILES,
        "image too large": _failed(Cause.REJECTED_BY_PAGE, restarts=1),
    },
    HttpDialect.ELEGANT_OTA: {
        **_WE_GO,
        # The bytes of a broken upload stay in the next one, which fails for their sake.
        "connection breaks once": replace(_RUNS, tries=3),
    },
    HttpDialect.ASYNC_ELEGANT_OTA: {**_WE_GO, "image too large": _failed(Cause.REJECTED_BY_PAGE)},
    HttpDialect.PRETTY_OTA: {
        **_WE_GO,
        # An upload that broke keeps it busy until it restarts.
        "connection breaks once": _failed(Cause.BUSY),
        "connection breaks each time": _failed(Cause.BUSY),
    },
    HttpDialect.TASMOTA: {**_WE_GO, **_NO_FILES},
    HttpDialect.ESP_EASY: {**_WE_GO, **_NO_FILES},
    HttpDialect.WIFI_OTA: {
        **_WE_GO,
        **dict.fromkeys(_HOW_IT_MOVES, _ASKED),
        # It looks at the headers of the upload only, and answers before it reads on.
        "wrong password": _failed(Cause.WRONG_PASSWORD, Took.NOTHING),
        "password not given": _failed(Cause.PASSWORD_MISSING, Took.NOTHING),
        "image too large": _failed(Cause.REJECTED, Took.NOTHING),
    },
    PULL: {
        **_AFTER_ALL,
        "secret of the house": _RUNS,
        "secret of its own": _RUNS,
        "secret as HTTP password": _RUNS,
        "wrong secret": _refused(Cause.NO_POLL),
        "house's secret, has its own": _refused(Cause.NO_POLL),
        "secret not given": _refused(Cause.NO_POLL),
        "files come first": {
            # Files alone restart a core of 2016 only.
            ESP8266_2_3: replace(_RUNS, tries=2, restarts=2),
            "": replace(_RUNS, tries=2),
        },
        "files alone": {ESP8266_2_3: _FILES, "": replace(_FILES, restarts=0)},
        "image too large": {
            # It does not say how much room it has: it breaks off behind the headers.
            RP2040: _failed(Cause.DOWNLOAD_DECLINED, Took.NOTHING, tries=2),
            "": _refused(Cause.TOO_LARGE),
        },
        "connection breaks each time": _failed(Cause.CONNECTION_LOST, tries=2),
        "restarts in the middle": _failed(Cause.REBOOTED, tries=2, restarts=2),
        "does not restart": {
            # They send no sum.
            ESP8266_2_3: replace(_OLD_BACK, restarts=0),
            RP2040: replace(_OLD_BACK, restarts=0),
            "": replace(_OLD_ASKS, restarts=0),
        },
        "old sketch is back": {ESP8266_2_3: _OLD_BACK, RP2040: _OLD_BACK, "": _OLD_ASKS},
        "files are refused at the end": {
            ESP8266_2_3: _failed(Cause.FILES_NO_RESTART, Took.ALL),
            "": _failed(Cause.FILES_ASKED_AGAIN, Took.ALL),
        },
        "does not come back": replace(_NEVER_BACK, cause=Cause.SILENT_AFTER_DOWNLOAD),
    },
}
assert tuple(ENDINGS) == DOORS


def ending_of(cell: Cell) -> Ending:
    """Return how an install has to end."""
    row = ENDINGS[cell.door][cell.situation.title]
    if (classic := _OF_2015.get(cell.generation, {}).get(cell.situation.title)) is not None:
        return classic
    if isinstance(row, Ending):
        return row
    return row.get(cell.generation, row[""])
