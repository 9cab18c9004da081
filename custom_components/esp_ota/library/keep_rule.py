"""Which releases may go: the last N of each firmware stay, and all that somebody needs."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from ..ota import by_version
from .release import Release


def superfluous(releases: Iterable[Release], keep: int, in_use: Collection[str]) -> list[Release]:
    """Return what the keep rule drops.

    Each firmware is counted for each chip and kind: nobody can install the others instead. The
    last ones are those added last, so that a version that somebody went back to fetch stays; the
    newest version stays whenever it was added, or the card would offer an older one.
    """
    groups: defaultdict[object, list[Release]] = defaultdict(list)
    for release in releases:
        groups[release.firmware, release.chip, release.image.kind].append(release)
    dropped: list[Release] = []
    for group in groups.values():
        newest = max(group, key=lambda item: (by_version(item.version), item.added))
        last = sorted(group, key=lambda item: item.added)[-keep:]
        dropped += [
            item
            for item in group
            if item not in last and item is not newest and item.image.sha256 not in in_use
        ]
    return dropped
