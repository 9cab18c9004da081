"""Which form adds which kind of source."""

from typing import Final

from homeassistant.config_entries import ConfigSubentryFlow

from ..const import KIND_GITHUB, KIND_MANIFEST, KIND_SERVER
from .servers import ServerFlow
from .sources import GitHubSourceFlow, ManifestSourceFlow

SOURCE_FLOWS: Final[dict[str, type[ConfigSubentryFlow]]] = {
    KIND_MANIFEST: ManifestSourceFlow,
    KIND_GITHUB: GitHubSourceFlow,
    KIND_SERVER: ServerFlow,
}
