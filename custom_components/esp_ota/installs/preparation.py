"""What one install brings to a module: the images in their order, with their bytes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..const import CONF_GZIP, LOGGER
from ..helpers import async_sentence
from ..house import InstallNote
from ..library import Release
from ..modules import ModuleCoordinator
from ..ota import Candidate, ImageKind, Part, Payload, may_pack


async def async_prepare(
    coordinator: ModuleCoordinator, release: Release, note: InstallNote
) -> list[Part]:
    """Return the parts of an install, the sketch last.

    Files of the same version go first: a sketch that finds old files may not even start, old
    sketches mostly live with new ones. Those that a try before has brought already stay as they
    are, unless the person names the version. Raises LibraryError when bytes are gone.
    """
    releases, chosen = [release], note.get("chosen", True)
    assigned = coordinator.is_assigned(release)
    files = coordinator.house.library.companion(release, assigned=assigned)
    delivered = coordinator.facts().filesystem_sha256
    if files is not None and (chosen or files.image.sha256 != delivered):
        releases.insert(0, files)
    parts = await async_parts(coordinator, releases, chosen=chosen)
    return [with_candidate(part, by_rollout="rollout" in note) for part in parts]


async def async_parts(
    coordinator: ModuleCoordinator, releases: Sequence[Release], *, chosen: bool
) -> list[Part]:
    """Return releases as parts of one install; raises LibraryError when bytes are gone."""
    house = coordinator.house
    parts = []
    for item in releases:
        payload = await house.payloads.async_of(item)
        if (key := house.key_of(item.firmware)) is not None:
            await house.signatures.async_verify(item, key, payload.data)
        part = part_of(coordinator, item, payload, chosen=chosen)
        parts.append(await _async_packed(coordinator, part))
    return parts


def part_of(
    coordinator: ModuleCoordinator, release: Release, payload: Payload, *, chosen: bool
) -> Part:
    """Return one release as a part of an install."""
    candidate = replace(coordinator.candidate(release, chosen=chosen), wanted=release.image.kind)
    return Part(candidate=candidate, payload=payload)


def renewed(coordinator: ModuleCoordinator, candidate: Candidate) -> Candidate:
    """Return what was prepared, by what is known of it and of the module now.

    While it waited for its turn somebody may have flashed the module by a cable, or have given its
    firmware a key.
    """
    house, image = coordinator.house, candidate.image
    if image.kind is ImageKind.SKETCH:
        candidate = replace(candidate, installed=coordinator.data.compared_with)
    if (release := house.library.running(image.plain_md5)) is None:
        return candidate
    signature, is_early = house.signatures.state(release), release.is_prerelease
    return replace(candidate, signature=signature, is_prerelease=is_early)


def with_candidate(part: Part, **changes: Any) -> Part:
    """Return a part of which more is said."""
    return replace(part, candidate=replace(part.candidate, **changes))


async def _async_packed(coordinator: ModuleCoordinator, part: Part) -> Part:
    """Return the smaller form of an image, where that is without risk for this module."""
    if not coordinator.config_entry.options.get(CONF_GZIP, True):
        return part
    payload, packed = await coordinator.house.payloads.async_smaller(
        part.payload, part.candidate.image, coordinator.facts()
    )
    name = coordinator.config_entry.title
    key, facts = f"packing_{packed.advice.reason}", packed.advice.facts
    LOGGER.info("%s: %s", name, await async_sentence(coordinator.hass, key, facts, module=name))
    return Part(candidate=replace(part.candidate, image=packed.image), payload=payload)


async def async_packing_advice(coordinator: ModuleCoordinator) -> str:
    """Return why the release on offer would be sent packed, or why not, as a sentence.

    It is the advice of this moment: the one that counts is taken with the bytes at hand.
    """
    reason, facts = "packing_nothing", {}
    if (offered := coordinator.offered) is not None:
        advice = may_pack(offered.image, coordinator.facts())
        reason = "packing_possible" if advice.pack else f"packing_{advice.reason}"
        facts = advice.facts
    name = coordinator.config_entry.title
    return await async_sentence(coordinator.hass, reason, facts, module=name)
