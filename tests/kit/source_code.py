"""The integration's own source code, as tests of its structure read it."""

import ast
from collections.abc import Iterator
from functools import cache

from .places import INTEGRATION


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
