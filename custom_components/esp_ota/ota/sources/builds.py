"""Which files of ESP Web Tools' builds can go over the air.

A build writes its parts to flash over a cable: boot loader, partition table, sketch, and whatever
else is needed. Only the sketch's own part, and file systems, can be sent to a module.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
import re
from typing import Any, Final

from ..causes import Cause
from ..models import Chip, ChipFamily, ImageKind
from ..module import chip_from_text
from ..naming import hints_at_files
from .listing import kind_of, number, text

_FIRST_APP: Final = 0x10000
"""No ESP32 sketch begins below it: boot loader, partition table and OTA data come first."""
_MOST_PARTS: Final = 64
_NUMBER: Final = re.compile(r"0[xX]([0-9a-fA-F]{1,8})|([0-9]{1,10})")
_NO_SKETCH: Final = re.compile(
    r"(?<![a-z])(?:nvs|phy|boot_?app0|ota_?data|boot_?loader|partitions?|safe_?boot|recovery|rescue"
    r"|factory|sr_?models?|models?|fonts?|storage|core_?dump|voices?|sounds?|assets?|www|data)(?![a-z])",
    re.IGNORECASE,
)
"""Words in names of parts beside the sketch; they decide only where there is a choice."""

type Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Build:
    """One build of a manifest, with its parts by their offset."""

    chip: Chip
    parts: tuple[tuple[int | None, Part], ...]
    ota: Part | None
    needs_serial: bool
    """Whether it is for one kind of serial port only (`serialType`): others are more general."""

    @property
    def files(self) -> list[Part]:
        """File systems, which may be sent beside the sketch."""
        return [part for _, part in self.parts if _is_filesystem(part)]

    def sketches(self) -> tuple[list[Part], list[tuple[Part, Cause]]]:
        """Return what can be the sketch, one if it is clear, and what is not, and why."""
        if self.ota is not None:
            return [self.ota], []
        rest = [pair for pair in self.parts if not _is_filesystem(pair[1])]
        first = _FIRST_APP if self.chip.family is ChipFamily.ESP32 else 0
        found = [part for offset, part in rest if offset is None or offset >= first]
        if first == 0 and any(offset == 0 for offset, _ in rest):
            found = [part for offset, part in rest if offset == 0]
        if not found:
            cause = Cause.MERGED_IMAGE if len(rest) == 1 else Cause.NO_SKETCH
            return [], [(part, cause) for _, part in rest]
        named = [part for part in found if not _NO_SKETCH.search(name_of(part))]
        if len(found) > 1 and not named:
            return [], [(part, Cause.NO_SKETCH) for part in found]
        return (found if len(found) == 1 else named), []


def builds_of(listed: Sequence[Any]) -> Iterator[Build | str]:
    """Yield the builds of a manifest; of one for no chip that we know the name of the chip."""
    for build in listed:
        if not isinstance(build, Mapping):
            continue
        family = text(build, "chipFamily") or ""
        if (chip := chip_from_text(family)) is None:
            yield family or "?"
            continue
        ota, parts = build.get("ota"), build.get("parts")
        found = parts[:_MOST_PARTS] if isinstance(parts, list) else []
        pairs = [(_offset(part), part) for part in found if isinstance(part, Mapping)]
        pairs.sort(key=lambda pair: -1 if pair[0] is None else pair[0])
        yield Build(
            chip=chip,
            parts=tuple(pairs),
            ota=ota if isinstance(ota, Mapping) else None,
            needs_serial=bool(text(build, "serialType")),
        )


def matches(part: Part, pattern: str | None) -> bool:
    """Whether the person's pattern of file names, if there is one, fits a part."""
    return pattern is None or fnmatchcase(name_of(part).lower(), pattern.lower())


def name_of(part: Part) -> str:
    """Return the file name of a part, without folders and what a web address has behind."""
    path = (text(part, "path", 2048) or text(part, "url", 2048) or "").partition("?")[0]
    return path.rpartition("/")[2][:128]


def _is_filesystem(part: Part) -> bool:
    kind = kind_of(part, text(part, "path", 2048) or "")
    return kind is ImageKind.FILESYSTEM or (kind is None and hints_at_files(name_of(part)))


def _offset(part: Part) -> int | None:
    """Return where a part goes; some write it as text, decimal or hexadecimal."""
    if (found := _NUMBER.fullmatch((text(part, "offset") or "").strip())) is None:
        return number(part, "offset")
    return int(found[1], 16) if found[1] else int(found[2])
