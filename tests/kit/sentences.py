"""Checks of what the person reads: there is a sentence, and it gets all that it names."""

from collections.abc import Mapping
import json
import string
from typing import Any

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.ota import Cause
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from tests.kit.forms import fields
from tests.kit.places import ENGLISH

_TEXTS: dict[str, Any] = json.loads(ENGLISH.read_text(encoding="utf-8"))


def _assert_whole(sentence: str, placeholders: Mapping[str, str] | None) -> None:
    """Check that nothing the sentence names stays a name in braces, or says nothing."""
    named = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
    given = placeholders or {}
    assert named <= given.keys(), f"{sentence!r} gets only {given}"
    assert not {name for name in named if given[name] == "None"}, f"{sentence!r} gets {given}"


def assert_error_is_whole(err: HomeAssistantError) -> None:
    """Check an error of ours: translated, and complete."""
    assert err.translation_domain == DOMAIN
    assert err.translation_key is not None
    sentence = _TEXTS["exceptions"][err.translation_key]["message"]
    _assert_whole(sentence, err.translation_placeholders)


def assert_issue_is_whole(issue: ir.IssueEntry) -> None:
    """Check a repair of ours: translated, and complete."""
    assert issue.domain == DOMAIN
    assert issue.translation_key is not None
    texts = _TEXTS["issues"][issue.translation_key]
    _assert_whole(texts["title"], issue.translation_placeholders)
    if not issue.is_fixable:
        _assert_whole(texts["description"], issue.translation_placeholders)
        return
    for step in texts["fix_flow"]["step"].values():
        _assert_whole(step["title"] + step["description"], issue.translation_placeholders)


def assert_form_is_whole(flow: str, result: Mapping[str, Any]) -> None:
    """Check a form of `config`, `options` or a kind of subentry: its texts exist, complete."""
    texts = _TEXTS.get(flow) or _TEXTS["config_subentries"][flow]
    step = texts["step"][result["step_id"]]
    placeholders = result.get("description_placeholders")
    _assert_whole(step.get("description", ""), placeholders)
    # Home Assistant fills the title of a discovered card from the flow's own context.
    for error in (result.get("errors") or {}).values():
        _assert_whole(texts["error"][error], placeholders)
    for section, field in fields(result):
        part = step["sections"][section] if section else step
        assert str(field) in part["data"]
        _assert_whole(part["data_description"][str(field)], placeholders)


def assert_abort_is_whole(flow: str, result: Mapping[str, Any]) -> None:
    """Check the reason with which a flow ended."""
    _assert_whole(_TEXTS[flow]["abort"][result["reason"]], result["description_placeholders"])


def assert_progress_is_whole(flow: str, result: Mapping[str, Any]) -> None:
    """Check what is shown while a step of a flow goes on."""
    sentence = _TEXTS[flow]["progress"][result["progress_action"]]
    _assert_whole(sentence, result["description_placeholders"])


def sentence_of(cause: Cause) -> str:
    """Return what the person reads of a cause, before its facts are filled in."""
    sentence: str = _TEXTS["exceptions"][cause]["message"]
    return sentence


def placeholders_of(cause: Cause) -> set[str]:
    """Return what the person's sentence for a cause needs, besides the module's name."""
    sentence = sentence_of(cause)
    names = {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
    return names - {"module"}


def assert_sentence_is_whole(cause: Cause, facts: Mapping[str, str]) -> None:
    """Check that the sentence for this cause finds all that it names."""
    missing = {name for name in placeholders_of(cause) if facts.get(name, "None") == "None"}
    assert not missing, f"{cause} names {missing}, facts are {facts}"
    told = sentence_of(cause).format(module="garden-valve", **facts)
    assert "garden-valve" in told or "{module}" not in sentence_of(cause)
    assert all(facts[name] in told for name in placeholders_of(cause))


def shown_in(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form hands to the browser as filled in already."""
    shown = {}
    for _, marker in fields(result):
        shown[str(marker)] = (marker.description or {}).get("suggested_value"), str(marker.default)
    return shown
