"""Servers that decide about modules of many houses: what they want is offered, and told of.

Here live the visits of each module at its server, deployments, and the ending that is told once.
Never here: what is on the wire, whether an image belongs on a module, or how one is installed.
"""

from .server import account_for
from .servers import SERVERS, Servers
from .words import name_at_server

__all__ = ["SERVERS", "Servers", "account_for", "name_at_server"]
