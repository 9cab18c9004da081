"""The one place where an outcome of `ota/` gets its translated sentence."""

from collections.abc import Mapping
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import (
    async_get_cached_translations,
    async_get_translations,
)

from .const import DOMAIN
from .ota import Cause, InstallProgress, InstallResult, OtaError, SourceError, Verdict, one_line

_OF_THE_CALLER: Final = {
    Cause.INSTALL_RUNNING,
    Cause.NO_RELEASE,
    Cause.NO_ROLLBACK,
    Cause.NOTHING_RUNNING,
    Cause.CANCEL_TOO_LATE,
    Cause.NOT_QUEUED,
}
_ENDS: Final = (".", "!", "?", "…")


def error_for(cause: Cause, facts: dict[str, str], *, module: str) -> HomeAssistantError:
    """Return the translated error of a cause; Home Assistant logs no mistake of who calls."""
    kind = ServiceValidationError if cause in _OF_THE_CALLER else HomeAssistantError
    return kind(
        translation_domain=DOMAIN,
        translation_key=str(cause),
        translation_placeholders={"module": module} | facts,
    )


def reason_of(result: InstallResult) -> tuple[Cause, dict[str, str]] | None:
    """Return why the caller may not carry on; None is a good verdict, and equipment restored."""
    if result.verdict is Verdict.ROLLED_BACK and result.cause is not None:
        return Cause.WENT_BACK, result.facts | {"because": str(result.cause)}
    if result.files_incomplete and result.cause is not None and "because" not in result.facts:
        return Cause.FILES_INCOMPLETE, result.facts | {"because": str(result.cause)}
    if not result.verdict.is_success and result.verdict is not Verdict.ROLLED_BACK:
        return result.cause or Cause.INTERNAL, result.facts
    if result.restore_error is not None:
        return result.restore_error, result.restore_facts
    if result.not_safe:
        return Cause.NOT_SAFE_ALL_THE_TIME, {"unmet": result.not_safe}
    return None


async def async_remarks(hass: HomeAssistant, result: InstallResult, *, module: str) -> str:
    """Return what is to be said of the equipment besides the reason; empty for nothing."""
    reason = reason_of(result)
    remarks = []
    if result.not_safe and (reason is None or reason[0] is not Cause.NOT_SAFE_ALL_THE_TIME):
        remarks.append(("remark_not_safe", {"unmet": result.not_safe}))
    if result.restore_unread:
        remarks.append(("remark_restore_unread", {}))
    said = [await async_sentence(hass, key, facts, module=module) for key, facts in remarks]
    return " ".join(said)


async def async_raise_for_result(
    hass: HomeAssistant, result: InstallResult, *, module: str
) -> None:
    """Raise unless the caller may carry on."""
    if (reason := reason_of(result)) is not None:
        cause, facts = reason
        await async_get_translations(hass, hass.config.language, "exceptions", {DOMAIN})
        facts = spelled_out(hass, facts, module=module)
        raise error_for(cause, facts, module=module)


@callback
def spelled_out(
    hass: HomeAssistant, facts: Mapping[str, str], *, module: str = ""
) -> dict[str, str]:
    """Return facts as they are shown: a cause or a `Detail` among them as its own sentence.

    What others say in a detail (a system, an integration) stays as it is, as a sentence. Of a file
    or a source, which no `module` is concerned with, each cause has a sentence without one.
    """
    shown = dict(facts)
    if because := shown.pop("because", None):
        sentence = None if module else _error_text(hass, because)
        told = spelled_out(hass, shown, module=module)
        sentence = sentence or _text(hass, because) or because
        told["because"] = _filled(sentence, told, module).removesuffix(".")
        return told
    if detail := shown.get("detail"):
        sentence = _text(hass, f"detail_{detail}")
        said = _filled(sentence, shown, module) if sentence else detail
        shown["detail"] = said if said.endswith(_ENDS) else f"{said}."
    return shown


def _text(hass: HomeAssistant, key: str) -> str | None:
    """Return a sentence of those that are in memory, as all of ours are from the start on."""
    texts = async_get_cached_translations(hass, hass.config.language, "exceptions", DOMAIN)
    return texts.get(f"component.{DOMAIN}.exceptions.{key}.message")


def _error_text(hass: HomeAssistant, key: str) -> str | None:
    """Return what a form says of a file."""
    texts = async_get_cached_translations(hass, hass.config.language, "options", DOMAIN)
    return texts.get(f"component.{DOMAIN}.options.error.{key}")


def _filled(sentence: str, facts: Mapping[str, str], module: str) -> str:
    return sentence.format_map(_Facts(facts, module=module))


async def async_sentence(
    hass: HomeAssistant, key: str, facts: Mapping[str, str], *, module: str
) -> str:
    """Return the sentence of a cause or a verdict, in the language of this Home Assistant.

    Not by `async_get_exception_message`, which knows English only and drops the full stop.
    """
    texts = await async_get_translations(hass, hass.config.language, "exceptions", {DOMAIN})
    sentence = texts.get(f"component.{DOMAIN}.exceptions.{key}.message", str(key))
    return _filled(sentence, spelled_out(hass, facts, module=module), module)


@callback
def async_said(hass: HomeAssistant, key: str, facts: Mapping[str, str], *, module: str) -> str:
    """Return a sentence of those that are in memory, as all of ours are from the start on."""
    sentence = _text(hass, key) or key
    return _filled(sentence, spelled_out(hass, facts, module=module), module)


@callback
def queue_sentence(hass: HomeAssistant, progress: InstallProgress, module: str) -> str:
    """Return where an install stands in the queue, and what it waits for."""
    facts = {"place": str(progress.place), "what": progress.waits_for or ""}
    return async_said(hass, f"queue_{progress.why}", facts, module=module)


class _Facts(dict[str, str]):
    """What is known; a sentence is told even if a fact that it names is not."""

    def __missing__(self, key: str) -> str:
        return "?"


async def async_file_sentence(hass: HomeAssistant, err: OtaError) -> str:
    """Return what the person is told of a file or a source, in the language of the house."""
    for category, key in (("options", "error.{}"), ("exceptions", "{}.message")):
        texts = await async_get_translations(hass, hass.config.language, category, {DOMAIN})
        path = f"component.{DOMAIN}.{category}.{key.format(err.cause)}"
        if (sentence := texts.get(path)) is not None:
            return sentence.format(**spelled_out(hass, err.facts))
    return str(err)


async def async_error_for_file(hass: HomeAssistant, file: str, err: OtaError) -> HomeAssistantError:
    """Return why a file was not added; a mistake of the caller where it is one."""
    kind = HomeAssistantError if isinstance(err, SourceError) else ServiceValidationError
    reason = await async_file_sentence(hass, err)
    return kind(
        translation_domain=DOMAIN,
        translation_key="not_added",
        translation_placeholders={"file": one_line(file), "reason": reason},
    )
