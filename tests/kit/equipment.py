"""Equipment that another module's update needs, in a test's Home Assistant."""

from collections.abc import Iterator
from contextlib import contextmanager

from custom_components.esp_ota.equipment.sharing import Claim, Sharing
from homeassistant.core import HomeAssistant
from tests.kit.garden import VALVE


@contextmanager
def taken(hass: HomeAssistant, *things: str, by: str = "Greenhouse") -> Iterator[None]:
    """Be another module's update that is alone with equipment: the valve, if none is named."""
    sharing = Sharing.of(hass)
    claim = Claim(owner=by, name=by, things=frozenset(things or {VALVE}), held=True)
    sharing.add(claim)
    try:
        yield
    finally:
        sharing.release(claim)


def is_free(hass: HomeAssistant) -> bool:
    """Whether nobody asks for any equipment."""
    return not Sharing.of(hass)._claims
