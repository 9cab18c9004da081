"""Texts from outside as they may be shown: names, file names, notes, replies, addresses.

Whoever speaks in the network, fills a list or names a file writes them. They are text: one line,
of bounded length, without what changes the direction or the place of other text, without secrets
in addresses, and where Markdown is shown, without meaning in it.
"""

from collections.abc import Mapping
import re
from typing import Final

LONGEST: Final = 500
"""Characters of one text; the longest reply of a module that says something is a page's error."""
_MOST_LINES: Final = 200
_SPACE: Final = re.compile(r"\s+")
_USER: Final = re.compile(r"(?<=://)[^/?#\s\"'<>]*@")
_QUERY: Final = re.compile(r"(://[^\s\"'<>?#]*)[?#][^\s\"'<>]*")
_MARKDOWN: Final = re.compile(
    r"[\\`*\[\]<~|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#|\w+;)|(?<=\w)@(?=\w)"
    r"|(?<=[A-Za-z]):(?=//)|(?<=[wW]{3})\."
)
"""What makes a text a link, a picture, a table, an address or a style (CommonMark and GFM).

An underscore within a word does not: names of files are full of them, and a title shows no
Markdown.
"""
_WITHIN_A_PARAGRAPH: Final = re.compile(r"(?<!\n)\n(?!\n)")
"""Where Markdown would join two lines."""
_AT_THE_BEGINNING: Final = re.compile(r"^([#>]|[-+=](?=[\s=-]|$)|\d+(?=[.)](?:\s|$)))")
"""What makes a heading, a list or a line of what begins with it."""


def without_secrets(text: str) -> str:
    """Return a text with its addresses as they may be known: no user, no password, no query."""
    if "://" not in text:
        return text
    return _QUERY.sub(r"\1?…", _USER.sub("", text))


def one_line(text: object, longest: int = LONGEST) -> str:
    """Return a text as one printable line of bounded length, without secrets in addresses."""
    said = str(text)[: 4 * longest]
    if not said.isprintable():
        said = "".join(
            char if char.isprintable() else " " if char.isspace() else "" for char in said
        )
    said = without_secrets(_SPACE.sub(" ", said).strip())
    return said if len(said) <= longest else said[: longest - 1] + "…"


def as_text(text: object, longest: int = LONGEST) -> str:
    """Return a text as one line that Markdown shows as it is."""
    said = _MARKDOWN.sub(r"\\\g<0>", one_line(text, longest))
    found = _AT_THE_BEGINNING.match(said)
    if found is None:
        return said
    at = found.end() if found[0][0].isdigit() else 0
    return f"{said[:at]}\\{said[at:]}"


def as_texts(facts: Mapping[str, object], longest: int = LONGEST) -> dict[str, str]:
    """Return facts of a sentence that is shown as Markdown."""
    return {name: as_text(fact, longest) for name, fact in facts.items()}


def lines_as_text(text: str) -> str:
    """Return notes as lines that Markdown shows as they are."""
    lines = text.splitlines()
    shown = [as_text(line) for line in lines[:_MOST_LINES]] + ["…"] * (len(lines) > _MOST_LINES)
    text = "\n".join(shown).strip()
    return _WITHIN_A_PARAGRAPH.sub("  \n", text)
