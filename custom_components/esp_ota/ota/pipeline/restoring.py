"""The restore that ends whatever was made safe: once, and carried to its end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from ..causes import Cause
from ..exceptions import SafeStateError
from ..models import InstallResult, InstallStage, Verdict
from .carry import carry_through
from .ports import SafeState

_INTERNAL: Final = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERNAL)


async def restore(safe_state: SafeState, result: InstallResult) -> tuple[InstallResult, bool]:
    """Restore the equipment; once begun this is carried to its end.

    Returns the result with how that ended, and whether it was to be cancelled meanwhile.
    """
    leaving, cancelled = await carry_through(safe_state.leave(result))
    try:
        result = replace(result, restore_unread=not leaving.result())
    except SafeStateError as err:
        result = replace(result, restore_error=err.cause, restore_facts=err.facts)
    return result, cancelled


class Restoring:
    """A run that makes equipment safe, and restores it exactly once: a module's, or a guest's."""

    result: InstallResult
    stage: InstallStage
    _may_be_put_aside = False

    def put_aside(self) -> None:
        """Let a cancelling that comes now leave what can wait as it is; see `is_put_aside`."""
        self._may_be_put_aside = True

    @property
    def is_put_aside(self) -> bool:
        """Whether it ended in the middle, with the equipment as it is."""
        raise NotImplementedError

    @property
    def ending(self) -> InstallResult:
        """What it ended as, all in all; for who cancelled it as well."""
        return self.result

    @property
    def _safe_state(self) -> SafeState:
        raise NotImplementedError

    @property
    def _is_met_again(self) -> bool:
        """Whether the queue is entered once more after the restore."""
        return False

    async def _stage(self, stage: InstallStage) -> None:
        """Take a stage; the journal knows of it before it takes effect."""
        raise NotImplementedError

    async def _cancelled(self) -> InstallResult:
        """Return what it is once it was cancelled, when the equipment may be restored."""
        raise NotImplementedError

    async def _restored(self, work: Callable[[], Awaitable[InstallResult]]) -> None:
        """Do the work and restore exactly once, whatever became of it, unless it is put aside."""
        self.result = _INTERNAL
        try:
            self.result = await work()
        except asyncio.CancelledError:
            self.result = await self._cancelled()
            if not self.is_put_aside:
                await self._restore()
            raise
        except BaseException:
            await self._restore()
            raise
        await self._restore()

    async def _restore(self) -> None:
        if self.result.cause is not Cause.SAFE_STATE_BROKEN:
            self.result = replace(self.result, not_safe=self._safe_state.broken())
        try:
            await self._stage(InstallStage.RESTORING)
        finally:  # a journal that cannot be written must not keep the equipment shut off
            self.result, cancelled = await restore(self._safe_state, self.result)
            if cancelled:
                raise asyncio.CancelledError
        if not self._is_met_again and self.result.restore_error is None:
            await self._stage(InstallStage.DONE)
