"""Which versions a person lets a module have: its pin, its hold and its channel.

They are options of its entry. A pin and a hold bind everybody who wants to install something.
"""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from homeassistant.core import callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import (
    CHANNEL_BETA,
    CHANNEL_STABLE,
    CONF_HOLD,
    CONF_MODULE_CHANNEL,
    CONF_PIN,
    DOMAIN,
    LOGGER,
)
from ..ota import as_text, held_until, hold_ends, read_pin
from .coordinator import ModuleCoordinator

__all__ = ["async_hold", "async_pin", "async_set_channel", "hold_mistake", "shown_bounds"]


@callback
def async_pin(coordinator: ModuleCoordinator, pin: str | None) -> None:
    """Let a module have nothing but a version or a range; None and an empty text unpin it.

    Raises ServiceValidationError for what is neither.
    """
    try:
        stored = read_pin(pin) if pin and pin.strip() else None
    except ValueError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="pin_unreadable",
            translation_placeholders={"pin": as_text(str(err))},
        ) from err
    _async_set(coordinator, CONF_PIN, stored)


@callback
def async_hold(coordinator: ModuleCoordinator, until: datetime | str | None) -> None:
    """Let a module have nothing until a time, local where it has no zone; None ends the hold.

    Raises ServiceValidationError for a time that is over, or that no calendar has.
    """
    stored = None
    if isinstance(until, datetime):
        stored, zone = stored_hold(until), dt_util.get_default_time_zone()
        if mistake := hold_mistake(stored, zone):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key=mistake,
                translation_placeholders={"until": stored.replace("T", " ")},
            )
    _async_set(coordinator, CONF_HOLD, stored)


@callback
def async_set_channel(coordinator: ModuleCoordinator, channel: str) -> None:
    """Say whether a module is offered pre-releases: `stable` or `beta`."""
    _async_set(coordinator, CONF_MODULE_CHANNEL, None if channel == CHANNEL_STABLE else channel)


def stored_hold(until: datetime) -> str:
    """Return a time as it is stored: as the clock on the wall shows it, in whole seconds."""
    local = dt_util.as_local(until) if until.tzinfo is not None else until
    return local.replace(tzinfo=None, microsecond=0).isoformat()


def hold_mistake(stored: str, zone: tzinfo) -> str | None:
    """Return what is wrong with a time to hold until, None for nothing."""
    if (ends := hold_ends(stored, zone)) is None:
        return "hold_unreadable"
    return "hold_over" if ends <= dt_util.utcnow() else None


@callback
def _async_set(coordinator: ModuleCoordinator, key: str, value: str | None) -> None:
    """Store one of them, and show what follows; nothing is reloaded, so nothing is interrupted."""
    entry = coordinator.config_entry
    options = {name: stored for name, stored in entry.options.items() if name != key}
    if value is not None:
        options[key] = value
    LOGGER.info("%s: %s is %s now", entry.title, key, value)
    coordinator.hass.config_entries.async_update_entry(entry, options=options)
    coordinator.async_update_listeners()


def shown_bounds(options: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what a module's card says of them."""
    until = held_until(options.get(CONF_HOLD), dt_util.now())
    return {
        "pinned_to": options.get(CONF_PIN),
        "held_until": until.isoformat() if until else None,
        "channel": CHANNEL_BETA
        if options.get(CONF_MODULE_CHANNEL) == CHANNEL_BETA
        else CHANNEL_STABLE,
    }
