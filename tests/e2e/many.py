"""Measure the page with hundreds of modules: `python -m tests.e2e.many`, printed as metrics.

It asserts nothing: how long a browser takes is a matter of the machine.
"""

import argparse
import asyncio
import contextlib
from datetime import UTC, datetime
import hashlib
import json
from pathlib import Path
import statistics
import time
from typing import Any, Final

import aiohttp
from aiohttp import TCPConnector
from playwright.async_api import Page, WebSocket

from tests.virtual_module import build_image

from .bench import Setting, config_directory
from .browser import browser_page, log_in
from .client import PASSWORD, USER, Client
from .home import Home

_SECRET: Final = "secret-of-the-house"
_IDLE: Final = 60.0
"""Seconds in which every module asks once, and nothing else happens."""
_TIMES: Final = 5
"""Times that it is opened again; the median is printed."""
_OPENED: Final = """async many => {
  const root = document.querySelector("home-assistant").shadowRoot;
  const find = (node, name) => {
    for (const one of node.querySelectorAll("*")) {
      if (one.localName === name) return one;
      const found = one.shadowRoot && find(one.shadowRoot, name);
      if (found) return found;
    }
  };
  const began = performance.now();
  history.pushState(null, "", "/esp-ota");
  window.dispatchEvent(new CustomEvent("location-changed", {detail: {replace: false}}));
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  let page;
  while ((page?.shadowRoot?.querySelectorAll("tbody tr").length ?? 0) < many) {
    page ??= find(root, "esp-ota-page");
    await frame();
  }
  await frame();
  return performance.now() - began;
}"""
"""Opens the page from another one, and returns the milliseconds until all rows are painted."""


def _mac(number: int) -> str:
    return f"5c:cf:7f:00:{number >> 8:02x}:{number & 255:02x}"


def _host(number: int) -> str:
    return f"127.0.{2 + number // 250}.{1 + number % 250}"


def _entry(number: int | None) -> dict[str, Any]:
    """Return a module's entry as it is stored, that of the house for None."""
    data: dict[str, Any] = {"kind": "house", "pull_secret": _SECRET}
    options: dict[str, Any] = {}
    title, unique_id = "Firmware library", "house"
    if number is not None:
        title, unique_id = f"sensor-{number:03}", _mac(number)
        options = {"equipment": "nothing", "firmware": "sensor"}
        data = {
            "kind": "module",
            "name": title,
            "host": _host(number),
            "port": 8266,
            "service_name": None,
            "board": None,
            "mac": unique_id,
            "auth_required": None,
            "transports": ["http_pull"],
        }
    now = datetime.now(UTC).isoformat()
    return {
        "created_at": now,
        "data": data,
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "esp_ota",
        "entry_id": f"many{number}",
        "minor_version": 1,
        "modified_at": now,
        "options": options,
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": title,
        "unique_id": unique_id,
        "version": 1,
    }


def _prepare(config: Path, many: int) -> None:
    """Let a house have so many modules, and two versions of their firmware."""
    entries = [_entry(number) for number in [None, *range(many)]]
    store = {"version": 1, "minor_version": 5, "key": "core.config_entries"}
    path = config / ".storage" / "core.config_entries"
    path.write_text(json.dumps(store | {"data": {"entries": entries}}), encoding="utf-8")
    folder = config / "esp_ota" / "firmware"
    folder.mkdir(parents=True, exist_ok=True)
    for version in ("1.0.0", "1.1.0"):
        image = build_image("esp8266", name="sensor", version=version)
        (folder / f"sensor-{version}.bin").write_bytes(image)


class Traffic:
    """What the page is told by our own subscriptions."""

    def __init__(self, page: Page) -> None:
        self._ids: set[int] = set()
        self.messages = 0
        self.bytes = 0
        page.on("websocket", self._watch)

    def _watch(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, frame: str | bytes) -> None:
        with contextlib.suppress(ValueError):
            for message in _each(frame):
                if str(message.get("type", "")).startswith("esp_ota/"):
                    self._ids.add(message["id"])

    def _received(self, frame: str | bytes) -> None:
        with contextlib.suppress(ValueError):
            for message in _each(frame):
                if message.get("type") == "event" and message["id"] in self._ids:
                    self.messages += 1
                    self.bytes += len(json.dumps(message, separators=(",", ":")))


def _each(frame: str | bytes) -> list[dict[str, Any]]:
    """Return the messages of a frame: several may come as one."""
    content = json.loads(frame)
    return content if isinstance(content, list) else [content]


async def _ask_all(url: str, many: int, seconds: float) -> None:
    """Let every module ask once, one after the other over a while, as they do at home."""
    running = build_image("esp8266", name="sensor", version="1.0.0")
    said = {
        "User-Agent": "ESP8266-http-Update",
        "x-ESP8266-free-space": "1048576",
        "x-ESP8266-sketch-size": str(len(running)),
        "x-ESP8266-sketch-md5": hashlib.md5(running, usedforsecurity=False).hexdigest(),
        "x-ESP8266-chip-size": "4194304",
        "x-ESP8266-mode": "sketch",
        "x-ESP8266-version": "1.0.0",
    }
    began = time.monotonic()
    for number in range(many):
        mac = {"x-ESP8266-STA-MAC": _mac(number).upper()}
        async with (
            # Each from an address of its own: whoever asks too often is sent away.
            aiohttp.ClientSession(connector=TCPConnector(local_addr=(_host(number), 0))) as session,
            session.get(f"{url}/api/esp_ota/pull/{_SECRET}", headers=said | mac) as told,
        ):
            assert told.status == 304, told.status
        await asyncio.sleep(max(0.0, began + seconds * (number + 1) / many - time.monotonic()))


async def main() -> None:
    """Print `metric value unit` lines."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--modules", type=int, default=500)
    parser.add_argument("--port", type=int, default=8423)
    options = parser.parse_args()
    many = options.modules
    async with config_directory(Setting(port=options.port)) as config:
        await asyncio.to_thread(_prepare, config, many)
        async with (
            Home(config, port=options.port) as home,
            Client(home.url) as client,
            browser_page() as page,
        ):
            traffic = Traffic(page)
            await log_in(page, home.url, USER, PASSWORD)
            await _ask_all(home.url, many, 0)
            cards = [name for name in client.states if name.startswith("update.sensor")]
            assert len(cards) == many, len(cards)
            print(f"page_modules {len(cards)} modules")
            print(f"page_first_paint {await page.evaluate(_OPENED, many):.0f} ms", flush=True)
            print(f"page_first_message {traffic.bytes / 1000:.0f} kB")
            again = []
            for _ in range(_TIMES):
                await page.evaluate("() => history.back()")
                await page.wait_for_timeout(2000)
                again.append(await page.evaluate(_OPENED, many))
            print(f"page_paint_again {statistics.median(again):.0f} ms", flush=True)
            await page.wait_for_timeout(2000)
            traffic.bytes = traffic.messages = 0
            await _ask_all(home.url, many, _IDLE)
            print(f"page_idle {traffic.bytes / 1000 / (_IDLE / 60):.2f} kB/min")
            print(f"page_idle_messages {traffic.messages} messages")
            await page.screenshot(path=home.config.parent / "many.png")


if __name__ == "__main__":
    asyncio.run(main())
