"""Check that JSON, TOML and YAML files can be read and that text files are tidy.

Usage: check_data.py [FILE...]   (without one: all files of the repository)
"""

from collections.abc import Hashable
import json
from pathlib import Path
import subprocess
import sys
import tomllib
from typing import override

import yaml

BINARY = {".bin", ".gz", ".png"}
# Snapshots are written by a tool, with its own spacing.
UNTIDY = {".ambr", ".patch"}


class _Loader(yaml.SafeLoader):
    """Refuses duplicate keys and accepts Home Assistant's tags (`!input`, `!secret`)."""

    @override
    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,
    ) -> dict[Hashable, object]:
        """Build a mapping whose keys must differ."""
        keys = [key.value for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise ValueError(f"duplicate key in the mapping at line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


_Loader.add_multi_constructor("!", lambda _loader, suffix, _node: suffix)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build an object whose keys must differ."""
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"duplicate keys: {sorted({key for key in keys if keys.count(key) > 1})}")
    return result


def _parse(suffix: str, text: str) -> None:
    """Read one file's text the way its name says."""
    match suffix:
        case ".json":
            json.loads(text, object_pairs_hook=_unique)
        case ".toml":
            tomllib.loads(text)
        case ".yaml" | ".yml":
            for _ in yaml.load_all(text, _Loader):
                pass


def problems(path: Path) -> list[str]:
    """Return what is wrong with one file."""
    if path.suffix in BINARY:
        return []
    try:
        text = path.read_bytes().decode()
        _parse(path.suffix, text)
    except (ValueError, yaml.YAMLError) as error:
        return [str(error)]
    if path.suffix in UNTIDY or not text:
        return []
    found = []
    if "\r" in text:
        found.append("carriage returns")
    if not text.endswith("\n") or text.endswith("\n\n"):
        found.append("must end in exactly one newline")
    found += [
        f"line {number}: trailing whitespace"
        for number, line in enumerate(text.splitlines(), 1)
        if line != line.rstrip()
    ]
    return found


def main() -> int:
    """Print all problems; the number of files that have one decides the exit code."""
    names = sys.argv[1:] or subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], text=True
    ).rstrip("\0").split("\0")
    bad = 0
    for path in map(Path, names):
        if not path.is_file():
            continue
        found = problems(path)
        bad += bool(found)
        for problem in found:
            print(f"{path}: {problem}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
