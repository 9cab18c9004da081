"""Say what firmware files are; see `script/inspect`.

Usage: inspect_files.py FILE...
"""

from collections.abc import Iterator
from contextlib import contextmanager
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

    @override
    def __getattr__(self, name: str) -> Any:
        """Find a public name of `ota` in those of its files that need nothing else."""
        if not name.startswith("_"):
            for part in ("models", "exceptions", "image"):
                file = import_module(f"{self.__name__}.{part}")
                if hasattr(file, name):
                    return getattr(file, name)
        raise AttributeError(name)


_Room("esp_ota", INTEGRATION)
ota = _Room("esp_ota.ota", INTEGRATION / "ota")
ReleaseName = import_module("esp_ota.release_name").ReleaseName


def inspect(path: Path) -> dict[str, Any]:
    """Return what is known of one file, and what keeps it from being installed as a sketch."""
    facts: dict[str, Any] = {"file": str(path)} | dict.fromkeys(
        ("kind", "chip", "size", "md5", "sha256", "firmware", "version")
    )
    problems: list[str] = []
    try:
        facts |= _of_file(path)
        image = ota.read_image(_read(path, ota.MAX_FILE_SIZE + 1))
    except ota.OtaError as error:
        problems.append(error.cause)
    else:
        facts |= {"kind": image.kind, "chip": image.chip}
        if image.kind is not ota.ImageKind.SKETCH:
            problems.append(ota.Cause.FILESYSTEM_IMAGE)
        try:
            name = _name(path)
            facts["firmware"], facts["version"] = name.resolve(image.marker)
        except ota.LibraryError as error:
            if error.cause is not ota.Cause.VERSION_MISSING:  # a sketch may go without
                problems.append(error.cause)
    return facts | {"problems": problems}


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
