"""A file of `.storage` on a disk that is full, and one that somebody else has written."""

import json
from pathlib import Path
from typing import Any

from custom_components.esp_ota.const import DOMAIN


class StoredFile:
    """One store of ours; a folder in its place takes no file, as a full disk does."""

    def __init__(self, config_dir: Path, name: str) -> None:
        self.name = name
        self.path = config_dir / ".storage" / f"{DOMAIN}.{name}"

    def fail(self) -> None:
        self.path.unlink(missing_ok=True)
        self.path.mkdir(parents=True)
        (self.path / "in the way").touch()

    def mend(self) -> None:
        (self.path / "in the way").unlink()
        self.path.rmdir()

    def text(self, data: Any, version: Any = 1) -> str:
        """Return what Home Assistant writes."""
        document = {"version": version, "minor_version": 1, "key": f"{DOMAIN}.{self.name}"}
        return json.dumps(document | {"data": data})

    def write(self, text: str) -> None:
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(text, encoding="utf-8")

    @property
    def data(self) -> dict[str, Any]:
        """What is kept in it."""
        content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))["data"]
        return content

    @property
    def aside(self) -> list[str]:
        """What the copies beside it hold."""
        copies = sorted(self.path.parent.glob(f"{self.path.name}.unread-*"))
        return [copy.read_text(encoding="utf-8") for copy in copies]
