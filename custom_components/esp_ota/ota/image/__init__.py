"""Read the facts of an image from its bytes, and refuse what has no business on a module.

Here live the readers of all chips and file systems. Never here: the module an image is for.
"""

from .reader import (
    MAX_FILE_SIZE,
    AppendedSignature,
    appended_signature,
    read_filesystem_area,
    read_image,
    read_marker,
    read_slots,
    read_staged_from,
)

__all__ = [
    "MAX_FILE_SIZE",
    "AppendedSignature",
    "appended_signature",
    "read_filesystem_area",
    "read_image",
    "read_marker",
    "read_slots",
    "read_staged_from",
]
