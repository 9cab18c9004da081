"""Pre-flight: does this image belong on this module? All checks, and what follows from them.

INVALID refuses. UNKNOWN refuses too, unless the person accepted that check for this module
once, or the module itself answers it before anything is lost (slot, flash size).
"""

from dataclasses import dataclass

from ..exceptions import InstallRefused
from ..models import ModuleFacts
from .answers import Answer, Candidate, Check, CheckResult
from .checks import RULES


@dataclass(frozen=True, kw_only=True, slots=True)
class Preflight:
    """All answers, and what the person accepted as unknown."""

    results: tuple[CheckResult, ...]
    accepted: frozenset[Check] = frozenset()

    @property
    def refusal(self) -> CheckResult | None:
        """The first answer that forbids the install, None when it may begin."""
        for result in self.results:
            if result.answer is Answer.INVALID:
                return result
        for result in self.results:
            asks = result.answer is Answer.UNKNOWN and result.cause is not None
            if asks and result.check not in self.accepted:
                return result
        return None

    def raise_for_refusal(self) -> None:
        """Raise InstallRefused with the cause of the first refusal, if there is one."""
        if (refusal := self.refusal) is None:
            return
        assert refusal.cause is not None
        facts = refusal.facts
        if refusal.answer is Answer.UNKNOWN:
            facts = facts | {"check": refusal.check}
        raise InstallRefused(refusal.cause, **facts)


def ask_gate(
    candidate: Candidate, module: ModuleFacts, accepted: frozenset[Check] = frozenset()
) -> Preflight:
    """Ask every check about one candidate and one module."""
    results = tuple(rule.ask(candidate, module) for rule in RULES)
    return Preflight(results=results, accepted=accepted)
