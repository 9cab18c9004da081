"""`python -m tests.corpus.compare --python PYTHON [FILE...]`: ask other tools what they think.

What we accept, esptool must find whole, with the same chip, flash mode and revisions, and
littlefs must mount. What we refuse as damaged, neither should accept; where one does, we know
more (a length word, a CRC), and it is only told.
"""

import argparse
from collections import Counter
import json
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Any

from custom_components.esp_ota.ota import Cause, ChipFamily, Image, OtaError, read_image

from . import cases

_DAMAGE = {Cause.TRUNCATED_IMAGE, Cause.CORRUPT_IMAGE}


def _ours(path: Path) -> Image | Cause:
    try:
        return read_image(path.read_bytes())
    except OtaError as error:
        return error.cause


def _question(path: Path, ours: Image | Cause) -> str | None:
    """Return which chip to ask about, "" for a LittleFS, None where nobody else can tell."""
    if isinstance(ours, Cause):
        with path.open("rb") as file:
            head = file.read(8)
        if ours not in _DAMAGE or head[:1] != b"\xe9":
            return None
        return "esp8266" if head[6:8] == b"\x10\x40" else "esp32"
    if ours.packed:
        return None
    if ours.filesystem == "littlefs":
        return ""
    known = ours.chip is not None and ours.chip.family is not ChipFamily.RP2
    return ours.chip if known else None


def _verdict(ours: Image | Cause, theirs: dict[str, Any]) -> str:
    if "missing" in theirs:
        return f"not asked: {theirs['missing']} is missing"
    if isinstance(ours, Cause):
        return "we are stricter" if theirs["valid"] else "both refuse"
    if not theirs["valid"]:
        return f"DISAGREE: {theirs['why']}"
    for fact in ("flash_mode", "min_revision", "max_revision"):
        if fact in theirs and theirs[fact] != getattr(ours, fact):
            return f"DISAGREE: {fact} {theirs[fact]}, not {getattr(ours, fact)}"
    return "both accept"


def main() -> int:
    """Print what they disagree about, and how often they agree."""
    parser = argparse.ArgumentParser(prog="script/check-images", description=__doc__)
    parser.add_argument("--python", required=True, help="one that has esptool and littlefs-python")
    parser.add_argument("files", nargs="*", type=Path, help="instead of the corpus")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = arguments.files
        if not files:
            files = [Path(folder) / case.file for case in cases()]
            for case in cases():
                (Path(folder) / case.file).write_bytes(case.make())
        ours = {path: _ours(path) for path in files}
        asked = {path: chip for path in files if (chip := _question(path, ours[path])) is not None}
        run = subprocess.run(
            [arguments.python, str(Path(__file__).with_name("opinions.py"))],
            input="".join(json.dumps([str(path), chip]) + "\n" for path, chip in asked.items()),
            capture_output=True,
            text=True,
            check=True,
        )
    answers = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    count: Counter[str] = Counter()
    for path, theirs in zip(asked, answers, strict=True):
        verdict = _verdict(ours[path], theirs)
        if verdict.startswith(("DISAGREE", "we are")):
            print(f"{path.name}: {verdict}")
        count[verdict.partition(":")[0]] += 1
    count["nobody else knows"] = len(files) - len(asked)
    print(", ".join(f"{number} {what}" for what, number in sorted(count.items())))
    return int(count["DISAGREE"] > 0)


if __name__ == "__main__":
    sys.exit(main())
