"""An open page of the house, as a browser has it."""

import asyncio
import time
from typing import Any

from pytest_homeassistant_custom_component.typing import (
    MockHAClientWebSocket,
    WebSocketGenerator,
)


class Page:
    """What it knows by what it was told."""

    def __init__(self, socket: MockHAClientWebSocket) -> None:
        self._socket = socket
        self.known: dict[str, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []
        self.at: list[float] = []

    @classmethod
    async def open(cls, connect: WebSocketGenerator, **command: Any) -> Page:
        """Subscribe to a command, and take the first that is told."""
        page = cls(await connect())
        await page._socket.send_json_auto_id(command)
        answer = await page._socket.receive_json()
        assert answer["success"], answer
        await page.told()
        return page

    async def close(self) -> None:
        """Close it, as a browser does."""
        await self._socket.close()

    async def told(self, seconds: float = 5.0) -> dict[str, Any]:
        """Wait for one message and take it."""
        async with asyncio.timeout(seconds):
            message = await self._socket.receive()
        event: dict[str, Any] = message.json()["event"]
        self.messages.append(event)
        self.at.append(time.monotonic())
        if "all" in event:
            self.known = event["all"]
        for key, news in event.get("changed", {}).items():
            self.known[key] = self.known.get(key, {}) | news
        for key in event.get("gone", []):
            del self.known[key]
        return event

    async def listen(self, seconds: float) -> None:
        """Take what is told in a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                await self.told(left)
            except TimeoutError:
                return

    async def knows(self, key: str, **wanted: Any) -> None:
        """Wait until the page knows so much of an item."""
        while not wanted.items() <= self.known.get(key, {}).items():
            await self.told(15.0)
