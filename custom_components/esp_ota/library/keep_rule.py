"""Which releases may go: the last N of each firmware stay, and all that somebody needs.

What a server has brought for single modules is apart from that: it drops nothing that a person has,
and stays as long as somebody uses it, or nothing newer has come from a server.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from ..const import SOURCE_SERVER
from ..ota import by_version
from .release import Release

_OF_SERVERS: Final = 16
"""Of what servers brought and nobody uses; a deployment has 8 files at most, and is assigned when
the last of them is here."""


def gives_way(release: Release, in_use: Collection[str]) -> bool:
    """Whether a release is a server's that nobody uses."""
    return release.source == SOURCE_SERVER and release.image.sha256 not in in_use


def superfluous(releases: Iterable[Release], keep: int, in_use: Collection[str]) -> list[Release]:
    """Return what the keep rule drops.

    Each firmware is counted for each chip and kind: nobody can install the others instead. The
    last ones are those added last, so that a version that somebody went back to fetch stays; the
    newest version stays whenever it was added, or the card would offer an older one.
    """
    groups: defaultdict[object, list[Release]] = defaultdict(list)
    of_servers: list[Release] = []
    for release in releases:
        if release.source == SOURCE_SERVER:
            of_servers.append(release)
        else:
            groups[release.firmware, release.chip, release.image.kind].append(release)
    dropped = _of_servers(of_servers, groups, in_use)
    for group in groups.values():
        newest = max(group, key=lambda item: (by_version(item.version), item.added))
        last = sorted(group, key=lambda item: item.added)[-keep:]
        dropped += [
            item
            for item in group
            if item not in last and item is not newest and item.image.sha256 not in in_use
        ]
    return dropped


def _of_servers(
    releases: list[Release], groups: Mapping[object, list[Release]], in_use: Collection[str]
) -> list[Release]:
    """Return what is dropped of that: the oldest, and what has the name of something that stays."""
    spare = sorted(
        (item for item in releases if gives_way(item, in_use)), key=lambda item: item.added
    )
    dropped = spare[:-_OF_SERVERS]
    for place, item in enumerate(spare[-_OF_SERVERS:], start=len(dropped)):
        others = groups.get((item.firmware, item.chip, item.image.kind), [])
        if any(item.is_same_as(other) for other in [*others, *spare[place + 1 :]]):
            dropped.append(item)
    return dropped
