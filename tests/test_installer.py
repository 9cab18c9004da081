"""How installs end, as the caller of `update.install` sees it, with modules that fail."""

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartModule, entry_for
from .garden import CLOSED_AND_OPENED, UNTOUCHED, Garden, assert_nothing_sent, options_for, patience
from .virtual_module import Fault, Seen, VirtualModule


async def test_a_proven_version_ends_well(garden: Garden, start_module: StartModule) -> None:
    module = await start_module(advertise=True)
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for()))
    await garden.runs("1.0.0")

    await garden.install()

    assert garden.card.attributes["last_verdict"] == "verified"
    assert garden.card.state == "off"
    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_never(garden: Garden, start_module: StartModule) -> None:
    module = await start_module(faults=[Fault.NEVER_BACK])
    await garden.release("1.1.0")
    garden.house.patience = patience(back=0.3)
    entry = await garden.add(entry_for(module, options=options_for()))
    print(await garden.refused("did_not_come_back"))
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    print(garden.shown)
