"""All that was said of what one module runs, by six sources of different strength."""

from collections.abc import Iterable, Mapping
from typing import Final

from ..models import EvidenceSource, Sighting

_STRENGTH: Final = tuple(EvidenceSource)
"""The enum lists them strongest first."""
_REQUESTS: Final = frozenset(
    {EvidenceSource.PULL_MD5, EvidenceSource.SHARED_PULL_MD5, EvidenceSource.PULL_VERSION}
)
SAID: Final = slice(2, 5)
"""The part of a sighting that is what was said, whoever says it and whenever."""


class Statements:
    """Keeps the last statement of each source, and answers the strongest."""

    def __init__(self) -> None:
        """Start with nothing said."""
        self._last: dict[EvidenceSource, Sighting] = {}

    def heard(self, sighting: Sighting) -> bool:
        """Take a statement; it replaces what the same source said before.

        A source that says something else than before has seen another image, as has a request with
        another sum than the one before it: then what the others said is about the old one. Returns
        whether it says anything else.
        """
        before = self._last.get(sighting.source)
        is_news = before is None or before[SAID] != sighting[SAID]
        if is_news and (before is not None or self._is_other(sighting)):
            self._last.clear()
        self._last[sighting.source] = sighting
        return is_news

    def _is_other(self, sighting: Sighting) -> bool:
        """Whether it is a request with another sum, which may be as strong as the one before."""
        if sighting.source not in _REQUESTS or sighting.sketch_md5 is None:
            return False
        sums = {item.sketch_md5 for source, item in self._last.items() if source in _REQUESTS}
        return bool(sums - {None, sighting.sketch_md5})

    def image_replaced(self, at: float) -> None:
        """Forget what was said before (`time.monotonic()`): it was about another image."""
        self._last = {source: item for source, item in self._last.items() if item.at >= at}

    @property
    def best(self) -> Sighting | None:
        """The strongest statement that names a version."""
        for source in _STRENGTH:
            if (said := self._last.get(source)) is not None and said.version is not None:
                return said
        return None

    @property
    def all(self) -> Mapping[EvidenceSource, Sighting]:
        """The last statement of each source, strongest first."""
        return {source: self._last[source] for source in _STRENGTH if source in self._last}


def strongest(sightings: Iterable[Sighting]) -> Sighting | None:
    """Return the last statement of the strongest source among those that say what runs."""
    telling = [item for item in sightings if item.version or item.sketch_md5]
    telling.reverse()  # of two at the same moment the later one counts
    return max(telling, key=lambda item: (-_STRENGTH.index(item.source), item.at), default=None)
