"""The error tree: every error carries the cause and the facts its sentence needs."""

from typing import ClassVar

from .causes import Cause
from .texts import one_line


class OtaError(Exception):
    """Root of all errors of an install; `cause` names the sentence, `facts` fill it."""

    retryable: ClassVar[bool] = False
    """Whether the same try a few seconds later can succeed without anybody's help."""

    def __init__(self, cause: Cause, **facts: object) -> None:
        """Keep the facts as text, ready for a translation: one line each, of bounded length."""
        self.cause = cause
        self.facts = {name: one_line(value) for name, value in facts.items()}
        details = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        super().__init__(f"{cause} ({details})" if details else str(cause))


class ImageError(OtaError):
    """The bytes are no image that belongs on a module."""


class SignatureError(OtaError):
    """The image is not signed by whom the person trusts, or the key is none."""


class LibraryError(OtaError):
    """A release cannot be added, found or read."""


class SourceError(OtaError):
    """A source of firmware does not answer, or not with what it should."""


class InstallRefused(OtaError):
    """Pre-flight said no; nothing was sent."""


class SafeStateError(OtaError):
    """The equipment is not, or no longer, in its safe state."""


class ModuleConnectionError(OtaError):
    """The module cannot be reached or does not answer."""

    retryable = True


class NotCollected(OtaError):
    """The module did not ask again while the equipment was held in its safe state."""


class ModuleAuthError(OtaError):
    """The module wants another password, or an authentication nobody here knows."""


class CallbackError(OtaError):
    """The module said yes, but its TCP connection to us never came."""


class TransferError(OtaError):
    """The connection broke or stalled in the middle of the image."""

    retryable = True


class EndlessTransfer(TransferError):
    """It went on and on, and was given up: the next try would take as long."""

    retryable = False


class ModuleRejectedImage(OtaError):
    """The module itself said no; `text` in the facts is what it said."""


class VerifyError(OtaError):
    """The module did not come back as it should."""
