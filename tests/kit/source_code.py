"""The integration's own source code, and its texts, as tests of its structure read them."""

import ast
from collections.abc import Iterator
from functools import cache
import json
from typing import Any

import yaml

from homeassistant.const import Platform

from .places import INTEGRATION

FREE_COMPONENTS = {platform.value for platform in Platform} | {
    "automation",
    "device_automation",
    "frontend",
    "group",
    "homeassistant",
    "logbook",
    "persistent_notification",
    "script",
    "system_health",
    "webhook",
    "websocket_api",
}
"""Core components that hassfest lets anybody import."""


@cache
def modules() -> dict[str, ast.Module]:
    """Parse the integration's Python files, by their path from its folder."""
    return {
        str(path.relative_to(INTEGRATION)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(INTEGRATION.rglob("*.py"))
    }


def imports(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a file imports; those of the integration begin with a dot."""
    package = name.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = node.level - 1
            base = [*package[: len(package) - above], *(node.module or "").split(".")]
            if not node.level:
                yield node.module or ""
            elif above > len(package):
                yield "..beyond"
            elif node.module:
                yield "." + ".".join(base)
            else:
                yield from ("." + ".".join([*base[:-1], alias.name]) for alias in node.names)


def read(name: str) -> Any:
    """Read a JSON or YAML file of the integration."""
    text = (INTEGRATION / name).read_text(encoding="utf-8")
    return yaml.safe_load(text) if name.endswith(".yaml") else json.loads(text)


def read_optional(path: str) -> Any:
    """Read a file that is there only when there is something to put into it."""
    return read(path) if (INTEGRATION / path).exists() else {}


def stores() -> set[str]:
    """Return the names of all files that are kept in `.storage`."""
    return {
        argument.value
        for tree in modules().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "KeptStore"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
