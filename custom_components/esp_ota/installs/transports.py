"""The doors of one module, as the person ordered them."""

from collections.abc import Callable

from ..const import (
    CONF_UPLOAD_DIALECT,
    CONF_UPLOAD_PASSWORD,
    CONF_UPLOAD_PATH,
    CONF_UPLOAD_PORT,
    CONF_UPLOAD_USERNAME,
    DEFAULT_UPLOAD_PORT,
    TRANSPORT_PULL,
    TRANSPORT_PUSH,
    TRANSPORT_UPLOAD,
)
from ..modules import ModuleCoordinator
from ..ota import ArduinoOtaPush, HttpPull, HttpUpload, Transport, UploadDialect


def transports_for(coordinator: ModuleCoordinator, only: str | None = None) -> list[Transport]:
    """Return what brings an image to a module, first choice first."""
    makers: dict[str, Callable[[ModuleCoordinator], Transport]] = {
        TRANSPORT_PUSH: _push,
        TRANSPORT_UPLOAD: _upload,
        TRANSPORT_PULL: lambda coordinator: HttpPull(coordinator.desk, host=coordinator.host),
    }
    names = [only] if only else coordinator.transports
    return [makers[name](coordinator) for name in names]


def _push(coordinator: ModuleCoordinator) -> Transport:
    return ArduinoOtaPush(
        coordinator.host,
        coordinator.port,
        password=coordinator.password,
        callback_port=coordinator.house.callback_port,
        family=coordinator.facts().family,
        limits=coordinator.house.patience.push,
    )


def _upload(coordinator: ModuleCoordinator) -> Transport:
    data = coordinator.config_entry.data
    dialect = data.get(CONF_UPLOAD_DIALECT)
    return HttpUpload(
        coordinator.host,
        data.get(CONF_UPLOAD_PORT, DEFAULT_UPLOAD_PORT),
        dialect=UploadDialect(dialect) if dialect else None,
        path=data.get(CONF_UPLOAD_PATH),
        username=data.get(CONF_UPLOAD_USERNAME),
        password=data.get(CONF_UPLOAD_PASSWORD),
        limits=coordinator.house.patience.upload,
    )
