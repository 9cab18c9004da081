"""A disk that is full for a while: no store of ours is written then."""

import time
from typing import Any, Final

from custom_components.esp_ota.const import DOMAIN
from homeassistant.helpers import storage
from homeassistant.util.file import WriteError

OF_A_FULL_DISK: Final = ("Error writing config for", "not on disk while")
"""What the log says of it, as it should."""


class Disk:
    """Stands between Home Assistant's stores and the real disk."""

    def __init__(self) -> None:
        """Have room."""
        self._full_until = 0.0

    def install(self) -> None:
        """Refuse writes from now on, whenever it is full."""
        write = storage.write_utf8_file_atomic

        def guarded(path: str, *args: Any, **kwargs: Any) -> None:
            if DOMAIN in path and time.monotonic() < self._full_until:
                raise WriteError("No space left on device")
            write(path, *args, **kwargs)

        storage.write_utf8_file_atomic = guarded

    def fill(self, seconds: float) -> None:
        """Take no writes for so long."""
        self._full_until = max(self._full_until, time.monotonic() + seconds)
