"""Whether this image belongs on this module.

Here live the checks, the gate over them, packing, signatures and what is known of a slot.
Never here: input or output of any kind.
"""

from .answers import Candidate, Check, CheckResult, SignatureState
from .bounds import ask_bounds
from .checks import ACCEPTABLE, RULES
from .gate import ask_gate
from .knowledge import ModuleKnowledge
from .packing import Packed, PackingAdvice, PackingReason, may_pack, pack, pack_for
from .signature import read_public_key, verify_signature
from .slot import SlotKnowledge, SlotSource

__all__ = [
    "ACCEPTABLE",
    "RULES",
    "Candidate",
    "Check",
    "CheckResult",
    "ModuleKnowledge",
    "Packed",
    "PackingAdvice",
    "PackingReason",
    "SignatureState",
    "SlotKnowledge",
    "SlotSource",
    "ask_bounds",
    "ask_gate",
    "may_pack",
    "pack",
    "pack_for",
    "read_public_key",
    "verify_signature",
]
