"""What answers to HTTP: modules that ask, build machines that upload, and the page of the house.

Here live requests, who may make them, and replies. Never here: what an answer depends on; that
is asked of the house.
"""

from .page import async_hide_page, async_prepare_page, async_show_page
from .pull_view import PULL_PATH, PullView
from .upload_view import UploadView

__all__ = [
    "PULL_PATH",
    "PullView",
    "UploadView",
    "async_hide_page",
    "async_prepare_page",
    "async_show_page",
]
