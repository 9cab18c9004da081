"""What a module switches: how it is made safe, read back, watched and restored.

Here live the sequences and conditions that a person configured, what may be believed of them,
and whose safe state a module gets. Never here: what an install is, or when it may begin.
"""

from .before import async_is_read_back
from .choice import Equipment, safe_state_for, safe_state_noted, safe_state_of_turn
from .conditions import Conditions, any_of_several, enabled
from .presets import FILLED, PRESETS
from .sequence import async_validate_actions
from .steps import SafeStep
from .sweeps import sweeps

__all__ = [
    "FILLED",
    "PRESETS",
    "Conditions",
    "Equipment",
    "SafeStep",
    "any_of_several",
    "async_is_read_back",
    "async_validate_actions",
    "enabled",
    "safe_state_for",
    "safe_state_noted",
    "safe_state_of_turn",
    "sweeps",
]
