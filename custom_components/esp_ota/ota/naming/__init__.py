"""Names and versions of firmware, as a person reads them.

Here live the reading of file names, the order of versions, and who has the last word on a name.
Never here: bytes of images, and what belongs on a module.
"""

from .versions import by_version, differ_for_certain, is_newer, same_version, says_less

__all__ = ["by_version", "differ_for_certain", "is_newer", "same_version", "says_less"]
