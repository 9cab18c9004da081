"""Ways to bring an image to a module. A transport sends; it never gates or retries.

Here live ArduinoOTA, upload pages and pull, each with the wire it speaks; a private file belongs
to this room alone. Never here: the pipeline, or another transport.
"""

from ._connection import LAST_OF_IMAGE, unsent
from ._download import Download, PullLimits
from ._whereabouts import Address, Fixed, Whereabouts
from .arduino_ota import ArduinoOtaPush, PushLimits
from .http_pull import HttpPull, PullDesk
from .http_upload import HttpUpload, UploadDialect, UploadLimits, recognise
from .protocol import Transport

__all__ = [
    "LAST_OF_IMAGE",
    "Address",
    "ArduinoOtaPush",
    "Download",
    "Fixed",
    "HttpPull",
    "HttpUpload",
    "PullDesk",
    "PullLimits",
    "PushLimits",
    "Transport",
    "UploadDialect",
    "UploadLimits",
    "Whereabouts",
    "recognise",
    "unsent",
]
