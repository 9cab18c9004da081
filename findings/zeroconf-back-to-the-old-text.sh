#!/usr/bin/env bash
# One would guess: of a service that changes its TXT record and goes back to the first one, a listener
#   reads from its cache what was heard last.
# True: for a second it reads the text in between, then for up to ten seconds no text at all, although
#   the right one is in the cache: a record that is heard again keeps its place there, the newer one
#   behind it is looked up, and that is let grow old before it is taken away. A module that boots a
#   new sketch, falls back and says so is first read as running the new one.
# Seen with zeroconf 0.151.5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet zeroconf==0.151.5
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
from socket import inet_aton
import time

from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

TYPE, NAME = "_arduino._tcp.local.", "valve._arduino._tcp.local."


def saying(version):
    return ServiceInfo(
        TYPE,
        NAME,
        addresses=[inet_aton("127.0.0.1")],
        port=8266,
        server="valve.local.",
        properties={"version": version},
    )


async def main():
    usual = {"interfaces": ["127.0.0.1"], "ip_version": IPVersion.V4Only}
    module, listener = AsyncZeroconf(**usual), AsyncZeroconf(**usual)
    browser = AsyncServiceBrowser(listener.zeroconf, TYPE, handlers=[lambda **_: None])
    read = {}
    await (await module.async_register_service(saying("1.0.0")))
    for version in ("1.1.0", "1.0.0"):
        await asyncio.sleep(1.5)
        await (await module.async_update_service(saying(version)))
    said = time.monotonic()
    for seconds in (0.2, 3.0, 14.0):
        await asyncio.sleep(said + seconds - time.monotonic())
        info = ServiceInfo(TYPE, NAME)
        info.load_from_cache(listener.zeroconf)
        read[seconds] = info.decoded_properties.get("version")
        print(f"said 1.0.0, 1.1.0, 1.0.0 again; read {seconds} s later: {read[seconds]}")
    await browser.async_cancel()
    await module.async_close()
    await listener.async_close()
    assert list(read.values()) == ["1.1.0", None, "1.0.0"], "it is otherwise by now"


asyncio.run(main())
PYTHON
