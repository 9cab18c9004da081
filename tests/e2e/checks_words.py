"""The languages of the page: what one of them lacks is English."""

import json
import re

from playwright.async_api import Route

from .checks_page import open_page
from .person import Person

_GERMAN = {"modules": {"title": "Baugruppen", "count": "{all}, davon {shown}"}}
_TOLD = """async ([place, language, languages]) => {
  const texts = await import(`${place}?${language}`);
  const loadBackendTranslation = async () => () => "";
  await texts.load({language, locale: {language}, loadBackendTranslation}, languages);
  return [
    texts.t("modules.title"),
    texts.t("modules.count", {shown: 1, all: 2}),
    texts.t("queue.title"),
    texts.t("modules.no_such_text"),
  ];
}"""


async def the_page_speaks_a_language_as_far_as_it_has_words(person: Person) -> None:
    page = person.page
    shown = await open_page(person)
    place = await page.evaluate(
        """() => performance.getEntriesByType("resource")
          .map(({name}) => name).find((name) => name.endsWith("/texts.js"))"""
    )

    async def answer(route: Route) -> None:
        await route.fulfill(json=_GERMAN)

    await page.route("**/words/de.json", answer)
    english = ["Modules", "Modules: 1 of 2", "Queue", "modules.no_such_text"]
    german = ["Baugruppen", "2, davon 1", *english[2:]]
    for language, languages, told in (
        ("en", ["de", "en"], english),
        ("de", ["de", "en"], german),
        ("de-CH", ["de", "en"], german),
        ("de", ["en"], english),
        ("xx", ["de", "en"], english),
    ):
        answered = await page.evaluate(_TOLD, [place, language, languages])
        assert answered == told, f"{language} of {languages}: {json.dumps(answered)}"
    await page.unroute("**/words/de.json")
    for tab in ("Modules", "Queue", "Rollouts", "Library"):
        await shown.get_by_role("tab", name=tab).click()
        text = await shown.get_by_role("tabpanel").inner_text()
        assert not re.search(r"\{\w+\}|\b(modules|queue|rollouts|library)\.\w", text), text
