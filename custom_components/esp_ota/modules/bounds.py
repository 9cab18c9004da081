"""Which versions a person lets a module have: its pin, its hold and its channel.

They are options of its entry, set by a form or by actions. A pin and a hold bind everybody who
wants to install something.
"""

from collections.abc import Mapping
from datetime import datetime
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
from ..ota import as_text, held_until, hold_ends, is_prerelease, read_pin
from .coordinator import ModuleCoordinator


def stored_bound(key: str, said: datetime | str | None) -> str | None:
    """Return a pin, a hold or a channel as it is stored, None for nothing.

    Raises ServiceValidationError, whose translation key is also one of the form.
    """
    if said is None or (isinstance(said, str) and not said.strip()):
        return None
    if key == CONF_PIN:
        return _pin(str(said))
    if key == CONF_HOLD:
        return _hold(said)
    return str(said)


def _pin(said: str) -> str:
    try:
        return read_pin(said)
    except ValueError as err:
        raise _mistake("pin_unreadable", pin=as_text(err)) from err


def _hold(said: datetime | str) -> str:
    """Return a time as the clock on the wall shows it; where it has no zone, it does so already."""
    until = said if isinstance(said, datetime) else dt_util.parse_datetime(said)
    shown = as_text(said)
    if until is None:
        raise _mistake("hold_unreadable", until=shown)
    if until.tzinfo is not None:
        until = dt_util.as_local(until).replace(tzinfo=None)
    stored = until.replace(microsecond=0).isoformat()
    if (ends := hold_ends(stored, dt_util.get_default_time_zone())) is None:
        raise _mistake("hold_unreadable", until=shown)
    if ends <= dt_util.utcnow():
        raise _mistake("hold_over", until=shown)
    return stored


def _mistake(key: str, **facts: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=facts
    )


@callback
def async_set_bound(coordinator: ModuleCoordinator, key: str, said: datetime | str | None) -> None:
    """Store one of them and show what follows; nothing is reloaded, so nothing is interrupted.

    Raises what `stored_bound` does.
    """
    entry, stored = coordinator.config_entry, stored_bound(key, said)
    options = {name: value for name, value in entry.options.items() if name != key}
    if stored is not None:
        options[key] = stored
    LOGGER.info("%s: %s is %s now", entry.title, key, stored or "not set")
    coordinator.hass.config_entries.async_update_entry(entry, options=options)
    coordinator.house.holds.async_look()
    coordinator.async_update_listeners()


def shown_bounds(options: Mapping[str, Any], installed: str | None) -> dict[str, str | None]:
    """Return what a module's card says of them; `installed` is the version that runs."""
    hold: str | None = options.get(CONF_HOLD)
    until = held_until(hold, dt_util.now()) if hold is not None else None
    usual = CHANNEL_BETA if is_prerelease(installed or "") else CHANNEL_STABLE
    return {
        "pinned_to": options.get(CONF_PIN),
        "held_until": until.isoformat() if until else None,
        "channel": options.get(CONF_MODULE_CHANNEL, usual),
    }
