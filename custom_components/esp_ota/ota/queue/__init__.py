"""Who of those that wait may run next, and what each waits for.

Here live the order of a queue, its limit and its groups. Never here: what runs, clocks of a
house, or who is told.
"""

from .line import Bar, Line, Ticket
from .standing import Priority, Reason, Standing, Waits

__all__ = ["Bar", "Line", "Priority", "Reason", "Standing", "Ticket", "Waits"]
