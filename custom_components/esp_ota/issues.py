"""Repairs: what a person has to know or can fix, as long as it is so."""

from collections.abc import Mapping
import hashlib
import os
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .helpers import spelled_out
from .ota import Address, Cause, OtaError, as_text, as_texts

FILE_ISSUES = "file_"
SET_ASIDE: Final = "_set_aside"
_NEWER: Final = "_newer"
_STRAYS: Final = "images_unknown"
_MOST_NAMED: Final = 10
SOURCE_NAMES: Final = "source_names"
_MORE_FILES: Final = "more_files"
_JOURNAL: Final = "journal_unwritten"
OFFERED_TWICE: Final = "offered_twice"
GUEST_TRIED_TWICE: Final = "guest_tried_twice"
WAITS_LONG: Final = "waits_long"
MODULE_MOVED: Final = "module_moved"
MODULE_RENAMED: Final = "module_renamed"
_LONGEST: Final = 2000
"""Characters of a sentence with all that it names."""
_DOUBTS: Final = (MODULE_MOVED, "same_name")
_UPDATE_FAILED: Final = "update_failed"
_KEPT: Final = (_UPDATE_FAILED, OFFERED_TWICE, GUEST_TRIED_TWICE, MODULE_RENAMED)
_CAUSES_URL: Final = "https://github.com/esp-ota/esp-ota/blob/main/docs/causes.md"


@callback
def _warn(hass: HomeAssistant, issue_id: str, key: str, placeholders: dict[str, str]) -> None:
    """Say what a person has to know and nobody can fix by a click."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=key,
        translation_placeholders=placeholders,
    )


@callback
def async_raise_file_issue(hass: HomeAssistant, file_name: str, err: OtaError) -> None:
    """Say why a file in the firmware folder is not used."""
    _warn(
        hass,
        _file_issue(file_name),
        f"file_{err.cause}",
        as_texts({"file": shown(file_name)} | spelled_out(hass, err.facts)),
    )


@callback
def async_clear_file_issue(hass: HomeAssistant, file_name: str) -> None:
    """Take back what was said about a file."""
    ir.async_delete_issue(hass, DOMAIN, _file_issue(file_name))


@callback
def async_show_more_files(hass: HomeAssistant, names: list[str], count: int) -> None:
    """Say that so many more files are no use, and how some of them are called; 0 takes it back."""
    if not count:
        ir.async_delete_issue(hass, DOMAIN, _MORE_FILES)
        return
    _warn(
        hass,
        _MORE_FILES,
        _MORE_FILES,
        {
            "count": str(count),
            "files": "\n".join(f"- {as_text(shown(name), 100)}" for name in names),
        },
    )


def _file_issue(file_name: str) -> str:
    return FILE_ISSUES + hashlib.sha256(os.fsencode(file_name)).hexdigest()[:16]


def shown(file_name: str) -> str:
    """Return a file's name as it can be shown: on a disk it may be any bytes."""
    return os.fsencode(file_name).decode(errors="replace")


@callback
def async_raise_unwritten(hass: HomeAssistant, store: str, path: str) -> None:
    """Say that what is kept (`journal`, `library`, `sources`) is not on disk."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{store}_unwritten",
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=f"{store}_unwritten",
        translation_placeholders=as_texts({"path": path}),
    )


@callback
def async_clear_unwritten(hass: HomeAssistant, store: str) -> None:
    """Take it back: it is on disk again."""
    ir.async_delete_issue(hass, DOMAIN, f"{store}_unwritten")


@callback
def async_raise_set_aside(hass: HomeAssistant, store: str, path: str, aside: str | None) -> None:
    """Say that not all of what was kept can be read; *Fix* says that it was seen."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{store}{SET_ASIDE}",
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=f"{store}{SET_ASIDE}",
        translation_placeholders={"path": path, "aside": aside or "-"},
    )


@callback
def async_raise_newer(hass: HomeAssistant, store: str, path: str, aside: str | None) -> None:
    """Say that a newer release has written what is kept; *Fix* says that it was seen."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{store}{_NEWER}{SET_ASIDE}",
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=f"store{_NEWER}{SET_ASIDE}",
        translation_placeholders={"path": path, "aside": aside or "-"},
    )


@callback
def async_raise_entry_newer(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Say that a newer release has set up an entry, which this one leaves as it is."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"entry{_NEWER}_{entry.entry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=f"entry{_NEWER}",
        translation_placeholders=as_texts({"name": entry.title}),
    )


@callback
def async_raise_strays(hass: HomeAssistant, folder: str, strays: list[str]) -> None:
    """Say which images lie there without facts, or take it back when there are none."""
    if not strays:
        ir.async_delete_issue(hass, DOMAIN, _STRAYS)
        return
    named = [f"- {sha256[:16]}" for sha256 in strays[:_MOST_NAMED]]
    _warn(
        hass,
        _STRAYS,
        _STRAYS,
        {
            "folder": folder,
            "count": str(len(strays)),
            "images": "\n".join(named),
        },
    )


@callback
def async_raise_left_out(hass: HomeAssistant, count: int) -> None:
    """Say that more modules were announced than are offered."""
    _warn(hass, "left_out", "left_out", {"count": str(count)})


@callback
def async_raise_source_issue(
    hass: HomeAssistant, subentry_id: str, source: str, err: OtaError
) -> None:
    """Say why a source of firmware cannot be used; its releases stay."""
    _warn(
        hass,
        f"source_{subentry_id}",
        f"source_{err.cause.removeprefix('source_')}",
        as_texts({"source": source} | spelled_out(hass, err.facts)),
    )


@callback
def async_raise_source_files(
    hass: HomeAssistant, subentry_id: str, source: str, sentences: list[str]
) -> None:
    """Say which files of a source are no use, or take it back when there are none."""
    issue_id = f"source_files_{subentry_id}"
    if not sentences:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    _warn(
        hass,
        issue_id,
        "source_files",
        {
            "source": as_text(source),
            "files": "\n".join(f"- {as_text(sentence, _LONGEST)}" for sentence in sentences),
        },
    )


@callback
def async_raise_source_names(
    hass: HomeAssistant, subentry_id: str, source: str, names: Mapping[str, list[str]]
) -> None:
    """Ask whether a source may publish these names, which others may have; nothing to ask no more.

    *Fix* gives them to it.
    """
    issue_id = f"{SOURCE_NAMES}_{subentry_id}"
    if not names:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    lines = [
        f"- {as_text(name)}" + (f" ({as_text(', '.join(who))})" if who else "")
        for name, who in names.items()
    ]
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data={"subentry_id": subentry_id, "names": "\n".join(names)},
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=SOURCE_NAMES,
        translation_placeholders={"source": as_text(source), "names": "\n".join(lines)},
    )


@callback
def async_clear_source_issue(hass: HomeAssistant, subentry_id: str) -> None:
    """Take back that a source cannot be used."""
    ir.async_delete_issue(hass, DOMAIN, f"source_{subentry_id}")


@callback
def async_raise_module_issue(
    hass: HomeAssistant,
    entry_id: str,
    key: str,
    placeholders: dict[str, str],
    *,
    fix: dict[str, str] | None = None,
) -> None:
    """Tell of one module's equipment or install that needs a person.

    `fix` is what is installed when the person presses Fix: `sha256`, for a way back the content
    that it `replaces`, and for a guest the `answer` of what it switches.
    """
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{key}_{entry_id}",
        data={"entry_id": entry_id, **fix} if fix else None,
        is_fixable=fix is not None,
        is_persistent=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=key,
        translation_placeholders=as_texts(placeholders, _LONGEST),
    )


@callback
def async_raise_doubt(
    hass: HomeAssistant, entry: ConfigEntry, cause: Cause, placeholders: dict[str, str]
) -> None:
    """Say that two boards cannot be told apart, or ask whether a module moved."""
    other = _DOUBTS[cause == MODULE_MOVED]
    ir.async_delete_issue(hass, DOMAIN, f"{other}_{entry.entry_id}")
    fix = {"host": placeholders["other"]} if cause == MODULE_MOVED else None
    async_raise_module_issue(
        hass, entry.entry_id, str(cause), {"module": entry.title} | placeholders, fix=fix
    )


@callback
def async_clear_doubt(hass: HomeAssistant, entry_id: str) -> None:
    """Take back that it is in doubt which board is the module."""
    for key in _DOUBTS:
        ir.async_delete_issue(hass, DOMAIN, f"{key}_{entry_id}")


@callback
def async_raise_renamed(
    hass: HomeAssistant, entry: ConfigEntry, service_name: str, there: Address
) -> None:
    """Ask whether a module announces itself under another name now."""
    async_raise_module_issue(
        hass,
        entry.entry_id,
        MODULE_RENAMED,
        {
            "module": entry.title,
            "name": str(entry.data.get(CONF_NAME)),
            "other": service_name.partition(".")[0],
            "host": there.host,
        },
        fix={"service_name": service_name, "host": there.host, "port": str(there.port)},
    )


@callback
def is_asked_for_name(hass: HomeAssistant, entry_id: str) -> bool:
    """Whether a person is asked whether a module has another name, maybe since before a restart."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{MODULE_RENAMED}_{entry_id}")
    return issue is not None


@callback
def async_clear_renamed(hass: HomeAssistant, entry_id: str) -> None:
    """Take that back: it is known what its name is."""
    ir.async_delete_issue(hass, DOMAIN, f"{MODULE_RENAMED}_{entry_id}")


@callback
def async_raise_update_issue(
    hass: HomeAssistant, entry_id: str, cause: Cause, placeholders: dict[str, str], *, sent: bool
) -> None:
    """Say why the last update of a module failed; one that was ignored stays so for its cause.

    What was refused is found again by the next press; once something was `sent`, the module may
    need help that must outlive a restart.
    """
    issue_id = f"{_UPDATE_FAILED}_{entry_id}"
    known = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    if known is not None and (known.data or {}).get("cause") != cause:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data={"cause": cause},
        is_fixable=False,
        is_persistent=sent,
        learn_more_url=f"{_CAUSES_URL}#{cause}",
        severity=ir.IssueSeverity.ERROR if sent else ir.IssueSeverity.WARNING,
        translation_key=_UPDATE_FAILED,
        translation_placeholders=as_texts(placeholders, _LONGEST),
    )


@callback
def async_clear_update_issue(hass: HomeAssistant, entry_id: str) -> None:
    """Take back why an update failed, because one succeeded or the reason is told elsewhere."""
    ir.async_delete_issue(hass, DOMAIN, f"{_UPDATE_FAILED}_{entry_id}")


@callback
def async_clear_module_issues(hass: HomeAssistant, entry_id: str, *, failure: bool = True) -> None:
    """Take back all that was said about a module, because a new install begins.

    Without `failure` it stays told why the last update failed, and that an image is not sent any
    more: that is so until one succeeds. So does the question whether it has another name.
    """
    registry = ir.async_get(hass)
    for domain, issue_id in list(registry.issues):
        if domain != DOMAIN or not issue_id.endswith(f"_{entry_id}"):
            continue
        if failure or not issue_id.startswith(_KEPT):
            ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_clear_waits_long(hass: HomeAssistant, entry_id: str) -> None:
    """Take back that an update of a module waits longer than it should."""
    ir.async_delete_issue(hass, DOMAIN, f"{WAITS_LONG}_{entry_id}")
