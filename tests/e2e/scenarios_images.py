"""What is sent: an image that was packed, and files together with their sketch."""

from collections.abc import Iterator
import hashlib
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
        await self.logged(timeline, "is sent packed")

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
        if not outcome.bench.home.said("is sent packed", str(whole), str(taken)):
            yield "the log does not say why the image was packed"


class Filesystem(Clicked):
    """A release of a sketch and the files it serves."""

    name = "filesystem"
    summary = "a sketch and its files of one version: files first, one update, one verdict"
    module = GARDEN_VALVE

    @override
    async def add(self, bench: Bench, timeline: Timeline) -> str:
        self.module.place_files(bench.home.firmware_folder)
        entry_id = await super().add(bench, timeline)
        client, files = bench.client, self.module.files_entity
        await client.wait_until(
            "a card for the files", lambda: client.attributes(files).get("latest_version") == NEW
        )
        timeline.tell(f"the library has files of {NEW} too: they have a card of their own")
        return entry_id

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome, restarts=2)  # a module with ArduinoOTA restarts after files
        module = outcome.module
        taken = [event.details["kind"] for event in module.events if event.name == "installed"]
        if taken != ["filesystem", "sketch"]:
            yield f"the module took {taken}"
        if module.files_md5 != hashlib.md5(self.module.files(NEW)).hexdigest():
            yield "the files on the module are not those of the release"
        shown = outcome.bench.client.attributes(self.module.files_entity)
        if shown["installed_version"] != NEW or shown["in_progress"]:
            yield f"the card of the files says {shown['installed_version']}"
