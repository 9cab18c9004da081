"""Files that people take for firmware, told by how they begin."""

import re
from typing import Final

from ..exceptions import ImageError
from ..models import Cause
from ._sums import Data

_MAGIC: Final = (
    (b"\x7fELF", Cause.ELF_FILE),
    (b"UF2\n", Cause.UF2_FILE),
)
_HEX: Final = re.compile(rb":[0-9A-Fa-f]{10}")


def refuse_foreign(plain: Data) -> None:
    """Raise ImageError with the kind of file it is, so that the person hears which."""
    if not plain:
        raise ImageError(Cause.EMPTY_FILE)
    for magic, cause in _MAGIC:
        if plain.startswith(magic):
            raise ImageError(cause)
    text = bytes(plain[:64]).removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        raise ImageError(Cause.HTML_PAGE)
    if _HEX.match(text):
        raise ImageError(Cause.HEX_FILE)
