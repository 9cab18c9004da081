"""What one module said of itself and what its answers taught: the part that outlives a start."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from ..causes import Cause
from ..models import ChipFamily, Delivery, FlashMode, Image, ImageKind, ModuleFacts
from ..module import PullRequest
from .slot import SLOT_REFUSALS, SlotKnowledge, SlotSource, believed, outlives_sketch

_NO_RELEASE: Final = ""
"""As the sum of files that are broken: unlike files of which nothing was ever known."""


class ModuleKnowledge:
    """Collects statements and answers; `stored` is what to keep, `complete` what follows."""

    def __init__(self, stored: Mapping[str, Any], on_change: Callable[[], None]) -> None:
        """Start with what was kept; `on_change` is called when that is no longer all."""
        found = [SlotKnowledge.from_stored(item) for item in stored.get("slots", [])]
        self._slots = {item.source: item for item in found if item is not None}
        self._signature_required: bool | None = stored.get("signature_required")
        self._filesystem_sha256: str | None = stored.get("filesystem_sha256")
        self._filesystem_area: int | None = stored.get("filesystem_area")
        self._sketch_md5: str | None = None
        self._sums: dict[SlotSource, str] = {}
        self._core_version: str | None = None
        self._flash_mode: FlashMode | None = None
        self._flash_size: int | None = None
        self._was_flashed = False
        self._polled: PullRequest | None = None
        """The last request, as long as all that it taught still holds."""
        self._on_change = on_change

    @property
    def stored(self) -> dict[str, Any]:
        """Everything that is worth keeping, as the constructor takes it."""
        return {
            "slots": [
                {"size": item.size, "source": item.source, "at": item.at}
                for item in self._slots.values()
            ],
            "signature_required": self._signature_required,
            "filesystem_sha256": self._filesystem_sha256,
            "filesystem_area": self._filesystem_area,
        }

    def slot(self, typed: int | None = None) -> SlotKnowledge | None:
        """Return whom to believe about the slot; `typed` is what the person says."""
        statements = list(self._slots.values())
        if typed is not None:
            statements.append(SlotKnowledge(size=typed, source=SlotSource.TYPED, at=0.0))
        return believed(statements)

    def heard(self, source: SlotSource, facts: ModuleFacts, at: float) -> None:
        """Take what the running sketch says of itself; what it leaves out stays as it was."""
        self._polled = None
        self._take_sum(facts.sketch_md5, source)
        self._core_version = facts.core_version or self._core_version
        self._flash_mode = facts.flash_mode or self._flash_mode
        self._take_sizes(source, facts.flash_size, facts.slot_size, facts.sketch_size, at)

    def polled(self, request: PullRequest, at: float) -> None:
        """Take what the running sketch says of itself when it asks for an update."""
        if request is self._polled:  # in the same words as the last time
            if request.free_space is not None:
                self._slots[SlotSource.PULL].at = at
            return
        self._polled = request
        self._take_sum(request.sketch_md5, SlotSource.PULL)
        sizes = request.chip_size, request.free_space, request.sketch_size
        self._take_sizes(SlotSource.PULL, *sizes, at)

    def _take_sum(self, sketch_md5: str | None, source: SlotSource) -> None:
        """Compare like with like: a text record may be behind what a request says."""
        if sketch_md5 and self._sums.get(source, sketch_md5) != sketch_md5:
            self._flashed_by_others()
        if sketch_md5:
            self._sums[source] = self._sketch_md5 = sketch_md5

    def _take_sizes(
        self,
        source: SlotSource,
        flash_size: int | None,
        slot_size: int | None,
        sketch_size: int | None,
        at: float,
    ) -> None:
        self._flash_size = flash_size or self._flash_size
        if slot_size is not None:
            self._learn_slot(
                SlotKnowledge(size=slot_size, source=source, at=at, sketch_size=sketch_size)
            )

    def table_read(self, size: int, at: float, filesystem_area: int | None = None) -> None:
        """Take the slot size of the partition table that the module was flashed with."""
        if filesystem_area is not None and filesystem_area != self._filesystem_area:
            self._filesystem_area = filesystem_area
            self._on_change()
        self._learn_slot(SlotKnowledge(size=size, source=SlotSource.MERGED, at=at))

    def refused(self, cause: Cause, image: Image, family: ChipFamily | None, at: float) -> None:
        """Learn from an image that the module itself refused."""
        if cause in SLOT_REFUSALS and image.kind is ImageKind.SKETCH:
            self._learn_slot(SlotKnowledge.from_refusal(image.size, family, at))
        if cause is Cause.SIGNATURE and not self._signature_required:
            self._signature_required = True
            self._on_change()

    def delivered(self, image: Image, delivery: Delivery, family: ChipFamily | None) -> None:
        """Take that the module has an image now; what it said before was about the old one."""
        if image.kind is ImageKind.FILESYSTEM:
            certain = delivery is Delivery.ACCEPTED
            self._filesystem_sha256 = image.sha256 if certain else None
        else:
            self._sketch_md5 = self._core_version = self._flash_mode = self._polled = None
            self._sums.clear()
            self._slots = {
                source: item
                for source, item in self._slots.items()
                if outlives_sketch(item, family)
            }
        self._on_change()

    def files_doubted(self) -> None:
        """Take that others were written over its files, in part: they are no release's now."""
        if self._filesystem_sha256 != _NO_RELEASE:
            self._filesystem_sha256 = _NO_RELEASE
            self._on_change()

    def complete(self, facts: ModuleFacts, typed: int | None = None) -> ModuleFacts:
        """Return facts with all that is known beside them."""
        slot = self.slot(typed)
        return replace(
            facts,
            sketch_md5=self._sketch_md5,
            sketch_size=slot.sketch_size if slot else None,
            slot_size=slot.size if slot else None,
            slot_stated=slot.stated if slot else False,
            flash_size=self._flash_size,
            flash_mode=self._flash_mode or facts.flash_mode,
            core_version=self._core_version,
            signature_required=self._signature_required,
            filesystem_area=self._filesystem_area,
            filesystem_sha256=self._filesystem_sha256,
        )

    def board_replaced(self) -> None:
        """Forget all of it: another board has the module's name now."""
        self._slots.clear()
        self._sums.clear()
        self._sketch_md5 = self._core_version = self._flash_mode = self._polled = None
        self._flash_size = self._filesystem_area = None
        self._flashed_by_others()

    def _flashed_by_others(self) -> None:
        """Forget what the answers of another sketch taught: somebody used a cable."""
        self._signature_required = self._filesystem_sha256 = None
        self._slots.pop(SlotSource.REFUSAL, None)
        self._was_flashed = True
        self._on_change()

    def was_flashed(self) -> bool:
        """Whether somebody else put another sketch, or another board, there; told once."""
        was_flashed, self._was_flashed = self._was_flashed, False
        return was_flashed

    def _learn_slot(self, slot: SlotKnowledge) -> None:
        known = self._slots.get(slot.source)
        self._slots[slot.source] = slot
        if known is None or known.size != slot.size:
            self._on_change()
