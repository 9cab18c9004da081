"""The conformance matrix: all doors, generations, logins and outcomes, through the whole pipeline.

`script/conformance` runs it and writes its table to `docs/conformance.md`.
"""

import asyncio

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import pytest_socket

from custom_components.esp_ota.house import House
from custom_components.esp_ota.house.house import Patience
from homeassistant.core import HomeAssistant
from tests.conformance.cells import DOORS, cells_of
from tests.conformance.endings import Ending, ending_of
from tests.conformance.house import PATIENCE, set_up_house
from tests.conformance.page import ASKED_TO_WRITE, PAGE, SEEN, page_of
from tests.conformance.running import AT_ONCE, SPARE, run_all

ALL = list(cells_of(DOORS))


@pytest.fixture(autouse=True)
def _own_ways(_loopback_sockets: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each module have an address of its own, and each install its own waits."""
    ours = [f"127.0.{net}.{host}" for net in range(8) for host in range(256)]
    pytest_socket.socket_allow_hosts([*ours, "::1", "224.0.0.251"])
    patience = property(lambda _house: PATIENCE.get(Patience()), lambda _house, _usual: None)
    monkeypatch.setattr(House, "patience", patience, raising=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("door", DOORS)
async def test_each_install_ends_as_it_has_to(
    hass: HomeAssistant,
    esp_ota: None,
    hass_client_no_auth: ClientSessionGenerator,
    door: str,
) -> None:
    asyncio.get_running_loop().set_debug(False)  # it would keep a stack for each call
    port = (await hass_client_no_auth()).server.port
    assert port is not None
    cells = list(cells_of((door,)))
    await set_up_house(hass, valves=len(cells) + SPARE, at_once=AT_ONCE)
    endings = await run_all(hass, port, cells)
    SEEN.update({cell: one for cell, one in endings.items() if isinstance(one, Ending)})
    wrong = {
        str(cell): f"{ending!r} instead of {ending_of(cell)}"
        for cell, ending in endings.items()
        if ending != ending_of(cell)
    }
    assert not wrong, "\n".join(f"{cell}: {text}" for cell, text in wrong.items())


def test_the_page_is_current() -> None:
    if ASKED_TO_WRITE:
        assert SEEN.keys() == set(ALL)
        PAGE.write_text(page_of(SEEN), encoding="utf-8")
    page = page_of({cell: ending_of(cell) for cell in ALL})
    assert PAGE.read_text(encoding="utf-8") == page, "run script/conformance"
