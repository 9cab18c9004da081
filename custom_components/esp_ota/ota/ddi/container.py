"""Containers of SWUpdate (`.swu`): a cpio archive whose first file says what the others are.

Goosebit carries nothing else, and looks at nothing but that first file.
"""

from collections.abc import Iterator, Mapping
import hashlib
import re
from typing import Any, Final

from ..causes import Cause
from ..details import Detail
from ..exceptions import SourceError
from .libconfig import parse_libconfig

_MAGICS: Final = (b"070701", b"070702")
"""`newc`, and the same with a sum of each file's bytes."""
_WITH_SUM: Final = b"070702"
_HEADER: Final = 110
"""Bytes: the magic, and 13 numbers of 8 hexadecimal digits."""
_DESCRIPTION: Final = "sw-description"
_LONGEST_NAME: Final = 256
_LONGEST_DESCRIPTION: Final = 64 * 1024
_MOST_FILES: Final = 64
_DEEPEST: Final = 32
"""Groups and lists in each other; of JSON the reader bounds none."""
_NUMBERS: Final = re.compile(rb"[0-9A-Fa-f]{104}")
_RAUC: Final = b"hsqs"
_SUM: Final = re.compile(r"[0-9a-fA-F]{64}")


def is_container(data: bytes) -> bool:
    """Whether a file is one; also one of RAUC, which is for Linux alone."""
    return data.startswith((*_MAGICS, _RAUC))


def unpack(data: bytes) -> list[tuple[str, bytes]]:
    """Return the files that a container says are images, with their names.

    Raises SourceError for what is no container, or is not what it says.
    """
    if data.startswith(_RAUC):
        raise _invalid(Detail.RAUC_BUNDLE)
    entries = dict(_entries(data))
    if next(iter(entries), None) != _DESCRIPTION:
        raise _invalid(Detail.DESCRIPTION_NOT_FIRST)
    description = entries.pop(_DESCRIPTION)
    if len(description) > _LONGEST_DESCRIPTION:
        raise _invalid(Detail.DESCRIPTION_TOO_LONG)
    named = _read(description)
    for name, item in named.items():
        if name not in entries:
            raise _invalid(Detail.ENTRY_MISSING, name=name)
        _prove(name, entries[name], item)
    names = list(named) or [name for name in entries if not name.startswith(_DESCRIPTION)]
    if not names:
        raise _invalid(Detail.NO_IMAGE)
    return [(name.rpartition("/")[2], entries[name]) for name in names]


def _read(description: bytes) -> dict[str, Mapping[str, Any]]:
    """Return what a description says of each file that it names."""
    try:
        found = parse_libconfig(description.decode("utf-8"))
        return {str(item["filename"]): item for item in _images(found)}
    except (ValueError, RecursionError) as err:
        raise _invalid(Detail.DESCRIPTION_UNREADABLE) from err


def _images(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield whatever names a file, in whichever board's part it stands; raises ValueError."""
    if depth > _DEEPEST:
        raise ValueError("too deep")
    if isinstance(value, Mapping):
        if isinstance(value.get("filename"), str):
            yield value
        for item in value.values():
            yield from _images(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _images(item, depth + 1)


def _prove(name: str, data: bytes, said: Mapping[str, Any]) -> None:
    if said.get("compressed") or said.get("encrypted"):
        raise _invalid(Detail.ENTRY_PACKED, name=name)
    wanted = said.get("sha256")
    if wanted is None:
        return
    if not (isinstance(wanted, str) and _SUM.fullmatch(wanted)):
        raise _invalid(Detail.ENTRY_SUM, name=name)
    if hashlib.sha256(data).hexdigest() != wanted.lower():
        raise SourceError(Cause.CHECKSUM_MISMATCH, algorithm="SHA-256")


def _entries(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each file of an archive; raises SourceError where it is cut short or makes no sense."""
    at, names = 0, set[str]()
    while True:
        header = data[at : at + _HEADER]
        if header[:6] not in _MAGICS or not _NUMBERS.fullmatch(header[6:]):
            raise _invalid(Detail.ARCHIVE_CUT)
        numbers = [int(header[start : start + 8], 16) for start in range(6, _HEADER, 8)]
        size, name_size, check = numbers[6], numbers[11], numbers[12]
        if not 1 < name_size <= _LONGEST_NAME:
            raise _invalid(Detail.ENTRY_NAME)
        begin = at + _HEADER
        name = data[begin : begin + name_size - 1].decode("utf-8", "replace")
        begin = _aligned(begin + name_size)
        content = data[begin : begin + size]
        if len(content) != size:
            raise _invalid(Detail.ARCHIVE_CUT)
        if name == "TRAILER!!!":
            return
        if header.startswith(_WITH_SUM) and sum(content) & 0xFFFFFFFF != check:
            raise _invalid(Detail.ENTRY_DAMAGED, name=name)
        if name in names or len(names) >= _MOST_FILES:
            raise _invalid(Detail.ENTRY_TWICE)
        names.add(name)
        yield name, content
        at = _aligned(begin + size)


def _aligned(at: int) -> int:
    return (at + 3) & ~3


def _invalid(detail: Detail, **facts: object) -> SourceError:
    return SourceError(Cause.CONTAINER_INVALID, detail=detail, **facts)
