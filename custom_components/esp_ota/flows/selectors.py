"""Fields that several forms are made of."""

from copy import deepcopy
from typing import Any, override

import voluptuous as vol

from homeassistant.helpers import selector


class RawConditionSelector(selector.ConditionSelector):
    """Validates conditions, but hands on the raw input.

    The base class returns Template and timedelta objects. Those cannot be written to storage
    and would break saving the entries of every integration.
    """

    @override
    def __call__(self, data: Any) -> Any:
        super().__call__(deepcopy(data))
        return data


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
