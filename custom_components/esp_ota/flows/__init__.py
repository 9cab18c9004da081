"""The forms: adding a module, its options, the library, sources, and a safe state.

Here live questions, what an answer must be, and where it is stored. Never here: anything that
happens without a person in front of a form. Home Assistant finds them by `config_flow.py`.
"""

from .adding import EQUIPMENT, ModuleFlow
from .another_name import RENAMED, name_at
from .guests import GuestFlow
from .library import HouseOptionsFlow
from .options import ModuleOptionsFlow
from .other_integrations import async_updater_of
from .page import has_a_page_alone, ways_of
from .selectors import with_stored, without_passwords
from .source_flows import SOURCE_FLOWS
from .transports import NO_PASSWORD, PASSWORD, PORT

__all__ = [
    "EQUIPMENT",
    "NO_PASSWORD",
    "PASSWORD",
    "PORT",
    "RENAMED",
    "SOURCE_FLOWS",
    "GuestFlow",
    "HouseOptionsFlow",
    "ModuleFlow",
    "ModuleOptionsFlow",
    "async_updater_of",
    "has_a_page_alone",
    "name_at",
    "ways_of",
    "with_stored",
    "without_passwords",
]
