"""`script/e2e`: the checks one after the other, in one browser."""

import asyncio
from collections.abc import Awaitable, Callable
import sys
import time
import traceback

from .bench import Setting, bench
from .browser import browser_page, log_in
from .checks import CHECKS
from .checks_demo import nine_modules_are_shown_each_in_its_state
from .client import PASSWORD, USER
from .fleet import bring_about
from .flows import make_valve
from .home import ROOT
from .modules import GARDEN_VALVE, MODULES, OLD
from .person import SLOW, Person

_FAILED = ROOT / ".cache" / "e2e"


async def _passes(check: Callable[[Person], Awaitable[None]], person: Person) -> bool:
    """Run one check, and tell how it ended."""
    begin = time.monotonic()
    name = check.__name__.replace("_", " ")
    try:
        await check(person)
    except Exception as error:  # noqa: BLE001 (whatever it is, it has to be told)
        _FAILED.mkdir(parents=True, exist_ok=True)
        picture = _FAILED / f"{check.__name__}.png"
        await person.page.screenshot(path=picture)
        place = traceback.extract_tb(error.__traceback__)[1]
        print(f"FAILED  {name}, line {place.lineno}: {place.line}")
        print(f"{type(error).__name__}: {error}\nThe page: {picture}")
        print(f"The log ends with:\n{person.home.tail(15)}")
        return False
    print(f"passed  {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    return True


async def check_all(person: Person) -> int:
    """Run each check on what the one before left; return how many passed."""
    for number, check in enumerate(CHECKS):
        if not await _passes(check, person):
            return number
    return len(CHECKS)


async def _walk() -> int:
    """Do what a person does, from the discovered card on; return how many checks passed."""
    async with bench(Setting(), MODULES, arguments=(SLOW,)) as running, browser_page() as page:
        await make_valve(running.client)
        # What runs on the module is what one can go back to.
        GARDEN_VALVE.place_firmware(running.home.firmware_folder, OLD)
        await log_in(page, running.home.url, USER, PASSWORD)
        return await check_all(Person(running, page))


async def _see_the_demo() -> bool:
    """Look at what `script/demo` shows; return whether it is so."""
    async with bench(Setting(), ()) as running, browser_page() as page:
        await make_valve(running.client)
        updates = await bring_about(running)
        await log_in(page, running.home.url, USER, PASSWORD)
        try:
            return await _passes(nine_modules_are_shown_each_in_its_state, Person(running, page))
        finally:
            for update in updates:
                update.cancel()


async def main() -> int:
    """Start everything, check, and count."""
    begin = time.monotonic()
    passed, count = await _walk(), len(CHECKS) + 1
    if passed == len(CHECKS):
        passed += await _see_the_demo()
    left = count - passed - 1
    print(f"{passed} passed, {int(left >= 0)} failed" + (f", {left} not run" if left > 0 else ""))
    print(f"{time.monotonic() - begin:.0f} s")
    return 0 if passed == count else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
