"""What is kept on disk: written and read back, read as far as it can be, and never thrown away.

`Store.async_save` of Home Assistant returns in the same way when it could not write (a full or a
read-only disk, a text that is none) and only logs it. Its `async_load` raises for a file of a
newer version, takes one that was cut short away, and hands on whatever else is in it.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
import hashlib
import json
import os
from pathlib import Path
import re
import shutil
from types import UnionType
from typing import Any, Final, Self, get_args, get_origin, get_type_hints, is_typeddict, override

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.json import json_bytes, json_fragment
from homeassistant.helpers.storage import Store

from .const import DOMAIN, LOGGER
from .issues import (
    async_clear_unwritten,
    async_raise_newer,
    async_raise_set_aside,
    async_raise_unwritten,
)

_VERSION: Final = 1
_AGAIN: Final = 60.0
"""Seconds until a write that failed is tried again; it is at the stop as well."""
_LONG: Final = 32 * 1024
"""Bytes from which on a file is not read back as a whole."""
_HEAD: Final = 512
_NUMBER: Final = re.compile(rb'\{[^{}]*"data":\s*\{\s*"writes":\s*(\d+)\b')
_CLOSERS: Final = {"{": "}", "[": "]"}

type Content = dict[str, Any]


class KeptStore:
    """One file of `.storage`."""

    def __init__(self, hass: HomeAssistant, name: str, content: Callable[[], Content]) -> None:
        """`content` returns all that is to be kept; nothing is read before `async_load`."""
        self._hass = hass
        self._name = name
        self._content = content
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[bool] | None = None
        """The write that begins when the one that runs has ended."""
        self._again: CALLBACK_TYPE | None = None
        """Keeps a write that failed from being tried again."""
        self.was_cut = False
        """Whether what was read is only the beginning of what there was."""
        self._writes = 0
        """How often it was written: the number on disk says which write that was."""
        self._length = 0
        """Bytes of what was written last."""
        self._due: float | None = None
        """When a write begins that may wait (`loop.time()`)."""
        self._store = Store[Content](
            hass, _VERSION, f"{DOMAIN}.{name}", private=True, atomic_writes=True
        )

    @property
    def path(self) -> str:
        """Where it is."""
        return str(self._store.path)

    async def async_load(self) -> Content | None:
        """Return what was kept, as far as it can be read; None where there was nothing.

        What cannot be read is set aside and told; nothing is raised for it.
        """
        read = await self._hass.async_add_executor_job(_read, Path(self.path))
        stored, is_usual, self.was_cut, is_newer = read
        if is_newer:
            await self._async_answer_newer()
        elif not is_usual:
            await self.async_set_aside()
        else:
            try:
                stored = await self._store.async_load()
            except (HomeAssistantError, OSError, ValueError, KeyError, TypeError) as err:
                LOGGER.error("%s cannot be read: %s", self.path, err)
        writes = (stored or {}).get("writes", 0)
        self._writes = writes if isinstance(writes, int) else 0
        return stored

    async def _async_answer_newer(self) -> None:
        """Keep a copy of what a newer release wrote, for whoever installs that again, and tell."""
        aside = await self._hass.async_add_executor_job(_copy, Path(self.path))
        LOGGER.error(
            "%s was written by a newer ESP OTA; what it was is kept as %s", self.path, aside
        )
        async_raise_newer(self._hass, self._name, self.path, aside)

    async def async_set_aside(self) -> None:
        """Keep a copy of the file beside it, and tell: not all of it is used any more."""
        aside = await self._hass.async_add_executor_job(_copy, Path(self.path))
        LOGGER.error("Not all of %s can be read; what it was is kept as %s", self.path, aside)
        async_raise_set_aside(self._hass, self._name, self.path, aside)

    async def async_save(self) -> bool:
        """Write all of it; tell whether it is on disk, the person as well.

        Whatever is to be kept while a write runs is written by one write after it.
        """
        if not self._lock.locked() and self._next is None:
            return await self._async_write()
        if self._next is None:
            self._next = self._hass.async_create_background_task(
                self._async_write(), f"ESP OTA write {self._name}", eager_start=False
            )
        return await asyncio.shield(self._next)

    async def _async_write(self) -> bool:
        async with self._lock:  # a write that waits behind this one would be read instead
            self._next = None
            self._writes += 1
            writes = self._writes
            await self._store.async_save(self._numbered())
            is_on_disk = await self._async_is_written(writes)
            self._try_again(is_needed=not is_on_disk)
        if is_on_disk:
            async_clear_unwritten(self._hass, self._name)
        else:
            async_raise_unwritten(self._hass, self._name, self.path)
        return is_on_disk

    async def _async_is_written(self, writes: int) -> bool:
        """Whether this write is on disk, or will be at the stop."""
        if self._length > _LONG:
            found = await self._hass.async_add_executor_job(_number_in, Path(self.path))
            if found == writes:
                return True
        try:
            kept = await self._store.async_load() or {}
        except HomeAssistantError, OSError, ValueError, KeyError, TypeError:
            return False
        return bool(kept.get("writes") == writes)

    @callback
    def async_save_later(self, seconds: float) -> None:
        """Write within so many seconds, and at the stop; who asks again puts nothing off.

        Nobody is told whether it is on disk: this is for what may be lost.
        """
        due = self._hass.loop.time() + seconds
        if self._due is None or due < self._due:
            self._due = due
            self._store.async_delay_save(self._written_now, seconds)

    def _written_now(self) -> Content:
        self._due = None
        return self._numbered()

    @callback
    def _try_again(self, *, is_needed: bool) -> None:
        """Write once more later, again and again as long as it is needed, and at the stop."""
        if self._again is not None:
            self._again()
            self._again = None
        if is_needed:
            job = HassJob(self._async_again, "ESP OTA write again", cancel_on_shutdown=True)
            self._again = async_call_later(self._hass, _AGAIN, job)
            self._store.async_delay_save(self._numbered, 2 * _AGAIN)

    async def _async_again(self, _now: datetime) -> None:
        self._again = None
        await self.async_save()

    def _numbered(self) -> Content:
        content = {storable(str(key)): _Text(item) for key, item in self._content().items()}
        self._length = sum(item.length for item in content.values())
        return {"writes": self._writes} | content


class _Text:
    """A value as it is written: not walked through, for with hundreds of modules it is long."""

    def __init__(self, value: Any) -> None:
        text = value.text if isinstance(value, Items) else _text(value)
        self.json_fragment = json_fragment(text)
        self.length = len(text)

    def __deepcopy__(self, _memo: object) -> Self:
        """Be read back before it is written, when Home Assistant stops (`Store.async_load`)."""
        return self


class Items[T](dict[str, T]):
    """What is kept of each of many, by a key: put into text when it is set, not at each write.

    So what is changed inside an item is kept when that is set once more.
    """

    def __init__(self, found: Mapping[str, T] | None = None) -> None:
        """Take what was read."""
        super().__init__()
        self._texts: dict[str, bytes] = {}
        for key, item in (found or {}).items():
            self[key] = item

    @override
    def __setitem__(self, key: str, item: T) -> None:
        super().__setitem__(key, item)
        self._texts[key] = _text(key) + b":" + _text(item)

    def drop(self, key: str) -> T | None:
        """Keep one no more; returns what it was."""
        self._texts.pop(key, None)
        return self.pop(key, None)

    @property
    def text(self) -> bytes:
        """All of it in JSON."""
        return b"{" + b",".join(self._texts.values()) + b"}"


def _text(value: Any) -> bytes:
    """Return what is written of a value."""
    try:
        return json_bytes(value)
    except TypeError:  # an odd text is in it
        return json_bytes(_storable(value))


def storable(text: str) -> str:
    """Return a text as it can be written: half a surrogate, as JSON may carry it, is none."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _storable(value: Any) -> Any:
    """Return what can be written of a value: one odd text must not keep all the others off."""
    if type(value) is str:
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list | tuple) else value


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is what an annotation says; of a dataclass also what is in it."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(fits(value, item) for item in inner)
    if origin is dict:
        keys, values = inner
        return isinstance(value, dict) and all(
            fits(key, keys) and fits(item, values) for key, item in value.items()
        )
    if origin is list:
        return isinstance(value, list) and all(fits(item, inner[0]) for item in value)
    if hint is Any:
        return True
    if is_typeddict(hint):
        required: frozenset[str] = hint.__required_keys__
        return bool(sound_part(value, hint) == value and required <= value.keys())
    if hint is int and isinstance(value, bool):
        return False
    return isinstance(value, origin or hint) and (not is_dataclass(value) or is_sound(value))


def is_sound(instance: Any) -> bool:
    """Whether every field of a dataclass is what its annotation says."""
    hints = get_type_hints(type(instance))
    return all(fits(getattr(instance, item.name), hints[item.name]) for item in fields(instance))


def sound_part(value: Any, kind: Any) -> Content:
    """Return what of a value fits a TypedDict; what that does not know is left as it is."""
    if not isinstance(value, dict):
        return {}
    hints = get_type_hints(kind)
    return {key: item for key, item in value.items() if key not in hints or fits(item, hints[key])}


def _read(path: Path) -> tuple[Content | None, bool, bool, bool]:
    """Return what is in a file (executor).

    And whether Home Assistant can read it, as it can one that is not there, whether it was cut
    short, and whether a newer release wrote it.
    """
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None, True, False, False
    except OSError as err:
        LOGGER.error("%s cannot be read: %s", path, err)
        return None, False, False, False
    try:
        document, was_cut = json.loads(text), False
    except ValueError, RecursionError:
        document, was_cut = cut_short(text), True
    if not isinstance(document, dict):
        return None, False, was_cut, False
    content, version = document.get("data"), document.get("version")
    if not isinstance(content, dict):
        return None, False, was_cut, False
    is_newer = isinstance(version, int) and version > _VERSION
    return content, version == _VERSION and not was_cut, was_cut, is_newer


def _number_in(path: Path) -> int | None:
    """Return which write a whole file is of, None where that cannot be told (executor).

    The number stands in front of all that is kept, and with hundreds of modules that is long.
    """
    try:
        with path.open("rb") as file:
            found = _NUMBER.match(file.read(_HEAD))
            file.seek(-1, os.SEEK_END)
            is_whole = file.read() == b"}"
    except OSError:
        return None
    return int(found[1]) if found and is_whole else None


def cut_short(text: str) -> Any:
    """Return what is in the beginning of a JSON text, None for nothing that can be read."""
    depth = end = 0
    for at, mark in _marks(text):
        depth += (mark in "{[") - (mark in "}]")
        if depth < 0:
            break
        end = at if mark == "," else at + 1
    open_ones: list[str] = []
    for _, mark in _marks(text[:end]):
        if mark in _CLOSERS:
            open_ones.append(_CLOSERS[mark])
        elif mark != ",":
            open_ones.pop()
    try:
        return json.loads(text[:end] + "".join(reversed(open_ones)))
    except ValueError, RecursionError:
        return None


def _marks(text: str) -> Iterator[tuple[int, str]]:
    """Yield where brackets and commas stand that are in no text."""
    is_text = is_escaped = False
    for at, char in enumerate(text):
        if is_text:
            is_text = is_escaped or char != '"'
            is_escaped = char == "\\" and not is_escaped
        elif char == '"':
            is_text = True
        elif char in "{}[],":
            yield at, char


def _copy(path: Path) -> str | None:
    """Copy a file to a name beside it; the same content once only (executor)."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        aside = path.with_name(f"{path.name}.unread-{digest}")
        if not aside.exists():
            shutil.copy2(path, aside)
    except OSError as err:
        LOGGER.error("%s cannot be copied: %s", path, err)
        return None
    return str(aside)
