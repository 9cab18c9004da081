"""Wraps functions of ESP OTA at run time, so that each named point is told as it is reached."""

from collections.abc import Callable
from contextvars import ContextVar
import functools
import inspect
from typing import Any, Final

from atomicwrites import AtomicWriter

from custom_components.esp_ota.equipment.safe_state import ConfiguredSafeState
from custom_components.esp_ota.house.journal import Journal
from custom_components.esp_ota.installs import (
    ModuleInstaller,
    finishing as endings,
    run as install_run,
)
from custom_components.esp_ota.installs.recovery import Recovery
from custom_components.esp_ota.installs.soak import Soak
from custom_components.esp_ota.ota import (
    ArduinoOtaPush,
    HttpPull,
    HttpUpload,
    ModuleWatch,
    OtaError,
    PollWatch,
)
from custom_components.esp_ota.ota.pipeline.sending import Sending

type Reach = Callable[[str, str | None], None]
type Name = str | Callable[..., str | None] | None
"""A point, or what tells it from the arguments; None when there is none."""

MODULE: Final = ContextVar[str | None]("MODULE", default=None)
"""Whose install runs in this task."""
_PERCENTS: Final = (10, 50, 99, 100)


class Wraps:
    """Puts a call of `reach` around functions."""

    def __init__(self, reach: Reach) -> None:
        """Tell every point to `reach`."""
        self._reach = reach

    def at(self, name: Name, *args: Any) -> None:
        """Reach a point in the name of the install of this task."""
        point = name(*args) if callable(name) else name
        if point is not None:
            self._reach(point, MODULE.get())

    def around(self, owner: Any, function: str, before: Name = None, after: Name = None) -> None:
        """Reach a point before a function begins, and one after it has returned."""
        original = getattr(owner, function)

        @functools.wraps(original)
        async def waits(*args: Any, **kwargs: Any) -> Any:
            self.at(before, *args)
            result = await original(*args, **kwargs)
            self.at(after, *args)
            return result

        @functools.wraps(original)
        def returns(*args: Any, **kwargs: Any) -> Any:
            self.at(before, *args)
            result = original(*args, **kwargs)
            self.at(after, *args)
            return result

        setattr(owner, function, waits if inspect.iscoroutinefunction(original) else returns)

    def around_sends(self, transport: Any) -> None:
        """Reach points of one transport, which may fail and be asked again."""
        original = transport.send

        @functools.wraps(original)
        async def send(*args: Any, **kwargs: Any) -> Any:
            self.at("before_send")
            try:
                result = await original(*args, **kwargs)
            except OtaError as err:
                if err.retryable:
                    self.at("between_tries")
                raise
            self.at("after_send")
            return result

        transport.send = send

    def in_the_name_of_its_module(self, function: str) -> None:
        """Let everything that this method of an installer starts belong to its module."""
        original = getattr(ModuleInstaller, function)

        def named(installer: ModuleInstaller) -> Any:
            return MODULE.set(installer._entry.title)

        @functools.wraps(original)
        async def waits(this: ModuleInstaller, *args: Any, **kwargs: Any) -> Any:
            token = named(this)
            try:
                self.at("pressed")
                return await original(this, *args, **kwargs)
            finally:
                MODULE.reset(token)

        @functools.wraps(original)
        def returns(this: ModuleInstaller, *args: Any, **kwargs: Any) -> Any:
            token = named(this)
            try:
                if this._house.journal.open_install(this._entry.entry_id) is not None:
                    self.at("before_recover")
                return original(this, *args, **kwargs)
            finally:
                MODULE.reset(token)

        setattr(
            ModuleInstaller, function, waits if inspect.iscoroutinefunction(original) else returns
        )

    def on_sending(self) -> None:
        """Reach the points of the bytes; the request of a pull asks in a task of its own."""
        init, first_byte, progress = (
            Sending.__init__,
            Sending._before_first_byte,
            Sending._on_progress,
        )

        @functools.wraps(init)
        def make(this: Any, *args: Any, **kwargs: Any) -> None:
            init(this, *args, **kwargs)
            this.torture_module, this.torture_percent = MODULE.get(), 0

        @functools.wraps(first_byte)
        def before_first_byte(this: Any) -> None:
            self._reach("before_first_byte", this.torture_module)
            first_byte(this)
            this.torture_percent = 0
            self._reach("after_first_byte", this.torture_module)

        @functools.wraps(progress)
        def on_progress(this: Any, sent: int, total: int) -> None:
            progress(this, sent, total)
            for percent in _PERCENTS:
                if this.torture_percent < percent <= sent * 100 // total:
                    this.torture_percent = percent
                    self._reach(f"sent_{percent}", this.torture_module)

        sending: Any = Sending
        sending.__init__ = make
        sending._before_first_byte, sending._on_progress = before_first_byte, on_progress

    def on_files(self) -> None:
        """Reach the points around the rename of a stored file."""

        def named(when: str) -> Callable[..., str | None]:
            def name(writer: Any, _file: object) -> str | None:
                for what in ("journal", "library", "rollouts"):
                    if str(writer._path).endswith(f"esp_ota.{what}"):
                        return f"{when}_{what}_rename"
                return None

            return name

        self.around(AtomicWriter, "commit", named("before"), named("after"))


def install(reach: Reach) -> Wraps:
    """Wrap everything, once per process."""
    wraps = Wraps(reach)

    def written(when: str) -> Callable[..., str]:
        return lambda _journal, _entry_id, note: f"{when}_journal_{note['stage']}"

    wraps.in_the_name_of_its_module("async_install")
    wraps.in_the_name_of_its_module("async_recover")
    wraps.around(Recovery, "run", before="recovering")
    wraps.around(Journal, "async_write", written("before"), written("after"))
    wraps.around(Journal, "async_close", "before_close", "after_close")
    wraps.around(Journal, "async_remember", "before_remember", "after_remember")
    wraps.around(endings, "async_tell", "before_tell", "after_tell")
    wraps.around(ConfiguredSafeState, "admit", before="before_admit")
    wraps.around(ConfiguredSafeState, "enter", "before_enter", "after_enter")
    wraps.around(ConfiguredSafeState, "_act", after="actions_done")
    wraps.around(ConfiguredSafeState, "leave", "before_leave", "after_leave")
    wraps.around(Soak, "watch", before=lambda soak, *_: "soaking" if soak._minutes else None)
    wraps.around(HttpPull, "wait_ready", after="pull_held")
    for transport in (ArduinoOtaPush, HttpUpload, HttpPull):
        wraps.around_sends(transport)
    wraps.on_sending()
    for watch in (ModuleWatch, PollWatch):
        for function, before, after in (
            ("wait_gone", None, "module_gone"),
            ("wait_back", None, "module_back"),
            ("wait_evidence", "before_evidence", "after_evidence"),
        ):
            if function in vars(watch):
                wraps.around(watch, function, before, after)
    wraps.on_files()
    _on_go_back(wraps)
    return wraps


def _on_go_back(wraps: Wraps) -> None:
    """Reach the points of the way back."""
    original = install_run.Ports

    @functools.wraps(original)
    def ports(*args: Any, **kwargs: Any) -> Any:
        go_back = kwargs["go_back"]

        async def asked(result: Any) -> Any:
            wraps.at("before_go_back")
            if parts := await go_back(result):
                wraps.at("going_back")
            return parts

        return original(*args, **kwargs | {"go_back": asked})

    setattr(install_run, "Ports", ports)  # noqa: B010 - mypy knows it as a class
