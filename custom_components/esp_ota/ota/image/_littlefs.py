"""LittleFS: what the superblock says, found as a mount finds it.

After SPEC.md, `lfs_dir_fetchmatch` and `lfs_mount` of littlefs 2.11: a metadata block is a log of
commits, and of the two blocks of a pair the one with the newer revision counts. The superblock is
the first entry of the first pair; a file system that was written to a lot, or grown, repeats it in
the pairs that follow, and the last one counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
import struct
from typing import Final, Self
import zlib

from ..details import Detail
from ..exceptions import ImageError
from ._content import corrupt, truncated
from ._sums import Data

_NAME: Final = b"littlefs"
_NAME_AT: Final = (8, 12)
"""Where it is mostly: first in its block, or behind the tag that created it."""
_BLOCKS: Final = tuple(1 << bit for bit in range(7, 21))
"""Sizes that the second block is looked for behind, where the first is no help."""
_BLOCK_SIZE: Final = range(128, 1024 * 1024 + 1)
_SMALLEST_COUNT: Final = 2
_BLANK: Final = b"\xff" * 16
_NOWHERE: Final = 0xFFFFFFFF

_SUPERBLOCK: Final = 0x0FF
_CREATE: Final = 0x401
_DELETE: Final = 0x4FF
_INLINE: Final = 0x201
_SKIP_LIST: Final = 0x202
_STRUCTS: Final = (0x200, _INLINE, _SKIP_LIST)
_TAILS: Final = (0x600, 0x601)
_CRC: Final = 0x500
_CRC_MASK: Final = 0x780
_DELETED: Final = 0x3FF
_GEOMETRY: Final = 24


@dataclass(frozen=True, slots=True)
class Superblock:
    """What a LittleFS says of itself."""

    version: str
    """Of the layout on disk, like `2.1`; a littlefs mounts it if its own is as new."""
    block: int
    """Bytes."""
    count: int
    """Blocks."""
    longest_name: int
    """Bytes that a file's name may have; a littlefs mounts it if its own limit is as high."""

    @property
    def size(self) -> int:
        """Bytes of the whole file system, of which an image may have the first ones only."""
        return self.block * self.count

    @classmethod
    def read(cls, content: Data) -> Self | None:
        """Return what the superblock's entry says; None when it makes no sense."""
        version, block, count, longest_name = struct.unpack_from("<4I", content)
        if block not in _BLOCK_SIZE or count < _SMALLEST_COUNT:
            return None
        return cls(f"{version >> 16}.{version & 0xFFFF}", block, count, longest_name)


@dataclass(slots=True)
class _Log:
    """What the whole commits of one metadata block add up to."""

    revision: int
    is_super: bool = False
    tail: tuple[int, int] = (_NOWHERE, _NOWHERE)
    structs: list[tuple[int, bytes]] = field(default_factory=list)
    """Kind and content, by the id of the entry."""

    def take(self, kind: int, entry: int, content: bytes) -> None:
        """Add one tag, in the order of the log."""
        if kind == _CREATE:
            self.structs.insert(entry, (0, b""))
        elif kind == _DELETE:
            del self.structs[entry : entry + 1]
        elif kind == _SUPERBLOCK:
            self.is_super = content == _NAME
        elif kind in _TAILS and len(content) == 8:
            self.tail = struct.unpack("<II", content)
        elif kind in _STRUCTS:
            self.structs += [(0, b"")] * (entry + 1 - len(self.structs))
            self.structs[entry] = (kind, content)

    @property
    def superblock(self) -> Superblock | None:
        """The superblock that is the first entry here, None where there is none."""
        kind, content = self.structs[0] if self.structs else (0, b"")
        if not self.is_super or kind != _INLINE or len(content) < _GEOMETRY:
            return None
        return Superblock.read(content)


def is_named(plain: Data) -> bool:
    """Whether a superblock's name stands in the first block, behind a revision of any looks.

    The tag before it is XORed with ones (SPEC.md), so that it begins with a bit that no text has.
    """
    is_tagged = len(plain) > _NAME_AT[0] and plain[4] & 0x80
    return bool(is_tagged) and any(plain[at : at + len(_NAME)] == _NAME for at in _NAME_AT)


def littlefs_of(plain: Data) -> Superblock | None:
    """Return what a LittleFS says of itself, None where nothing says that it is one.

    Every sketch that uses LittleFS has its name somewhere: only a whole commit counts, unless the
    name stands where nothing else could be. Raises ImageError for one that is cut off or damaged.
    """
    found = _first_pair(plain)
    if found is None:
        _check_for_damage(plain)
        return None
    first, superblock = found
    _check_is_there(plain, first, superblock)
    last, longest_name = superblock, superblock.longest_name
    for log in _chain(plain, first, superblock.block):
        if (again := log.superblock) is None:
            break
        last, longest_name = again, max(longest_name, again.longest_name)
    if last.block != superblock.block:
        raise corrupt(Detail.SUPERBLOCK_DAMAGED)
    if len(plain) > last.size:
        raise corrupt(Detail.BYTES_TOO_MANY, size=len(plain), expected=last.size)
    return replace(last, longest_name=longest_name)


def _check_for_damage(plain: Data) -> None:
    """Raise ImageError where the name stands in a first or second block that is not whole."""
    at = next((at for at in _NAME_AT if plain[at : at + len(_NAME)] == _NAME), None)
    if at is not None:
        if len(plain) < at + len(_NAME) + 4 + _GEOMETRY:
            raise truncated(Detail.SUPERBLOCK_CUT)
        said = Superblock.read(plain[at + 12 : at + 12 + _GEOMETRY])
        if said is not None and len(plain) < said.size:
            raise _truncated(plain, said)
    elif plain[:16] != _BLANK or not any(
        plain[block + at : block + at + len(_NAME)] == _NAME for block in _BLOCKS for at in _NAME_AT
    ):
        return
    raise corrupt(Detail.SUPERBLOCK_DAMAGED)


def _first_pair(plain: Data) -> tuple[_Log, Superblock] | None:
    """Return the newer one of the first two blocks, of which one may be blank or damaged."""
    first = _fetch(plain, 0, len(plain))
    said = first.superblock if first else None
    for block in (said.block,) if said else _BLOCKS:
        log = _fetch_pair(plain, (0, 1), block)
        found = log.superblock if log else None
        if log and found and found.block == block:
            return log, found
    return None


def _fetch_pair(plain: Data, pair: tuple[int, int], block: int) -> _Log | None:
    """Return the block of a pair that counts; None where neither is whole."""
    logs = [
        log
        for number in pair
        if (log := _fetch(plain, number * block, min((number + 1) * block, len(plain))))
    ]
    if len(logs) == 2 and (logs[1].revision - logs[0].revision) & 0xFFFFFFFF < 0x80000000:
        return logs[1]
    return logs[0] if logs else None


def _fetch(plain: Data, begin: int, end: int) -> _Log | None:
    """Read commits as long as they are whole: each tag is XORed with the one before."""
    if begin + 8 > end:
        return None
    (revision,) = struct.unpack_from("<I", plain, begin)
    log, pending = _Log(revision), list[tuple[int, int, bytes]]()
    place, summed, before, is_whole = begin + 4, begin, _NOWHERE, False
    view = memoryview(plain)
    while place + 4 <= end:
        tag = int.from_bytes(plain[place : place + 4]) ^ before
        kind, entry, length = tag >> 20, tag >> 10 & 0x3FF, tag & 0x3FF
        place, before = place + 4, tag
        length = 0 if length == _DELETED else length
        if tag >> 31 or place + length > end:
            break
        if kind & _CRC_MASK != _CRC:
            pending.append((kind, entry, bytes(plain[place : place + length])))
        else:
            if length < 4 or int.from_bytes(plain[place : place + 4], "little") != (
                zlib.crc32(view[summed:place]) ^ 0xFFFFFFFF
            ):
                break
            for item in pending:
                log.take(*item)
            pending, summed, is_whole = [], place + length, True
            before ^= (kind & 1) << 31
        place += length
    return log if is_whole else None


def _chain(plain: Data, log: _Log, block: int) -> Iterator[_Log]:
    """Yield the directories that follow the first pair; raises ImageError where one is missing."""
    seen: set[tuple[int, int]] = set()
    while _NOWHERE not in log.tail:
        after = None if log.tail in seen else _fetch_pair(plain, log.tail, block)
        if after is None:
            raise corrupt(Detail.DIRECTORY_DAMAGED)
        seen.add(log.tail)
        log = after
        yield log


def _check_is_there(plain: Data, first: _Log, superblock: Superblock) -> None:
    """Check that an image which is shorter than its file system has all that is in use.

    So are the ones that `littlefs-python create --compact --no-pad` makes: what is missing is
    free. Raises ImageError where anything is missing.
    """
    if len(plain) >= superblock.size:
        return
    if len(plain) % superblock.block:
        raise _truncated(plain, superblock)
    try:
        logs = [first, *_chain(plain, first, superblock.block)]
    except ImageError as err:
        raise _truncated(plain, superblock) from err
    for log in logs:
        for kind, content in log.structs:
            if kind == _SKIP_LIST and not _has_file(plain, content, superblock.block):
                raise _truncated(plain, superblock)


def _has_file(plain: Data, content: bytes, block: int) -> bool:
    """Follow the blocks of a file from its last one: each begins with the number of another."""
    number, size = struct.unpack_from("<II", content) if len(content) >= 8 else (0, 0)
    for _ in range(_blocks_of(size, block)):
        at = number * block
        if at + block > len(plain):
            return False
        (number,) = struct.unpack_from("<I", plain, at)
    return True


def _blocks_of(size: int, block: int) -> int:
    """Return how many blocks a file has, as `lfs_ctz_index` counts: n has ctz(n) + 1 pointers."""
    if not size:
        return 0
    room = block - 8
    index = (size - 1) // room
    return 1 + (index and (size - 1 - 4 * ((index - 1).bit_count() + 2)) // room)


def _truncated(plain: Data, superblock: Superblock) -> ImageError:
    return truncated(Detail.BYTES_MISSING, size=len(plain), expected=superblock.size)
