"""Which versions a person lets a module have: its pin, its hold, and its channel.

What ran before may be put back in spite of all three.
"""

from ..causes import Cause
from ..models import ModuleFacts
from ..naming import is_prerelease, pin_permits, pinned_version
from .answers import Answer, Candidate, Check, CheckResult, invalid, valid


def ask_bounds(candidate: Candidate, module: ModuleFacts) -> CheckResult | None:
    """Return the first of the three that is against a candidate, None for none."""
    answers = (ask(candidate, module) for ask in (ask_pin, ask_hold, ask_channel))
    return next((answer for answer in answers if answer.answer is not Answer.VALID), None)


def ask_pin(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Refuse a version that the module's pin does not name, whoever wants it."""
    pin = module.pin
    if pin is None or candidate.goes_back or pin_permits(pin, candidate.version):
        return valid(Check.PIN)
    return invalid(Check.PIN, Cause.PINNED, version=candidate.version, pin=pin)


def ask_hold(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Refuse everything as long as the module is held, whoever wants it."""
    if module.held_until is None or candidate.goes_back:
        return valid(Check.HOLD)
    return invalid(Check.HOLD, Cause.HELD, until=module.held_until)


def ask_channel(candidate: Candidate, module: ModuleFacts) -> CheckResult:
    """Keep pre-releases from a module on the stable channel, unless its version is named for it.

    Where nobody chose a channel, a module that runs a pre-release goes on with pre-releases.

    By a person, by an automation, or by a pin to this very version; a rollout names none for a
    module in particular.
    """
    named = candidate.chosen and not candidate.by_rollout
    named = named or (module.pin is not None and pinned_version(module.pin) is not None)
    takes = module.takes_prereleases
    if takes is None:
        takes = is_prerelease(candidate.installed or module.version or "")
    if takes or not candidate.is_prerelease or named or candidate.goes_back:
        return valid(Check.CHANNEL)
    return invalid(Check.CHANNEL, Cause.CHANNEL, version=candidate.version)
