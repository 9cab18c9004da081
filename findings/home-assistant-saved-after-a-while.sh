#!/usr/bin/env bash
# One would guess: Store.async_delay_save(data, 10) has on disk, ten seconds later at the latest, what there
#   was to save; more calls in between are gathered into that one write.
# True: each call puts the write off by its whole delay again. Who calls it more often than that, with
#   progress, say, or what is heard of forty modules, has nothing written for as long as that goes on, hours
#   or days, but at a regular stop. A power cut takes all of it, not the last ten seconds.
# Seen with homeassistant 2026.10.4.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv=$(script/uv)
"$uv" venv --quiet --python "$(script/python)" "$folder/venv"
"$uv" pip install --quiet --python "$folder/venv/bin/python" homeassistant==2026.10.4
"$folder/venv/bin/python" - "$folder/config" <<'PYTHON'
import asyncio
from pathlib import Path
import sys

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

DELAY, PAUSE, CALLS = 2.0, 1.0, 10


async def main():
    file = Path(sys.argv[1]) / ".storage" / "modules"
    hass = HomeAssistant(sys.argv[1])
    store = Store(hass, 1, "modules")
    for number in range(CALLS):
        store.async_delay_save(lambda number=number: {"heard": number}, DELAY)
        await asyncio.sleep(PAUSE)
    while_called = file.exists()
    print(f"called each {PAUSE} s with a delay of {DELAY} s, {CALLS} times: written {while_called}")
    await asyncio.sleep(2 * DELAY)
    after = file.exists()
    print(f"{2 * DELAY} s after the last call: written {after}")
    await hass.async_stop(force=True)
    assert (while_called, after) == (False, True)


asyncio.run(main())
PYTHON
