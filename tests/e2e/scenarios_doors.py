"""Updates by a module's update page, and what happens when the first way is closed."""

from collections.abc import Iterator
from typing import ClassVar, override

from .bench import Bench
from .clicked import Clicked
from .flows import LIBRARY, configure, entry_called
from .modules import GARDEN_VALVE
from .pages import choose_ways, fill_number, open_options, press, submit
from .scenario import Outcome, secured, untouched, verified
from .timeline import Timeline

_PAGE_PORT = 8080
"""Not 80, for which a person who runs the demo without a network of its own has no rights."""
_PAGE = f"--http=update_server:{_PAGE_PORT}"
_PUSH_WAY, _PAGE_WAY = (
    "ArduinoOTA",
    "Its update page",
)
_CALLBACK_PORT = 40123
_BLOCKED = "--fault=no_connect"
"""The module says yes to an update and cannot connect, as behind a firewall."""
_FELL_BACK = ("arduino_ota failed", "no_callback", "trying the next way")
"""What the log says then."""


class Upload(Clicked):
    """An ESP8266 with an update page."""

    name = "upload"
    summary = "the garden valve gets its update through its update page, chosen in a form"
    module = GARDEN_VALVE
    arguments: ClassVar[tuple[str, ...]] = (_PAGE,)
    ways: ClassVar[tuple[str, ...]] = (_PAGE_WAY,)
    form_picture: ClassVar[str] = ""

    @override
    async def add(self, bench: Bench, timeline: Timeline) -> str:
        entry_id = await super().add(bench, timeline)
        page = self.person.page
        form = await open_options(page, self.module.name, "How updates reach the module")
        await choose_ways(form, *self.ways)
        if self.form_picture:
            await self.picture_of_form(timeline, self.form_picture)
        await press(form, "Submit")
        await fill_number(form, "Port of the update page", _PAGE_PORT)
        await submit(page)
        timeline.tell(f"ways to update it: {', then '.join(self.ways)}")
        return entry_id

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        if outcome.module.count("invited"):
            yield "the module was invited to an update by ArduinoOTA"
        if outcome.module.count("installed") != 1:
            yield f"its page took {outcome.module.count('installed')} images"


class Fallback(Upload):
    """ArduinoOTA first, whose call-back is blocked; then the update page."""

    name = "fallback"
    summary = "its call-back is blocked, so not a byte is pushed, and its update page is used"
    arguments = (_PAGE, _BLOCKED)
    ways = (_PUSH_WAY, _PAGE_WAY)
    form_picture = "doors"

    @override
    async def look(self, timeline: Timeline) -> None:
        await self.logged(timeline, *_FELL_BACK)

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        module = outcome.module
        yield from verified(outcome)
        if module.count("invited") != 1 or module.count("connect_failed") != 1:
            yield f"it was invited {module.count('invited')} times by ArduinoOTA"
        if module.count("connected"):
            yield "it was connected by ArduinoOTA"
        if module.count("installed") != 1 or module.count("first_byte") != 1:
            yield f"it took {module.count('installed')} images"
        elif module.times("first_byte")[0] < module.times("connect_failed")[0]:
            yield "it got a byte before the first way had failed"
        if len(said := outcome.bench.home.said(*_FELL_BACK)) != 1:
            yield f"the log tells {len(said)} times that ArduinoOTA failed, and why"


class CallbackBlocked(Clicked):
    """Only ArduinoOTA, and its call-back is blocked."""

    name = "callback-blocked"
    summary = "its call-back is blocked: nothing is sent, and the card names the port to open"
    module = GARDEN_VALVE
    verdict = "failed (no_callback)"
    arguments = (_BLOCKED,)

    @override
    async def add(self, bench: Bench, timeline: Timeline) -> str:
        entry_id = await super().add(bench, timeline)
        library = await entry_called(bench.client, LIBRARY)
        await configure(bench.client, library, "limits", {"callback_port": _CALLBACK_PORT})
        timeline.tell(f"call-back port {_CALLBACK_PORT} is set in the library's options")
        return entry_id

    @override
    async def look_back(self, timeline: Timeline) -> None:
        await self.picture_of_card(timeline, "callback-blocked")

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from untouched(outcome)
        yield from secured(outcome)
        module, told = outcome.module, outcome.watch.error or ""
        port, address = module.told("connecting", "port"), module.told("connecting", "host")
        if port != _CALLBACK_PORT:
            yield f"the module was told to call back on TCP port {port}"
        if f"{address} on TCP port {port}" not in told:
            yield "the message does not name the address and the port that the module tried"
