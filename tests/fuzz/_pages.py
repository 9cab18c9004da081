"""Asks for one of Home Assistant's own pages all the time, as a process of its own.

    python -m tests.fuzz._pages PORT TOKEN

Prints how long the answers took whenever a line comes, and ends with its standard input.
"""

import http.client
import json
import select
import sys
import time
from typing import Final

_PAUSE: Final = 0.01
_WANTED: Final = 100.0
"""Milliseconds within which a page answers while the endpoint is asked as much as it can be."""


def main() -> None:
    """Ask until nobody listens any more."""
    port, token = int(sys.argv[1]), sys.argv[2]
    headers = {"Authorization": f"Bearer {token}"}
    page = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    took: list[float] = []
    while True:
        if select.select([sys.stdin], [], [], _PAUSE)[0]:
            if not sys.stdin.readline():
                return
            print(summary(took), flush=True)
            took.clear()
        begun = time.perf_counter()
        page.request("GET", "/api/", headers=headers)
        reply = page.getresponse()
        body = reply.read()
        took.append(time.perf_counter() - begun)
        assert (reply.status, body) == (200, b'{"message":"API running."}'), reply.status


def summary(took: list[float]) -> str:
    """Return a JSON line."""
    milliseconds = sorted(round(1000 * one, 1) for one in took)
    count = len(milliseconds)
    return json.dumps(
        {
            "count": count,
            "median_ms": milliseconds[count // 2],
            "p999_ms": milliseconds[count * 999 // 1000],
            "max_ms": milliseconds[-1],
            "over_100_ms": sum(one > _WANTED for one in milliseconds),
        }
    )


if __name__ == "__main__":
    main()
