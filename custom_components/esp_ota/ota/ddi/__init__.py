"""Servers that decide about modules of many houses (hawkBit's DDI): what they say, and are told.

Never here: which modules are theirs, what is kept of it, or when they are asked.
"""

from .container import is_container, unpack
from .messages import (
    Action,
    Artifact,
    DdiExecution,
    Deployment,
    Finished,
    Poll,
    Way,
    attributes,
    digest_of,
)
from .target import DdiTarget, target_base

__all__ = [
    "Action",
    "Artifact",
    "DdiExecution",
    "DdiTarget",
    "Deployment",
    "Finished",
    "Poll",
    "Way",
    "attributes",
    "digest_of",
    "is_container",
    "target_base",
    "unpack",
]
