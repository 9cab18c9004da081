"""Rollouts: one firmware for many modules, canaries first, by a plan that is shown before.

Here live which modules take part, what the journal keeps of a rollout, its run and its report.
Never here: the order itself and what comes next, or how one module is updated.
"""

from .actions import async_register_rollout_actions
from .rollouts import ROLLOUTS, RolloutEvent, Rollouts, RolloutState
from .shown import modules_of, standing

__all__ = [
    "ROLLOUTS",
    "RolloutEvent",
    "RolloutState",
    "Rollouts",
    "async_register_rollout_actions",
    "modules_of",
    "standing",
]
