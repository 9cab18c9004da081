"""How a sketch asks for updates, before the module is switched on."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

USUAL_INTERVAL = 60.0
_UNCHANGED_PORTS = (80, 443)


class PullMode(StrEnum):
    """What a sketch may call, by what the client then says of itself."""

    SKETCH = "sketch"
    """`update()`"""
    FILESYSTEM = "spiffs"
    """`updateFS()`, in older cores `updateSpiffs()`."""
    LITTLEFS = "littlefs"
    """`updateLittlefs()` of ESP32 cores from autumn 2025 on; known from a pull request only."""
    VERSION = "version"
    """`getAvailableVersion()` of ESP8266 cores after 3.1.2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PullConfig:
    """A sketch that polls in its loop."""

    url: str
    """With a user and a password in front of the host, if the sketch logs in that way."""
    poll_interval: float = USUAL_INTERVAL
    """Seconds between polls, the first of which is at boot. Never scaled."""
    steps: tuple[PullMode, ...] = (PullMode.SKETCH,)
    """What the sketch calls at each poll, one after the other."""
    username: str = ""
    password: str = ""
    """For `setAuthorization()`."""
    tells_version: bool = True
    """Whether the sketch gives its version to the call."""
    without: Collection[str] = ()
    """Headers that never arrive, in any case of letters: "x-ESP8266-sketch-md5"."""
    chip_size: int = 4 << 20
    """Bytes of flash that the client reports."""
    checks_sha256: bool = False
    """ESP32: reads `x-SHA256` as well, as cores from August 2026 on do."""
    restarts_after_filesystem: bool | None = None
    """None: as the core does. Only cores up to 2.3.0 restart then."""
    stops_after_failure: bool = False
    """Whether a call that failed ends the poll, as in the cores' example: the sketch is asked for
    only where the files were taken."""
    deep_sleep: bool = False
    """Sleeps between polls and hears nothing."""

    def __post_init__(self) -> None:
        """Take names for modes, and refuse what the client would not even dial."""
        object.__setattr__(self, "steps", tuple(PullMode(step) for step in self.steps))
        if self.parts.scheme != "http" or not self.parts.hostname:
            raise ValueError(f"the clients of virtual modules speak http://, not {self.url}")

    @property
    def parts(self) -> SplitResult:
        """The URL taken apart."""
        return urlsplit(self.url)

    @property
    def address(self) -> tuple[str, int]:
        """Where the client connects to."""
        assert self.parts.hostname is not None
        return self.parts.hostname, self.parts.port or 80

    @property
    def host(self) -> str:
        """What the client says as `Host`."""
        name, port = self.address
        return name if port in _UNCHANGED_PORTS else f"{name}:{port}"

    @property
    def uri(self) -> str:
        """What the client asks for: the rest of the URL, as it is."""
        return self.url.partition("://")[2].removeprefix(self.parts.netloc) or "/"

    @property
    def login(self) -> str:
        """User and password with a colon between, or nothing."""
        if self.username and self.password:
            return f"{self.username}:{self.password}"
        # The clients do not decode what is in front of the @.
        return self.parts.netloc.rpartition("@")[0]

    def hides(self, name: str) -> bool:
        """Tell whether a header never arrives."""
        return name.lower() in {one.lower() for one in self.without}
