"""Names and versions of firmware, as a person reads them.

Here live the reading of file names, the order of versions, and who has the last word on a name.
Never here: what belongs on a module, and files on a disk.
"""

from .file_name import hints_at_files, says_files
from .names import name_of_asset, name_says_less, own_words, same_name, version_of_tag
from .ranges import pin_permits, pinned_version, read_pin
from .release_name import ReleaseName
from .versions import (
    by_version,
    differ_for_certain,
    is_newer,
    is_prerelease,
    same_version,
    says_less,
)

__all__ = [
    "ReleaseName",
    "by_version",
    "differ_for_certain",
    "hints_at_files",
    "is_newer",
    "is_prerelease",
    "name_of_asset",
    "name_says_less",
    "own_words",
    "pin_permits",
    "pinned_version",
    "read_pin",
    "same_name",
    "same_version",
    "says_files",
    "says_less",
    "version_of_tag",
]
