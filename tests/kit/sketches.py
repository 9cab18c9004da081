"""The sketches of the documentation, compiled for this machine with stand-ins for the cores."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
import shutil
import subprocess
import tempfile
from typing import Final

from tests.kit.places import ROOT

SKETCHES: Final = ROOT / "docs" / "sketches"
_STAND_IN: Final = Path(__file__).parent / "arduino"
COMPILER: Final = shutil.which("g++") or shutil.which("c++")
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "ESP8266": (
        "ArduinoOTA.h",
        "ESP8266HTTPUpdateServer.h",
        "ESP8266WiFi.h",
        "ESP8266httpUpdate.h",
        "ESP8266mDNS.h",
    ),
    "ESP32": ("ArduinoOTA.h", "ESPmDNS.h", "HTTPUpdate.h", "HTTPUpdateServer.h", "WiFi.h"),
    "RP2040": ("ArduinoOTA.h", "HTTPUpdate.h", "HTTPUpdateServer.h", "WebServer.h", "WiFi.h"),
}
"""What each core has of what the sketches include; the stand-in is one file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What a sketch did, a line each, and its image."""

    lines: list[str]
    image: bytes

    def after(self, word: str) -> list[str]:
        """Return the rest of the lines that begin with a word."""
        return [line.removeprefix(f"{word} ") for line in self.lines if line.startswith(f"{word} ")]

    @property
    def txt(self) -> dict[str, str]:
        """Return the records that were added to `_arduino._tcp`."""
        records = [line.partition(" ") for line in self.after("txt")]
        assert {service for service, _, _ in records} <= {"arduino.tcp"}
        return dict(record.split("=", 1) for _, _, record in records)


@cache
def run(sketch: str, chip: str, **defined: str | int) -> Ran:
    """Compile a sketch as for a chip, as small as the cores do, and run it."""
    with tempfile.TemporaryDirectory() as name:
        compiled = _compile(SKETCHES / sketch / f"{sketch}.ino", chip, Path(name), defined)
        assert compiled.returncode == 0, compiled.stderr
        program = Path(name) / "sketch"
        ran = subprocess.run([program], capture_output=True, text=True, check=True)
        return Ran(lines=ran.stdout.splitlines(), image=program.read_bytes())


def errors(text: str, chip: str) -> list[str]:
    """Return what the compiler has against a sketch, a line each."""
    with tempfile.TemporaryDirectory() as name:
        sketch = Path(name) / "sketch.ino"
        sketch.write_text(text)
        said = _compile(sketch, chip, Path(name), {}).stderr
        return [line for line in said.splitlines() if "error:" in line]


def _compile(
    sketch: Path, chip: str, folder: Path, defined: Mapping[str, str | int]
) -> subprocess.CompletedProcess[str]:
    for header in HEADERS[chip]:
        (folder / header).write_text('#include "Arduino.h"\n')
    assert COMPILER is not None
    command = [
        COMPILER,
        *("-std=gnu++17", "-Os", "-Wall", "-Wextra", "-Werror"),
        *("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"),
        f"-DARDUINO_ARCH_{chip}",
        f'-DSKETCH="{sketch}"',
        *(f"-D{name}={value}" for name, value in defined.items()),
        *(f"-I{place}" for place in (folder, _STAND_IN, SKETCHES)),
        *("-include", "Arduino.h"),
        str(_STAND_IN / "main.cpp"),
        *("-o", str(folder / "sketch")),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)
