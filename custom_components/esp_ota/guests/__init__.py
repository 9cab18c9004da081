"""Guests: modules that another integration updates, in our queue and with their equipment safe.

Here live what the update entity of a guest says, whose safe state it gets, and its run from the
press to the proof. Never here: anything that is sent to a module, or which guests take part.
"""

from .actions import async_act_on_guests, async_register_guest_actions
from .equipment import entity_ids_of, stored_ids
from .guest import Guest
from .guests import GUESTS, Guests
from .naming import async_guests, is_foreign, why_left_out
from .shown import standing
from .telling import history_of

__all__ = [
    "GUESTS",
    "Guest",
    "Guests",
    "async_act_on_guests",
    "async_guests",
    "async_register_guest_actions",
    "entity_ids_of",
    "history_of",
    "is_foreign",
    "standing",
    "stored_ids",
    "why_left_out",
]
