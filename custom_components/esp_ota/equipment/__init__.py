"""What a module switches: how it is made safe, read back, watched and restored.

Here live the sequences and conditions that a person configured, what may be believed of them,
and whose safe state a module gets. Never here: what an install is, or when it may begin.
"""

from .choice import safe_state_for, safe_state_noted
from .conditions import Conditions, any_of_several, enabled
from .presets import FILLED, PRESETS
from .safe_state import SafeStep
from .sequence import async_validate_actions

__all__ = [
    "FILLED",
    "PRESETS",
    "Conditions",
    "SafeStep",
    "any_of_several",
    "async_validate_actions",
    "enabled",
    "safe_state_for",
    "safe_state_noted",
]
