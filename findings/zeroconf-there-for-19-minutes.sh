#!/usr/bin/env bash
# One would guess: a service whose records ask to be kept for 20 seconds (some responders on modules say
#   120) is called removed soon after that, when the module lost its power.
# True: where it is, what it says and its address are forgotten as asked, but its name is held for 1125
#   seconds at least, however little it asked for. In between a browser goes on to count the module as
#   there, says nothing of its going, and can no longer say where it is: a list of modules made from
#   "added" and "removed" has it for 19 minutes.
# Seen with zeroconf 0.151.5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet zeroconf==0.151.5
cat >"$folder/module.py" <<'PYTHON'
import asyncio
from socket import inet_aton

from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf


async def main():
    module = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    info = ServiceInfo(
        "_arduino._tcp.local.",
        "valve._arduino._tcp.local.",
        addresses=[inet_aton("127.0.0.1")],
        port=8266,
        server="valve.local.",
        host_ttl=20,
        other_ttl=20,
    )
    await (await module.async_register_service(info))
    await asyncio.Event().wait()


asyncio.run(main())
PYTHON
"$folder/venv/bin/python" - "$folder/module.py" <<'PYTHON'
import asyncio
import sys

from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

TYPE, NAME = "_arduino._tcp.local.", "valve._arduino._tcp.local."


async def main():
    listener = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    told, added = [], asyncio.Event()

    def tell(state_change, **_):
        told.append(state_change.name)
        added.set()

    browser = AsyncServiceBrowser(listener.zeroconf, TYPE, handlers=[tell])
    module = await asyncio.create_subprocess_exec(sys.executable, sys.argv[1])
    try:
        await asyncio.wait_for(added.wait(), 20)
        await asyncio.sleep(1)
    finally:
        module.kill()
        await module.wait()
    await asyncio.sleep(40)
    info = ServiceInfo(TYPE, NAME)
    is_known = info.load_from_cache(listener.zeroconf)
    names = listener.zeroconf.cache.entries_with_name(TYPE)
    kept = [round(record.ttl) for record in names if getattr(record, "alias", None) == NAME]
    print(f"40 s after its power went: told {told}, where it is known: {is_known}, name kept {kept} s")
    await browser.async_cancel()
    await listener.async_close()
    assert (set(told) - {"Updated"}, is_known, kept) == ({"Added"}, False, [1125])


asyncio.run(main())
PYTHON
