"""Filesystem images: LittleFS by its superblock, FAT by its boot sector, SPIFFS by its shape."""

from ..models import FilesystemType
from ._content import FilesystemFacts
from ._fat import is_fat
from ._littlefs import littlefs_of
from ._spiffs import is_spiffs, may_be_spiffs
from ._sums import Data


def filesystem_of(plain: Data, *, stated: bool) -> FilesystemFacts | None:
    """Return which filesystem an image certainly is, None when nothing says that it is one.

    `stated` is whether somebody calls it a filesystem, which lets an empty SPIFFS pass that has no
    mark. Raises ImageError when it is one that is cut off or damaged.
    """
    if (littlefs := littlefs_of(plain)) is not None:
        return FilesystemFacts(
            FilesystemType.LITTLEFS,
            size=littlefs.size,
            version=littlefs.version,
            block=littlefs.block,
            longest_name=littlefs.longest_name,
        )
    if is_fat(plain):
        return FilesystemFacts(FilesystemType.FAT, size=len(plain))
    if is_spiffs(plain) or (stated and may_be_spiffs(plain)):
        return FilesystemFacts(FilesystemType.SPIFFS, size=len(plain))
    return None
