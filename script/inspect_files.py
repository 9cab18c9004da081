"""Say what firmware files are; see `script/inspect`.

Usage: inspect_files.py FILE...
"""

import ast
from collections.abc import Iterator
from contextlib import contextmanager, suppress
import hashlib
from importlib import import_module
import json
from pathlib import Path
import sys
from types import ModuleType
from typing import Any, BinaryIO, override

INTEGRATION = Path(__file__).parent.parent / "custom_components" / "esp_ota"
_SIDECAR_LIMIT = 256 * 1024


class _Room(ModuleType):
    """Stands in for a package whose own `__init__` would want Home Assistant, or aiohttp."""

    def __init__(self, name: str, path: Path) -> None:
        """Let the files in a folder be imported, but not the folder itself."""
        super().__init__(name)
        self.__path__ = [str(path)]
        sys.modules[name] = self
        self._places = dict(_public_names(path / "__init__.py"))

    @override
    def __getattr__(self, name: str) -> Any:
        """Find a public name in the file that it comes from, once somebody wants it."""
        if name.startswith("_") or name not in self._places:
            raise AttributeError(name)
        return getattr(import_module(f"{self.__name__}.{self._places[name]}"), name)


def _public_names(file: Path) -> Iterator[tuple[str, str]]:
    """Yield what a package offers, and the file below it that each name is in."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            yield from ((alias.name, node.module) for alias in node.names)


_Room("esp_ota", INTEGRATION)
ota = _Room("esp_ota.ota", INTEGRATION / "ota")
ReleaseName = import_module("esp_ota.ota.naming.release_name").ReleaseName


def inspect(path: Path) -> dict[str, Any]:
    """Return what is known of one file, and what keeps it from being installed as a sketch."""
    facts: dict[str, Any] = {"file": str(path)} | dict.fromkeys(
        ("kind", "chip", "size", "md5", "sha256", "firmware", "version")
    )
    problems: list[str] = []
    name = ReleaseName(file_name=path.name)
    try:
        facts |= _of_file(path)
        name = _name(path)
    except ota.OtaError as error:
        problems.append(error.cause)
    if facts["size"] is not None:
        try:
            facts |= _of_image(_read(path, ota.MAX_FILE_SIZE + 1), name)
        except ota.OtaError as error:
            problems.append(error.cause)
    if facts["kind"] == ota.ImageKind.FILESYSTEM:
        problems.append(ota.Cause.FILESYSTEM_IMAGE)
    return facts | {"problems": problems}


def _of_image(data: bytes, name: Any) -> dict[str, Any]:
    """Return what the bytes are; a sketch may go without name and version."""
    image = name.read(data)
    facts = {"kind": image.kind, "chip": image.chip}
    with suppress(ota.LibraryError):
        facts["firmware"], facts["version"] = name.of_image(image)
    return facts


def _of_file(path: Path) -> dict[str, Any]:
    """Return size and digests of any file, piece by piece: it may be larger than a flash."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with _readable(path) as file:
        while piece := file.read(1 << 20):
            size += len(piece)
            md5.update(piece)
            sha256.update(piece)
    return {"size": size, "md5": md5.hexdigest(), "sha256": sha256.hexdigest()}


@contextmanager
def _readable(path: Path) -> Iterator[BinaryIO]:
    """Open a file; what cannot be read is a problem like any other."""
    try:
        if not path.is_file():
            raise ota.LibraryError(ota.Cause.UNREADABLE_FILE, detail="it is no file")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise ota.LibraryError(ota.Cause.UNREADABLE_FILE, detail=error) from error


def _read(path: Path, limit: int) -> bytes:
    with _readable(path) as file:
        return file.read(limit)


def _name(path: Path) -> Any:
    """Return what file name and sidecar say, as the watched folder does."""
    sidecar = path.with_name(f"{path.name}.json")
    if not sidecar.is_file():
        return ReleaseName(file_name=path.name)
    text = _read(sidecar, _SIDECAR_LIMIT).decode("utf-8", "replace")
    return ReleaseName.from_sidecar(path.name, text)


def main() -> int:
    """Print one line for each file; 0 if all are sketches that could be installed."""
    bad = False
    for name in sys.argv[1:]:
        facts = inspect(Path(name))
        bad = bad or bool(facts["problems"])
        print(json.dumps(facts), flush=True)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
