"""Who of those that wait may run next, and what each waits for.

Here live the order of a queue, its limit and its groups. Never here: what runs, the clock of a
house, or who is told.
"""

from .holds import held_until, hold_ends
from .line import Bar, Line, Ticket
from .standing import Priority, Reason, Standing, Waits
from .windows import DAYS, Window

__all__ = [
    "DAYS",
    "Bar",
    "Line",
    "Priority",
    "Reason",
    "Standing",
    "Ticket",
    "Waits",
    "Window",
    "held_until",
    "hold_ends",
]
