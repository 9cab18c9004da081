"""What the web server of a virtual module is, before the module is switched on."""

from dataclasses import dataclass
from enum import StrEnum


class HttpDialect(StrEnum):
    """Whose update page the sketch has."""

    UPDATE_SERVER = "update_server"
    """The core's own HTTP update server; the chip says which core."""
    WEB_UPDATE = "web_update"
    ELEGANT_OTA = "elegant_ota"
    ASYNC_ELEGANT_OTA = "async_elegant_ota"
    PRETTY_OTA = "pretty_ota"
    TASMOTA = "tasmota"
    ESP_EASY = "esp_easy"
    WIFI_OTA = "wifi_ota"

    @property
    def usual_port(self) -> int:
        """The port that such a module listens on."""
        return 65280 if self is HttpDialect.WIFI_OTA else 80


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpConfig:
    """A web server with an update page."""

    dialect: HttpDialect = HttpDialect.UPDATE_SERVER
    port: int = 0
    """TCP port; 0 takes a free one and keeps it over restarts."""
    username: str = "admin"
    """Tasmota and WiFiOTA have names of their own."""
    password: str | None = None
    path: str = "/update"
    """Where the sketch puts the page, of those dialects that leave the choice."""
    missing: bool = False
    """The sketch has a web server, but never set up the update page."""
    origin_rule: bool | None = None
    """ESP32 update server: whether it refuses other origins than its own, as 3.x cores do and
    those before do not; None follows the generation."""
    asynchronous: bool = False
    """ElegantOTA: on ESPAsyncWebServer instead of the core's own web server."""
    resets: bool = True
    """The connection is reset right after the answer, as when the module restarts at once."""

    def __post_init__(self) -> None:
        """Take names for dialects."""
        object.__setattr__(self, "dialect", HttpDialect(self.dialect))
