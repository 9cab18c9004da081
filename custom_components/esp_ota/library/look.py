"""What a file would be in the library: a release, and what is against it."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from homeassistant.util import dt as dt_util

from ..ota import Cause, Image, LibraryError, ReleaseName
from ..stored import storable
from .keep_rule import gives_way
from .release import Release


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What a look at a file gave; nothing of it is kept."""

    image: Image
    release: Release | None
    """What it would be, or is already; None where nothing says its name and version."""
    is_new: bool
    problem: LibraryError | None
    """Why it would not be taken as it is."""


def release_of(image: Image, name: ReleaseName, source: str, notes: str | None) -> Release:
    """Return a new release; raises LibraryError when nothing says its name and version."""
    firmware, version = name.of_image(image)
    return Release(
        firmware=firmware,
        version=version,
        image=image,
        notes=storable(notes or name.notes or "") or None,
        source=storable(source),
        added=dt_util.utcnow().isoformat(),
        stated_chip=name.chip if image.chip else name.chip_of_files,
        signature=storable(name.signature) if name.signature else None,
        flagged=bool(name.prerelease),
    )


def refuse_conflict(
    known: Iterable[Release], release: Release, in_use: Callable[[], Collection[str]]
) -> None:
    """Raise LibraryError when other bytes have the name, version and chip of a release already.

    What a server has brought, and nobody uses, gives way.
    """
    rivals = [other for other in known if other.is_same_as(release)]
    if rivals and not all(gives_way(other, in_use()) for other in rivals):
        raise LibraryError(
            Cause.RELEASE_CONFLICT,
            firmware=release.firmware,
            version=release.version,
            chip=release.chip or release.image.kind,
        )


def look_at(
    known: dict[str, Release],
    image: Image,
    name: ReleaseName,
    in_use: Callable[[], Collection[str]],
) -> Look:
    """Return what an image would be beside the known releases (by sha256)."""
    if (same := known.get(image.sha256)) is not None:
        return Look(image=image, release=same, is_new=False, problem=None)
    release = None
    try:
        release = release_of(image, name, "", None)
        refuse_conflict(known.values(), release, in_use)
    except LibraryError as err:
        return Look(image=image, release=release, is_new=True, problem=err)
    return Look(image=image, release=release, is_new=True, problem=None)
