"""Fields that several forms are made of."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, Final, override

import voluptuous as vol

from homeassistant.const import CONF_PASSWORD
from homeassistant.helpers import selector

from ..const import CONF_NO_PASSWORD, CONF_TOKEN, CONF_TOKENS, CONF_UPLOAD_PASSWORD
from ..ota import without_secrets

SECRETS: Final = (CONF_PASSWORD, CONF_UPLOAD_PASSWORD, CONF_TOKEN, CONF_TOKENS)


class RawConditionSelector(selector.ConditionSelector):
    """Validates conditions, but hands on the raw input.

    The base class returns Template and timedelta objects. Those cannot be written to storage
    and would break saving the entries of every integration.
    """

    @override
    def __call__(self, data: Any) -> Any:
        super().__call__(deepcopy(data))
        return data


def without_passwords(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form may show of what is stored: the browser gets no secret back.

    An address that has one in it is shown without.
    """
    return {
        key: without_secrets(value) if isinstance(value, str) else value
        for key, value in stored.items()
        if key not in SECRETS
    }


def with_stored(
    said: Mapping[str, Any], stored: Mapping[str, Any], *, addresses: Iterable[str] = ()
) -> dict[str, Any]:
    """Return what a person said, with the secrets that stand as they are: their fields are empty.

    One of the `addresses` that was left as it was shown keeps what it was shown without.
    """
    said = dict(said)
    forget = said.pop(CONF_NO_PASSWORD, False)
    kept = {key: stored[key] for key in SECRETS if stored.get(key) and not said.get(key)}
    if forget:
        kept = {}
    for key in addresses:
        if said.get(key) and said[key] == without_secrets(str(stored.get(key, ""))):
            kept[key] = stored[key]
    return {**said, **kept}


def seconds(maximum: int) -> vol.All[int]:
    """Return a field for whole seconds."""
    return whole_number(0, maximum, "s")


def minutes(maximum: int) -> vol.All[int]:
    """Return a field for whole minutes."""
    return whole_number(0, maximum, "min")


def whole_number(minimum: int, maximum: int, unit: str | None = None) -> vol.All[int]:
    """Return a field for a whole number between these two."""
    config = selector.NumberSelectorConfig(
        min=minimum, max=maximum, step=1, mode=selector.NumberSelectorMode.BOX
    )
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(selector.NumberSelector(config), vol.Coerce(int))


def choice(
    options: list[str],
    key: str,
    mode: selector.SelectSelectorMode = selector.SelectSelectorMode.LIST,
    *,
    multiple: bool = False,
) -> selector.SelectSelector:
    """Return a field with named answers; `key` is where their texts are."""
    return selector.SelectSelector(
        selector.SelectSelectorConfig(
            options=options, translation_key=key, mode=mode, multiple=multiple
        )
    )
