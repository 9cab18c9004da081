"""Forms with sections, answered and read as if they had none."""

from collections.abc import Iterator, Mapping
from typing import Any

import voluptuous as vol

from homeassistant.data_entry_flow import section


def fields(form: Mapping[str, Any]) -> Iterator[tuple[str | None, vol.Marker]]:
    """Yield each field of a form with the section that it is in."""
    for marker, field in form["data_schema"].schema.items():
        if isinstance(field, section):
            for inner in field.schema.schema:
                yield str(marker), inner
        else:
            yield None, marker


def sections_of(form: Mapping[str, Any]) -> dict[str, section]:
    schema = form["data_schema"].schema if form.get("data_schema") else {}
    return {str(marker): field for marker, field in schema.items() if isinstance(field, section)}


def filled_in(form: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers as a form sends them, each within its section."""
    if not (parts := sections_of(form)):
        return dict(said)
    within = {str(marker): name for name, marker in fields(form) if name is not None}
    sent: dict[str, Any] = {name: {} for name in parts}
    for field, value in said.items():
        (sent[within[field]] if field in within else sent)[field] = value
    return sent


def suggested(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form is filled with as it is shown."""
    hints = {str(key): (key.description or {}).get("suggested_value") for _, key in fields(form)}
    return {key: value for key, value in hints.items() if value is not None}


def at(form: Mapping[str, Any], errors: Mapping[str, str]) -> dict[str, str]:
    """Return errors of fields where a form shows them: above the section."""
    within = {str(marker): name or str(marker) for name, marker in fields(form)}
    return {within.get(field, field): error for field, error in errors.items()}
