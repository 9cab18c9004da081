"""The update clients' own errors: numbers and wording by core version.

From ESP8266httpUpdate.cpp, ESP8266HTTPClient.cpp, and HTTPUpdate.cpp and HTTPClient.cpp of the
ESP32 core and of arduino-pico.
"""

from .chips import Family
from .config import ModuleConfig
from .errors import UpdateError

CONNECTION_FAILED, CONNECTION_LOST, NO_HTTP_SERVER, ENCODING, READ_TIMEOUT = -1, -5, -7, -9, -11
TOO_LITTLE_SPACE, NO_SIZE, NOT_FOUND, FORBIDDEN, WRONG_CODE = -100, -101, -102, -103, -104
FAULTY_MD5, BAD_HEADER, WRONG_FLASH = -105, -106, -107
ESP32_NO_PARTITION, UNAUTHORIZED = -108, -108
ESP32_FAULTY_SHA256, NO_VERSION = -109, -109

_TEXTS = {
    CONNECTION_FAILED: "HTTP error: connection failed",
    CONNECTION_LOST: "HTTP error: connection lost",
    NO_HTTP_SERVER: "HTTP error: no HTTP server",
    ENCODING: "HTTP error: Transfer-Encoding not supported",
    READ_TIMEOUT: "HTTP error: read Timeout",
    TOO_LITTLE_SPACE: "Not Enough space",
    NO_SIZE: "Server Did Not Report Size",
    NOT_FOUND: "File Not Found (404)",
    FORBIDDEN: "Forbidden (403)",
    WRONG_CODE: "Wrong HTTP Code",
    FAULTY_MD5: "Wrong MD5",
    BAD_HEADER: "Verify Bin Header Failed",
    WRONG_FLASH: "New Binary Does Not Fit Flash Size",
    UNAUTHORIZED: "Unauthorized (401)",
    NO_VERSION: "",
}
_BEFORE_2_4 = {
    TOO_LITTLE_SPACE: "To less space",
    NO_SIZE: "Server not Report Size",
    NOT_FOUND: "File not found (404)",
    WRONG_CODE: "Wrong HTTP code",
    FAULTY_MD5: "Faulty MD5",
    BAD_HEADER: "Verify bin header failed",
    WRONG_FLASH: "bin for wrong flash size",
}
_REFUSED = {CONNECTION_FAILED: "HTTP error: connection refused"}
_ESP32 = _REFUSED | {
    ESP32_NO_PARTITION: "Partition Could not be Found",
    # The number was read in HTTPUpdate.h of August 2026, its text nowhere.
    ESP32_FAULTY_SHA256: "Wrong SHA256",
}


class PullError(Exception):
    """The client gives up and tells the sketch why."""

    def __init__(self, code: int, text: str, reason: str = "") -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text
        self.reason = reason
        """What the module knows better than its error says."""


def pull_error(config: ModuleConfig, code: int) -> PullError:
    """Return an error as `getLastErrorString()` of this module's core words it."""
    own: dict[int, str] = {}
    if config.family is Family.ESP32:
        own = _ESP32
    elif config.family is Family.ESP8266:
        own = _REFUSED if config.core_version < (2, 7) else {}
        own = own | (_BEFORE_2_4 if config.core_version < (2, 4) else {})
    return PullError(code, (_TEXTS | own)[code])


def updater_error(error: UpdateError, reason: str = "") -> PullError:
    """Return an error of the Updater as the client passes it on."""
    return PullError(error.code, f"Update error: {error}" if error.code else "", reason)
