"""The images on disk, named by their content; everything here runs in the executor."""

from collections.abc import Collection
from contextlib import suppress
import hashlib
import os
from pathlib import Path


class ImageFiles:
    """`<config>/esp_ota/images/`. A crash leaves either all of a file or nothing."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made with the first image."""
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._folder

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.bin"

    def write(self, sha256: str, data: bytes) -> None:
        """Write one image, unless it is there whole."""
        if self.read(sha256) is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f"{sha256}.part"
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path(sha256))

    def read(self, sha256: str) -> bytes | None:
        """Return an image, None when it is gone or not what its name says."""
        try:
            data = self._path(sha256).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def remove(self, sha256: str) -> None:
        """Delete one image."""
        self._path(sha256).unlink(missing_ok=True)

    def is_there(self, sha256: str) -> bool:
        """Whether there is something by this name."""
        return self._path(sha256).exists()

    def there(self) -> frozenset[str]:
        """Return whose images lie here, by their names alone; none without the folder."""
        try:
            return frozenset(path.stem for path in self._folder.iterdir() if path.suffix == ".bin")
        except OSError:
            return frozenset()

    def strays(self, known: Collection[str]) -> list[str]:
        """Return whose images lie here although nobody knows them; half-written ones are deleted.

        They are left by a crash between the image and its facts, or are all there is when the
        facts were lost.
        """
        if not self._folder.is_dir():
            return []
        for path in self._folder.glob("*.part"):
            with suppress(OSError):  # of a disk that is read-only
                path.unlink(missing_ok=True)
        return sorted(path.stem for path in self._folder.glob("*.bin") if path.stem not in known)
