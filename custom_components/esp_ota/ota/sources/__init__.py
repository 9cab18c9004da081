"""What servers of firmware say: lists, releases of a repository, and bounded fetching.

Never here: when a source is asked, or what becomes of its files.
"""

from .fetch import Account, CallBudget, Text, fetch_text, open_url, read_chunks, took_too_long
from .github import parse_releases
from .listing import Listed, Listing, web_address, without_risk
from .manifest import parse_manifest
from .reach import Reach

__all__ = [
    "Account",
    "CallBudget",
    "Listed",
    "Listing",
    "Reach",
    "Text",
    "fetch_text",
    "open_url",
    "parse_manifest",
    "parse_releases",
    "read_chunks",
    "took_too_long",
    "web_address",
    "without_risk",
]
