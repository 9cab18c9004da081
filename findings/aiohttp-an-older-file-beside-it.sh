#!/usr/bin/env bash
# One would guess: a static address /valve.bin sends valve.bin, and a valve.bin.gz that lies beside it
#   (an ESP8266 takes packed images, so many builds make both) is another file with another address.
# True: what aiohttp serves (and so Home Assistant's /local) sends valve.bin.gz for /valve.bin to whoever
#   understands gzip, as most clients say unasked, however old it is: a build that forgot to renew it
#   goes on to hand out the firmware of then, unpacked on the way, with status 200. Refusing gzip as
#   the standard has it (gzip;q=0) asks for it too; only leaving the word out does not. A module that asks
#   for the very same address without the word gets the new one.
# Seen with aiohttp 3.14.5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiohttp==3.14.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import asyncio
import gzip
import os
from pathlib import Path
import sys

from aiohttp import ClientSession, web


async def main():
    file = Path(sys.argv[1]) / "files" / "valve.bin"
    file.parent.mkdir()
    file.write_bytes(b"firmware 2")
    packed = file.with_name("valve.bin.gz")
    packed.write_bytes(gzip.compress(b"firmware 1"))
    os.utime(packed, (1_000_000_000, 1_000_000_000))
    app = web.Application()
    app.router.add_static("/local", file.parent)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url, seen = f"http://127.0.0.1:{runner.addresses[0][1]}/local/valve.bin", {}
    async with ClientSession() as session:
        for said in (None, "identity", "identity, gzip;q=0"):
            headers = {} if said is None else {"Accept-Encoding": said}
            async with session.get(url, headers=headers) as response:
                seen[said] = response.status, (await response.read()).decode()
            print(f"Accept-Encoding {said or 'as aiohttp says by itself'}: {seen[said]}")
    await runner.cleanup()
    old, new = (200, "firmware 1"), (200, "firmware 2")
    assert seen == {None: old, "identity": new, "identity, gzip;q=0": old}, seen


asyncio.run(main())
PYTHON
