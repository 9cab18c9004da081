"""What answers to HTTP: the pull endpoint of modules, and the upload of build machines.

Here live requests, who may make them, and replies. Never here: what an answer depends on; that
is asked of the house.
"""

from .pull_view import PULL_PATH, PullView
from .upload_view import UploadView

__all__ = ["PULL_PATH", "PullView", "UploadView"]
