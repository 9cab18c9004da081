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


def seconds(maximum: int) -> vol.All:
    """Return a field for whole seconds."""
    return _whole(maximum, "s")


def minutes(maximum: int) -> vol.All:
    """Return a field for whole minutes."""
    return _whole(maximum, "min")


def _whole(maximum: int, unit: str) -> vol.All:
    return vol.All(
        selector.NumberSelector(
            selector.NumberSelectorConfig(
                min=0,
                max=maximum,
                step=1,
                unit_of_measurement=unit,
                mode=selector.NumberSelectorMode.BOX,
            )
        ),
        vol.Coerce(int),
    )


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
