"""The matrix as a page, one table for each door."""

from collections.abc import Iterator, Mapping
import os
from pathlib import Path
from typing import Final

from .cells import DOORS, Cell, Situation, exists, generations_of, situations_of
from .endings import Ending

PAGE: Final = Path(__file__).parents[2] / "docs" / "conformance.md"
ASKED_TO_WRITE: Final = os.environ.get("ESP_OTA_CONFORMANCE") == "write"
SEEN: Final[dict[Cell, Ending]] = {}
"""How the cells ended that were run so far."""

_HEAD: Final = """\
# Conformance

What every kind of module ends as, through every door, in every situation that the tests put it
into. `script/conformance` runs all of it and writes this page: a real Home Assistant with real
sockets on loopback, and virtual modules that behave as the sources of the cores and libraries say.
No hardware took part.

Each cell says the verdict, its cause, and how often an image was sent or fetched where that is not
once. For each of them it was compared with the truth inside the module: how many bytes it took,
how often it restarted, which image runs in the end. In each of them the valve that the module
switches was closed once before the first byte and opened once after it, or was never touched.
"""
_CHECKED: Final = "*Checked for ESP OTA 0.1.0 with Home Assistant 2026.10 and 2026.11.*\n"
_TITLES: Final = {
    "arduino_ota": "ArduinoOTA push",
    "update_server": "Update page: HTTP update server of the cores",
    "web_update": "Update page: `WebUpdate` examples",
    "elegant_ota": "Update page: ElegantOTA 3",
    "async_elegant_ota": "Update page: AsyncElegantOTA 2",
    "pretty_ota": "Update page: PrettyOTA",
    "tasmota": "Update page: Tasmota",
    "esp_easy": "Update page: ESPEasy",
    "wifi_ota": "Update page: WiFiOTA of JAndrassy/ArduinoOTA",
    "http_pull": "The module asks (HTTP pull)",
}
assert tuple(_TITLES) == DOORS


def page_of(endings: Mapping[Cell, Ending]) -> str:
    """Return the page for all cells."""
    lines = [_HEAD, *(line for door in DOORS for line in table_of(door, endings))]
    return "\n".join([*lines, _CHECKED])


def seen() -> Iterator[str]:
    """Yield the tables of the doors whose cells were run."""
    for door in dict.fromkeys(cell.door for cell in SEEN):
        yield from table_of(door, SEEN)


def table_of(door: str, endings: Mapping[Cell, Ending]) -> Iterator[str]:
    """Yield the lines of one door's table."""
    generations = generations_of(door)
    yield f"## {_TITLES[door]}\n"
    yield _row("", *generations)
    yield _row(*("---" for _ in range(len(generations) + 1)))
    for situation in situations_of(door):
        texts = (_text(door, one, situation, endings) for one in generations)
        yield _row(situation.title, *texts)
    yield ""


def _row(*texts: str) -> str:
    return f"| {' | '.join(texts)} |"


def _text(door: str, generation: str, situation: Situation, endings: Mapping[Cell, Ending]) -> str:
    if not exists(door, generation, situation):
        return "-"
    ending = endings.get(Cell(door=door, generation=generation, situation=situation))
    if ending is None:
        return "not run"
    tries = f", {ending.tries} times" if ending.tries > 1 else ""
    return f"{ending.verdict}{f' `{ending.cause}`' if ending.cause else ''}{tries}"
