"""Scenarios in which a person clicks, in a real browser."""

import asyncio
from pathlib import Path
from typing import ClassVar, override

from playwright.async_api import Error as PlaywrightError, FloatRect

from .bench import Bench
from .browser import browser_page, log_in
from .client import PASSWORD, USER, ActionFailed
from .home import ROOT
from .outside import GOOD
from .pages import box_of, dialog_box, hide_secrets, make_tall
from .person import Person
from .pictures import take_picture
from .scenario import Outcome, Scenario
from .timeline import Timeline
from .watch import INSTALL_SECONDS

_FAILED = ROOT / ".cache" / "e2e"
_LOG_SECONDS = 60.0
"""For what an install logs on its way; a call-back alone is waited for 15 s."""


class Clicked(Scenario):
    """One update by a person in front of a browser, with pictures of what they see."""

    clicked: ClassVar[bool] = True
    person: Person
    _pictures: Path

    async def look(self, timeline: Timeline) -> None:
        """Do what a person does who has pressed Update and waits for the end."""

    async def look_back(self, timeline: Timeline) -> None:
        """Do what a person does when it has ended."""

    @override
    async def play(self, bench: Bench, timeline: Timeline) -> Outcome:
        self._pictures = bench.setting.pictures
        async with browser_page() as page:
            await log_in(page, bench.home.url, USER, PASSWORD)
            self.person = Person(bench, page, self.module)
            try:
                return await super().play(bench, timeline)
            except (PlaywrightError, AssertionError, TimeoutError) as err:
                _FAILED.mkdir(parents=True, exist_ok=True)
                path = _FAILED / f"{self.name}.png"
                await page.screenshot(path=path)
                raise RuntimeError(f"{err}\nThe page: {path}") from err

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        client, person = bench.client, self.person
        await person.open_card()
        await person.press_update()
        await self.look(timeline)

        def ended() -> bool:
            shown = client.attributes(person.entity_id)
            return bool(shown["last_verdict"]) and not shown["in_progress"]

        await client.wait_until("the end of the update", ended, INSTALL_SECONDS)
        if client.attributes(person.entity_id)["last_verdict"] in GOOD:
            await self.look_back(timeline)
            return
        message = await person.told()
        await self.look_back(timeline)
        raise ActionFailed({"message": message})

    async def picture(
        self, timeline: Timeline, name: str, *, clip: FloatRect | None = None
    ) -> None:
        """Take a picture for the documentation."""
        path = await take_picture(self.person.page, name, clip=clip, folder=self._pictures)
        timeline.tell(f"picture: {path.relative_to(ROOT)}")

    async def picture_of_card(self, timeline: Timeline, name: str) -> None:
        """Take a picture of the whole card that is open."""
        await self.picture(timeline, name, clip=await box_of(self.person.card))

    async def picture_of_form(self, timeline: Timeline, name: str) -> None:
        """Take a picture of the whole form that is open."""
        page = self.person.page
        await hide_secrets(page)
        await make_tall(page, tall=True)
        await self.picture(timeline, name, clip=await dialog_box(page))
        await make_tall(page, tall=False)

    async def logged(self, timeline: Timeline, *words: str) -> None:
        """Wait until the log holds a line with all of these words."""
        async with asyncio.timeout(_LOG_SECONDS):
            while not (said := self.person.home.said(*words)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        timeline.tell(f"the log: {said[0].text}", said[0].at)
