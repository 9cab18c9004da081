"""All releases known in this house, and where they come from.

Here live files on disk and their facts: names, versions, signatures, the watched folder, and
sources that are asked for more. Never here: modules, and what fits on which.
"""

from ..ota import ReleaseName
from .download import async_download
from .folder import WatchedFolder, read_firmware
from .incoming import IncomingFile
from .library import Library
from .merged_image import async_learn_slot
from .payloads import Payloads
from .release import SIGNATURE_LIMIT, Release
from .resumed import async_download_resumed
from .signatures import Signatures
from .source_kinds import (
    KINDS,
    repository_from,
)
from .source_registry import SourceRegistry
from .source_watcher import SourceWatcher

__all__ = [
    "KINDS",
    "SIGNATURE_LIMIT",
    "IncomingFile",
    "Library",
    "Payloads",
    "Release",
    "ReleaseName",
    "Signatures",
    "SourceRegistry",
    "SourceWatcher",
    "WatchedFolder",
    "async_download",
    "async_download_resumed",
    "async_learn_slot",
    "read_firmware",
    "repository_from",
]
