"""What is sent: an image that was packed, and files together with their sketch."""

from collections.abc import Iterator
from typing import override

from .bench import Bench
from .clicked import Clicked
from .modules import GARDEN_VALVE, NEW
from .pages import close, open_options
from .scenario import Outcome, verified
from .timeline import Timeline


class Gzip(Clicked):
    """An ESP8266 that announces all that tells whether it can unpack an image."""

    name = "gzip"
    summary = "the garden valve tells that it can unpack: less is sent, and the image itself runs"
    module = GARDEN_VALVE
    arguments = ("--txt-flash",)

    @override
    async def add(self, bench: Bench, timeline: Timeline) -> str:
        entry_id = await super().add(bench, timeline)
        page = self.person.page
        await open_options(page, self.module.name, "Firmware")
        await self.picture_of_form(timeline, "firmware")
        await close(page)
        return entry_id

    @override
    async def look(self, timeline: Timeline) -> None:
        await self.logged(timeline, "packing")

    @override
    async def look_back(self, timeline: Timeline) -> None:
        whole, taken = len(self.module.image(NEW)), self.person.module.told("complete", "bytes")
        timeline.tell(f"{taken} bytes went over the wire, {100 * taken // whole} % of {whole}")

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        module, whole = outcome.module, len(self.module.image(NEW))
        invited, taken = module.told("invited", "size"), module.told("complete", "bytes")
        if not invited or invited != taken or taken >= 0.9 * whole:
            yield f"{taken} of {whole} bytes went over the wire, {invited} were announced"
        if not outcome.bench.home.said(module.module.name, "packing", str(whole), str(taken)):
            yield "the log does not say why the image was packed"
