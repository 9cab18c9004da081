"""The doors of one module, as the person ordered them."""

from collections.abc import Callable, Collection

from ..const import (
    CONF_MAC,
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
from ..ota import (
    Address,
    ArduinoOtaPush,
    Cause,
    HttpPull,
    HttpUpload,
    InstallRefused,
    Transport,
    UploadDialect,
    Whereabouts,
)


def transports_for(
    coordinator: ModuleCoordinator, only: Collection[str] | None = None, *, has: bool = False
) -> list[Transport]:
    """Return what brings an image to a module, of some ways or of all, first choice first.

    `has` is for a module that has its image: then all ways do where none of them is left.
    Raises InstallRefused where it has none of these ways, or not any more.
    """
    makers: dict[str, Callable[[ModuleCoordinator], Transport]] = {
        TRANSPORT_PUSH: _push,
        TRANSPORT_UPLOAD: _upload,
        TRANSPORT_PULL: lambda coordinator: HttpPull(coordinator.desk, host=coordinator.host),
    }
    ways = coordinator.transports
    chosen = [name for name in ways if only is None or name in only]
    if not chosen and not has:
        facts = {"way": ", ".join(only or ()), "ways": ", ".join(ways)}
        raise InstallRefused(Cause.NO_WAY, **facts)
    return [makers[name](coordinator) for name in chosen or ways]


def _push(coordinator: ModuleCoordinator) -> Transport:
    return ArduinoOtaPush(
        coordinator.whereabouts,
        password=coordinator.password,
        callback_port=lambda: coordinator.house.callback_port,
        family=coordinator.facts().family,
        did_not_ask=coordinator.whereabouts.moves.did_not_ask,
        limits=coordinator.house.patience.push,
    )


def _upload(coordinator: ModuleCoordinator) -> Transport:
    data = coordinator.config_entry.data
    dialect = data.get(CONF_UPLOAD_DIALECT)
    return HttpUpload(
        _Page(coordinator.whereabouts, data.get(CONF_UPLOAD_PORT, DEFAULT_UPLOAD_PORT)),
        dialect=UploadDialect(dialect) if dialect else None,
        path=data.get(CONF_UPLOAD_PATH),
        username=data.get(CONF_UPLOAD_USERNAME),
        password=data.get(CONF_UPLOAD_PASSWORD),
        mac=data.get(CONF_MAC),
        on_recognised=coordinator.whereabouts.moves.async_saw_page,
        limits=coordinator.house.patience.upload,
    )


class _Page:
    """Where the update page of a module is: at its address, with a port of its own."""

    def __init__(self, where: Whereabouts, port: int) -> None:
        self._where = where
        self._port = port
        self._module: Address | None = None

    async def now(self) -> Address:
        self._module = await self._where.now()
        return Address(self._module.host, self._port)

    def confirm(self, address: Address) -> None:  # noqa: ARG002 - the last that was given
        if self._module is not None:
            self._where.confirm(self._module)
