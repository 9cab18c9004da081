#!/usr/bin/env bash
# One would guess: a request that fails was sent once, on a connection of its own at least; whoever wants it
#   again sends it again. A test with the library's own test client confirms that.
# True: aiohttp's client sends GET, HEAD, PUT and DELETE a second time by itself, on a new connection, when
#   the server closes without an answer, and raises only then; POST it sends once. Its test client has that
#   switched off. A module that is told to restart by GET /restart, as many are, and does so at once, without
#   an answer, is told twice, the second time perhaps in the middle of the boot that is waited for.
# Seen with aiohttp 3.14.5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiohttp==3.14.5
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio

from aiohttp import ClientSession, ServerDisconnectedError, web
from aiohttp.test_utils import TestClient, TestServer


async def restarts(method):
    """Return how often a module that restarts without an answer was told to."""
    heard = []

    async def hear(reader, writer):
        heard.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[0].decode())
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/restart"
    try:
        async with ClientSession() as session:
            await session.request(method, url)
    except ServerDisconnectedError as error:
        print(f"{method} raised {error!r}, the module heard {heard}")
    server.close()
    return len(heard)


async def restarts_in_a_test():
    heard = []

    async def hear(request):
        heard.append(request.method)
        request.transport.close()
        return web.Response()

    app = web.Application()
    app.router.add_get("/restart", hear)
    try:
        async with TestClient(TestServer(app)) as client:
            await client.get("/restart")
    except ServerDisconnectedError as error:
        print(f"GET of the test client raised {error!r}, the module heard {heard}")
    return len(heard)


async def main():
    seen = {method: await restarts(method) for method in ("GET", "PUT", "POST")}
    assert seen == {"GET": 2, "PUT": 2, "POST": 1}, seen
    assert await restarts_in_a_test() == 1


asyncio.run(main())
PYTHON
