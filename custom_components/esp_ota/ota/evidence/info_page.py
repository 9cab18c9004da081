"""What a page of a module says: its version in JSON or plain text, and who it is."""

import json
import re
from typing import Any, Final

from ..module import format_mac

SIZE_LIMIT: Final = 64 * 1024
"""Bytes; a status page of a module is a few hundred."""
_VERSION_LIMIT: Final = 64
_MAC: Final = re.compile(
    r"(?<![a-z_])(?<!ap )(?:sta[ _-]?)?mac(?:[ _-]?addr(?:ess)?)?[\"']?\s*[:=]\s*[\"']?"
    r"((?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2})(?![0-9a-f:-])",
    re.IGNORECASE,
)
_LOCAL: Final = 0x02
"""The bit of a MAC's first byte that says that it was made up from another one."""
_IN_A_ROW: Final = 3
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d{1,6})\]")


def is_json_path(path: str) -> bool:
    """Whether a text names a value in JSON, like `$.firmware.version` or `cores[0].name`."""
    rest = path.removeprefix("$").removeprefix(".")
    return bool(rest) and not _STEP.sub("", rest).replace(".", "")


def version_from(body: bytes, path: str | None) -> str | None:
    """Return the version a page names, None where it names none.

    With a path the page is JSON, without one its first line is the version.
    """
    text = body[:SIZE_LIMIT].decode("utf-8", "replace")
    if path is None:
        return _version(text.strip().partition("\n")[0])
    try:
        found: Any = json.loads(text)
        for name, index in _STEP.findall(path.removeprefix("$")):
            found = found[int(index)] if index else found[name]
    except ValueError, KeyError, IndexError, TypeError, RecursionError:
        return None
    return _version(str(found)) if isinstance(found, str | int | float) else None


def mac_from(body: bytes) -> str | None:
    """Return the MAC a page names of itself, None where it names none, or several.

    In JSON the value of a key like `mac`, `"MAC Address"` or `sta_mac` at any depth, as WLED,
    Tasmota and ESPEasy have it; in a text one behind such a word.
    """
    text = body[:SIZE_LIMIT].decode("utf-8", "replace")
    found = {format_mac(one) for one in _MAC.findall(text)} - {None}
    return found.pop() if len(found) == 1 else None


def is_another_board(mac: str, known: str) -> bool:
    """Whether two MACs are certainly of two boards.

    A board has several: an access point's has another first byte, and an ESP32 gives its
    interfaces four in a row (`esp_read_mac`).
    """
    one, other = (bytes.fromhex(text.replace(":", "")) for text in (mac, known))
    near = abs(one[-1] - other[-1]) <= _IN_A_ROW
    return not (one[0] | _LOCAL == other[0] | _LOCAL and one[1:5] == other[1:5] and near)


def _version(text: str) -> str | None:
    """Return a text that can be a version: short, printable, without spaces or markup."""
    text = text.strip()
    if not text or len(text) > _VERSION_LIMIT or not text.isprintable():
        return None
    return None if re.search(r"[\s<>{}]", text) else text


def with_own_host(url: str, host: str) -> str:
    """Return a URL with `{host}` where it names a module by its address, which may change."""
    return re.sub(rf"(//|@){re.escape(host)}(?=[:/?#]|$)", r"\1{host}", url, count=1)
