"""What a sketch does that polls for updates in its loop."""

import asyncio

from .board import Board
from .listener import Ending
from .pull_client import PullClient
from .pull_config import PullConfig


class Puller:
    """Polls at boot and from then on, until the module restarts, dies or falls asleep."""

    def __init__(self, board: Board, pull: PullConfig) -> None:
        """Poll as configured."""
        self._board = board
        self._pull = pull

    async def run(self) -> Ending:
        """Poll for ever."""
        while True:
            for mode in self._pull.steps:
                client = PullClient(self._board, self._pull, mode)
                async with self._board.main_loop:
                    ending = await client.run()
                if ending is not Ending.STAYS:
                    return ending
                if client.failed and self._pull.stops_after_failure:
                    break
            if self._pull.deep_sleep:
                return Ending.SLEEPS
            await asyncio.sleep(self._pull.poll_interval)
