"""How an image may reach a module: fields and help that adding and configuring share."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.core import HomeAssistant
from homeassistant.helpers import selector

from ..const import (
    CONF_NO_PASSWORD,
    CONF_OWN_SECRET,
    CONF_PULL_ADDRESS,
    CONF_PULL_SECRET,
    CONF_TRANSPORTS,
    CONF_UPLOAD_DIALECT,
    CONF_UPLOAD_PASSWORD,
    CONF_UPLOAD_PATH,
    CONF_UPLOAD_PORT,
    CONF_UPLOAD_SEEN,
    CONF_UPLOAD_USERNAME,
    DEFAULT_UPLOAD_PORT,
    TRANSPORT_PULL,
    TRANSPORT_PUSH,
    TRANSPORT_UPLOAD,
)
from ..house import HOUSE, new_secret
from ..ota import Cause, ChipFamily, Fixed, HttpUpload, OtaError, UploadDialect
from ..web import PULL_PATH
from .selectors import with_stored

_HEADERS: Final = {
    ChipFamily.ESP8266: ("ESP8266httpUpdate.h", "ESPhttpUpdate"),
    ChipFamily.ESP32: ("HTTPUpdate.h", "httpUpdate"),
    ChipFamily.RP2: ("HTTPUpdate.h", "httpUpdate"),
}
"""The updater's header and object in each core."""
_ENCRYPTED: Final = (
    "WiFiClientSecure client;",
    "client.setInsecure();  // believes every certificate; see setCACert(), setTrustAnchors()",
    "// Where the module has no memory for that, set an http:// address for modules that ask:",
    "// Configure of the firmware library, Limits and addresses.",
)
"""All three cores have this class; a plain client cannot talk to an `https:` address."""

_NOBODY_ANSWERS: Final = {
    Cause.HOST_NOT_FOUND,
    Cause.HTTP_NO_ANSWER,
    Cause.HTTP_PORT_CLOSED,
    Cause.UNREACHABLE,
}

TEXT: Final = selector.TextSelector()
PASSWORD: Final = selector.TextSelector(
    selector.TextSelectorConfig(type=selector.TextSelectorType.PASSWORD)
)
NO_PASSWORD: Final[dict[vol.Marker, Any]] = {
    vol.Required(CONF_NO_PASSWORD, default=False): selector.BooleanSelector()
}
PORT: Final = vol.All(
    selector.NumberSelector(
        selector.NumberSelectorConfig(min=1, max=65535, mode=selector.NumberSelectorMode.BOX)
    ),
    vol.Coerce(int),
)
UPLOAD_FIELDS: Final[dict[vol.Marker, Any]] = {
    vol.Optional(CONF_UPLOAD_PORT, default=DEFAULT_UPLOAD_PORT): PORT,
    vol.Optional(CONF_UPLOAD_PATH): TEXT,
    vol.Optional(CONF_UPLOAD_USERNAME): TEXT,
    vol.Optional(CONF_UPLOAD_PASSWORD): PASSWORD,
    vol.Optional(CONF_UPLOAD_DIALECT): selector.SelectSelector(
        selector.SelectSelectorConfig(
            options=[*UploadDialect],
            translation_key=CONF_UPLOAD_DIALECT,
            mode=selector.SelectSelectorMode.DROPDOWN,
        )
    ),
}
WAYS: Final[dict[vol.Marker, Any]] = {
    vol.Required(CONF_TRANSPORTS): selector.SelectSelector(
        selector.SelectSelectorConfig(
            options=[TRANSPORT_PUSH, TRANSPORT_UPLOAD, TRANSPORT_PULL],
            translation_key=CONF_TRANSPORTS,
            multiple=True,
            mode=selector.SelectSelectorMode.DROPDOWN,  # its chips keep the order of choosing
        )
    )
}
OWN_SECRET: Final[dict[vol.Marker, Any]] = {
    vol.Required(CONF_OWN_SECRET, default=False): selector.BooleanSelector()
}
_DOOR_FIELDS: Final = {
    *(str(marker) for marker in (*WAYS, *UPLOAD_FIELDS, *OWN_SECRET)),
    CONF_UPLOAD_SEEN,
}


async def async_try_page(
    host: str, fields: Mapping[str, Any]
) -> tuple[OtaError | None, dict[str, Any]]:
    """Look at an update page without changing anything; return what is wrong with it.

    Beside that, what an entry keeps of its kind. A person who chose the kind of page is believed
    where nobody answers: the module may sleep just now.
    """
    dialect = fields.get(CONF_UPLOAD_DIALECT)
    try:
        page = HttpUpload(
            Fixed(host, int(fields.get(CONF_UPLOAD_PORT, DEFAULT_UPLOAD_PORT))),
            dialect=UploadDialect(dialect) if dialect else None,
            path=fields.get(CONF_UPLOAD_PATH),
            username=fields.get(CONF_UPLOAD_USERNAME),
            password=fields.get(CONF_UPLOAD_PASSWORD),
        )
        seen = await page.look()
    except OtaError as err:
        return None if dialect and err.cause in _NOBODY_ANSWERS else err, {}
    return None, {CONF_UPLOAD_SEEN: seen}


def is_page_path(path: str | None) -> bool:
    """Whether a text can be the path of a page."""
    return path is None or HttpUpload.is_path(path)


def pull_url(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Return the address a module asks: with its own secret, or with the house's.

    Modules resolve no `.local` names, so the numeric address is shown where nothing else is set.
    """
    house = hass.data[HOUSE]
    base = house.options.get(CONF_PULL_ADDRESS)
    if not base:
        api = hass.config.api
        scheme = "https" if api and api.use_ssl else "http"
        host, port = (api.local_ip, api.port) if api else ("homeassistant", 8123)
        base = f"{scheme}://{host}:{port}"
    secret = data.get(CONF_PULL_SECRET) or house.pollers.secret
    return f"{base.rstrip('/')}{PULL_PATH}/{secret}"


def sketch_lines(url: str, family: ChipFamily | None = None) -> str:
    """Return what to copy into a sketch, as Markdown."""
    header, updater = _HEADERS[family or ChipFamily.ESP8266]
    encrypted = url.lower().startswith("https:")
    lines = [
        f"#include <{'WiFiClientSecure' if encrypted else 'WiFiClient'}.h>",
        f"#include <{header}>",
        'const char FIRMWARE[] __attribute__((used)) = "ESP_OTA_FW:garden-valve:1.0.0;";',
        "// in loop(), every few minutes:",
        *(_ENCRYPTED if encrypted else ("WiFiClient client;",)),
        f'{updater}.update(client, "{url}", "1.0.0");',
    ]
    return "```cpp\n" + "\n".join(lines) + "\n```"


def data_with_doors(data: Mapping[str, Any], user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's data with what the form says about the doors."""
    fields = with_stored(user_input, data)
    own = fields.pop(CONF_OWN_SECRET, False)
    known = _DOOR_FIELDS | {CONF_PULL_SECRET}
    kept = {key: value for key, value in data.items() if key not in known}
    if own:
        kept[CONF_PULL_SECRET] = data.get(CONF_PULL_SECRET) or new_secret()
    return kept | fields
