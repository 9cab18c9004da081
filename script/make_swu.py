"""Pack sketches into a container (.swu) for goosebit; see `script/swu`."""

import argparse
from collections import defaultdict
from importlib import import_module
from pathlib import Path
import sys
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

container = import_module("cpio").container
inspect = import_module("inspect_files").inspect


def main() -> int:
    """Write the container, or say why it cannot be."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--version")
    parser.add_argument("--output", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    said = parser.parse_args()
    files = [(path, inspect(path)) for path in said.files]
    problem = _problem(files, said.version)
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    version = said.version or next(facts["version"] for _, facts in files if facts["version"])
    names = [facts["firmware"] for _, facts in files if facts["firmware"]]
    output = said.output or Path(f"{(names or [said.files[0].stem])[0]}-{version}.swu")
    parts = [("sw-description", _description(files, version).encode())]
    parts += [(path.name, path.read_bytes()) for path in said.files]
    output.write_bytes(container(parts))
    print(output)
    return 0


def _problem(files: list[tuple[Path, dict[str, Any]]], version: str | None) -> str | None:
    for path, facts in files:
        problems = [item for item in facts["problems"] if item != "filesystem_image"]
        if problems and not (version and problems == ["version_missing"]):
            return f"{path}: {', '.join(problems)}; docs/causes.md explains it"
    versions = {facts["version"] for _, facts in files if facts["version"]}
    if version is None and len(versions) != 1:
        return f"of which version? ({', '.join(sorted(versions)) or 'none is stated'})"
    if len({path.name for path, _ in files}) < len(files):
        return "two of the files have the same name"
    return None


def _description(files: list[tuple[Path, dict[str, Any]]], version: str) -> str:
    """Return what stands first in the container: which file is for which hardware."""
    boards = defaultdict(list)
    for path, facts in files:
        boards[facts["chip"] or ""].append((path.name, facts["sha256"]))
    rest = boards.pop("", [])
    lines = ["software =", "{", f'  version = "{version}";']
    for chip, images in sorted(boards.items()) or [("default", [])]:
        lines += [
            f"  {chip} =",
            "  {",
            '    hardware-compatibility: [ "default" ];',
            "    images: (",
        ]
        each = [
            f'      {{ filename = "{name}"; sha256 = "{sha256}"; }}'
            for name, sha256 in images + rest
        ]
        lines += [",\n".join(each), "    );", "  };"]
    return "\n".join([*lines, "};", ""])


if __name__ == "__main__":
    sys.exit(main())
