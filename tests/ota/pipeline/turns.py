"""Turns of installs that no queue gives: theirs as soon as they ask, and nothing is waited out."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from custom_components.esp_ota.ota import OtaError


class PlainTurn:
    """What one install holds while it runs; each `turn` is made anew."""

    def __init__(self, turn: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext) -> None:
        self._make = turn
        self._turn: AbstractAsyncContextManager[Any] = nullcontext()

    async def __aenter__(self) -> None:
        self._turn = self._make()
        await self._turn.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await self._turn.__aexit__(*error)

    async def up(self) -> None:
        """Nobody is before it."""

    def may_wait(self, err: OtaError) -> bool:
        return False

    async def better_time(self, err: OtaError) -> None:
        raise err
