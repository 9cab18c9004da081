"""The language of `sw-description`: groups, lists and values of libconfig, or JSON."""

from collections.abc import Mapping
import json
import re
from typing import Any, Final

_TOKEN: Final = re.compile(
    r"""
    (?P<skip>\s+|\#[^\n]*|//[^\n]*|/\*.*?\*/)
    |(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<number>[-+]?(?:0[xX][0-9a-fA-F]{1,16}L{0,2}|\d[\d.eE+-]{0,30}L{0,2}))
    |(?P<name>[A-Za-z*][\w*.@-]*)
    |(?P<mark>[=:;,{}()\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSERS: Final = {"(": ")", "[": "]"}
_DEEPEST: Final = 16
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


def parse_libconfig(text: str) -> Mapping[str, Any]:
    """Return the settings of a text; raises ValueError for what is none."""
    if text.lstrip().startswith("{"):
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("no object")
        return found
    reader = _Reader(_tokens(text))
    return reader.settings(None, 0)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(text):
        if (found := _TOKEN.match(text, at)) is None:
            raise ValueError(f"{text[at : at + 10]!r} makes no sense")
        at = found.end()
        kind = str(found.lastgroup)
        if kind != "skip":
            tokens.append((kind, found[0]))
    return tokens


class _Reader:
    """Goes through the tokens once."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, *wanted: str) -> str:
        """Return the next token, which must be of one kind, or one of these marks."""
        kind, value = self._next
        if not {kind, value} & set(wanted):
            raise ValueError(f"{value or 'the end'!r} is not expected")
        self._at += 1
        return value

    def settings(self, until: str | None, depth: int) -> dict[str, Any]:
        """Return `name = value;` again and again, up to a closing mark or the end."""
        found: dict[str, Any] = {}
        while self._next[1] != until if until else self._next[0] != "end":
            name = self._take("name")
            self._take("=", ":")
            found[name] = self._value(depth + 1)
            if self._next[1] in {";", ","}:
                self._at += 1
        return found

    def _value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("too deep")
        kind, value = self._next
        if value == "{":
            self._at += 1
            group = self.settings("}", depth)
            self._take("}")
            return group
        if value in _CLOSERS and kind == "mark":
            return self._list(_CLOSERS[value], depth)
        if kind == "text":
            return self._text()
        return self._scalar(self._take("number", "name"))

    def _list(self, closer: str, depth: int) -> list[Any]:
        self._at += 1
        found = []
        while self._next[1] != closer:
            found.append(self._value(depth + 1))
            if self._next[1] == ",":
                self._at += 1
        self._take(closer)
        return found

    def _text(self) -> str:
        """Return a text; those that stand behind each other are one."""
        parts = []
        while self._next[0] == "text":
            raw = self._take("text")[1:-1]
            parts.append(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), raw))
        return "".join(parts)

    def _scalar(self, value: str) -> Any:
        if value.lower() in {"true", "false"}:
            return value.lower() == "true"
        number = value.rstrip("L")
        return (
            float(number)
            if set(number) & set(".eE") and "x" not in number.lower()
            else (int(number, 0) if "x" in number.lower() else int(number))
        )
