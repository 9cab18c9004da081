"""What a page of a module says about its version: a value in JSON, or plain text."""

import json
import re
from typing import Any, Final

SIZE_LIMIT: Final = 64 * 1024
"""Bytes; a status page of a module is a few hundred."""
_VERSION_LIMIT: Final = 64
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


def _version(text: str) -> str | None:
    """Return a text that can be a version: short, printable, without spaces or markup."""
    text = text.strip()
    if not text or len(text) > _VERSION_LIMIT or not text.isprintable():
        return None
    return None if re.search(r"[\s<>{}]", text) else text
