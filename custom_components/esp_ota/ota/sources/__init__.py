"""What servers of firmware say: lists, releases of a repository, and bounded fetching.

Never here: when a source is asked, or what becomes of its files.
"""

from .account import Account, CallBudget
from .container import is_container, unpack
from .ddi import (
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
from .ddi_server import DdiTarget, target_base
from .fetch import Text, fetch_text, open_url, read_chunks
from .github import parse_releases
from .listing import Listed, Listing, web_address, without_risk
from .manifest import parse_manifest
from .reach import Reach

__all__ = [
    "Account",
    "Action",
    "Artifact",
    "CallBudget",
    "DdiExecution",
    "DdiTarget",
    "Deployment",
    "Finished",
    "Listed",
    "Listing",
    "Poll",
    "Reach",
    "Text",
    "Way",
    "attributes",
    "digest_of",
    "fetch_text",
    "is_container",
    "open_url",
    "parse_manifest",
    "parse_releases",
    "read_chunks",
    "target_base",
    "unpack",
    "web_address",
    "without_risk",
]
