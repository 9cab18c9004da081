"""What a module that asks says of files: nothing, but by its next request.

`updateFS()` answers the sketch and not the server (`ESP8266httpUpdate.cpp`, `HTTPUpdate.cpp`). The
cores' example then goes on to ask for the sketch where the files were taken, and for the files
again where they were not. Cores of the ESP8266 up to 2.3 restart after files that were taken.
"""

import asyncio
import time

from ..causes import Cause
from ..exceptions import VerifyError
from ..models import Delivery
from ..module import PullRequest


class FilesWord:
    """Listens for what is said of the files that one request got."""

    def __init__(self, request: PullRequest, ended: asyncio.Future[Delivery]) -> None:
        """Wait for the end of the download first."""
        self._request = request
        self._ended = ended
        self.ended_at = 0.0
        """When the module had them, or its connection broke (`time.monotonic()`)."""
        ended.add_done_callback(self._take_time)
        self.spoke = asyncio.Event()
        self.refusal: VerifyError | None = None
        """The no, where it was one."""

    def _take_time(self, _ended: asyncio.Future[Delivery]) -> None:
        self.ended_at = time.monotonic()

    @property
    def _arrived(self) -> bool:
        ended = self._ended
        return ended.done() and not ended.cancelled() and ended.exception() is None

    def judge(self, request: PullRequest, restart: float) -> None:
        """Take a request; the first one counts. None restarts in less than `restart` seconds."""
        if not self._arrived or self.spoke.is_set():
            return
        self.spoke.set()
        if request.restarts_after_files:
            if time.monotonic() - (self.ended_at or time.monotonic()) < restart:
                self.refusal = VerifyError(Cause.FILES_NO_RESTART)
        elif request.asks_as(self._request):
            self.refusal = VerifyError(Cause.FILES_ASKED_AGAIN)
