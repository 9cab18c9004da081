"""The steps of a safe state, for who wants to see them."""

from collections.abc import Callable
from enum import StrEnum


class SafeStep(StrEnum):
    """What a safe state goes through; a step may come again when its conditions bounce."""

    INHIBIT = "inhibit"
    TURN = "turn"
    ACTIONS = "actions"
    CONDITIONS = "conditions"
    STABLE = "stable"
    RESTORE = "restore"
    RESTORE_CONDITIONS = "restore_conditions"


type StepCallback = Callable[[SafeStep], None]
"""Told as each step begins."""
