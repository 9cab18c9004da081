"""Order of version texts, with an answer even where they cannot be compared."""

from functools import cmp_to_key

from awesomeversion import AwesomeVersion, AwesomeVersionException


def is_newer(version: str, than: str) -> bool | None:
    """Whether a version is newer than another; None when the texts cannot be ordered."""
    if version == than:
        return False
    try:
        return bool(AwesomeVersion(version) > AwesomeVersion(than))
    except AwesomeVersionException:
        return None


def _compare(left: str, right: str) -> int:
    if left == right:
        return 0
    newer = is_newer(left, right)
    if newer is None:  # no order by meaning, so take the one people read
        newer = left > right
    return 1 if newer else -1


by_version = cmp_to_key(_compare)
"""Sort key: oldest first."""
