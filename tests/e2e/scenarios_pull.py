"""Updates that the module asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
import hashlib
from typing import override

from playwright.async_api import expect

from .bench import Bench
from .browser import go
from .clicked import Clicked
from .flows import discovered, entry_called
from .modules import GARDEN_VALVE, NEW, OLD, Module
from .pages import add_integration, close, open_add_form, submit
from .scenario import Outcome, verified
from .timeline import Timeline

_INTERVAL = 6
"""Seconds between two polls. A real module asks every few minutes."""
_PULLING = replace(GARDEN_VALVE, shown_as="esp8266-000002")


class Pull(Clicked):
    """An ESP8266 that nobody can push to: its sketch asks every few seconds."""

    name = "pull"
    summary = "the garden valve asks for updates: discovered by that, added, updated when it asks"
    module = _PULLING

    @property
    @override
    def modules(self) -> Sequence[Module]:
        return []  # its sketch needs the address first

    @override
    async def add(self, bench: Bench, timeline: Timeline) -> str:
        url = await self._read_address(timeline)
        # Who holds the old release too knows what runs by its sum alone.
        self.module.place_firmware(bench.home.firmware_folder, OLD)
        await bench.modules.start(
            self.module, "--no-advertise", f"--pull={url}", f"--poll-interval={_INTERVAL}"
        )
        timeline.tell("a module with this address in its sketch is switched on")
        shown = self.module.shown_as
        assert shown is not None
        await discovered(bench.client, shown)
        timeline.tell(f"{shown} was discovered")
        page = self.person.page
        await go(page, "/config/integrations/dashboard")
        await page.locator("ha-config-flow-card").filter(has_text=shown).wait_for()
        form = await open_add_form(page, shown)
        await form.get_by_text("It switches equipment: a safe state is needed").click()
        await submit(page)
        timeline.tell("added: one click on Add, one on Submit")
        return await entry_called(bench.client, shown)

    async def _read_address(self, timeline: Timeline) -> str:
        """Open the form that shows what to put into a sketch, and return the address in it."""
        page = self.person.page
        form = await add_integration(page, "It asks for updates")
        url = await form.locator("ha-markdown-element code").first.inner_text()
        await self.picture_of_form(timeline, "pull-sketch")
        await form.get_by_role("button", name="Submit").click()
        await expect(form.get_by_text("shows up as discovered when it asks")).to_be_visible()
        await close(page)
        return url

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        module = outcome.module
        answers = [event.details for event in module.events if event.name == "answered"]
        images = [answer for answer in answers if answer["status"] == 200]
        md5 = hashlib.md5(self.module.image(NEW)).hexdigest()
        if [image["md5"] for image in images] != [md5]:
            yield f"it was given {len(images)} images"
        if any(answer["status"] not in {200, 304} for answer in answers):
            yield f"it was answered {[answer['status'] for answer in answers]}"
        if "queued" not in outcome.watch.stages:
            yield "the update did not wait for the module to ask"
        if module.count("invited"):
            yield "it was invited to an update by ArduinoOTA"
