"""Modules that mean harm: each is in the house, and does one thing that no sketch does."""

from .air import Shouting
from .doors import EvilPage, EvilPoller, EvilPush
from .kinds import KINDS, LIARS, SHOUTERS
from .page import ELSEWHERE

__all__ = [
    "ELSEWHERE",
    "KINDS",
    "LIARS",
    "SHOUTERS",
    "EvilPage",
    "EvilPoller",
    "EvilPush",
    "Shouting",
]
