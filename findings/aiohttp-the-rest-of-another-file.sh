#!/usr/bin/env bash
# One would guess: who asks for the rest of a file with Range and, as If-Range, the ETag that the server
#   itself gave it, gets the rest (206) or, if the file was replaced meanwhile, all of the new one (200).
# True: what aiohttp serves (and so Home Assistant's /local) sends the rest of the new file, as 206: If-Range
#   is read as a date only, and an ETag there counts as no condition at all. The first half of one firmware
#   and the second of the next are joined by every client that does as the standard says, unless it compares
#   the ETag of the part. The same ETag in If-Match is compared.
# Seen with aiohttp 3.14.5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiohttp==3.14.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import asyncio
from pathlib import Path
import sys

from aiohttp import ClientSession, web


async def main():
    file = Path(sys.argv[1]) / "files" / "valve.bin"
    file.parent.mkdir()
    file.write_bytes(b"1" * 1000)
    app = web.Application()
    app.router.add_static("/local", file.parent)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/local/valve.bin"
    async with ClientSession() as session:
        async with session.get(url) as response:
            etag = response.headers["ETag"]
        await asyncio.sleep(0.1)
        file.write_bytes(b"2" * 1000)
        rest, seen = {"Range": "bytes=400-"}, {}
        for name in ("If-Range", "If-Match"):
            async with session.get(url, headers=rest | {name: etag}) as response:
                body = await response.read()
                is_other = response.headers.get("ETag") != etag
                seen[name] = response.status, is_other, body.count(b"2")
                print(f"{name} with the ETag of the first file: {response.status}, {len(body)} bytes")
    await runner.cleanup()
    assert seen["If-Range"] == (206, True, 600), seen
    assert seen["If-Match"][0] == 412, seen


asyncio.run(main())
PYTHON
