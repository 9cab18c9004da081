"""Somebody in the network who says to be one of the modules."""

from dataclasses import replace
import ipaddress
from typing import Final

from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from tests.virtual_module import Event, HttpModule, VirtualModule

from .history import History, Seen
from .images import image_of
from .plan import NEW, Impostor

_SERVICE: Final = "_arduino._tcp.local."


def impostor_of(
    module: VirtualModule, plan: Impostor, history: History, http_port: int
) -> VirtualModule:
    """Return who takes any image at the same ports, and says that the new version runs."""
    config = replace(
        module.config,
        host=module.host.replace("127.0.3.", "127.0.6."),
        port=module.port,
        hostname=module.hostname,
        image=image_of(module.config.chip, NEW),
        txt_mac=plan.kind != "name",
        password=None,
        advertise=True,
        faults={},
    )

    def saw(event: Event) -> None:
        seen = Seen(at=event.time, name=event.name, details=dict(event.details))
        history.impostor.append(seen)

    if isinstance(module, HttpModule):
        found: VirtualModule = HttpModule(config, replace(module.http, port=http_port))
    else:
        found = VirtualModule(config)
    found.events.listeners.append(saw)
    return found


async def forge(module: VirtualModule, plan: Impostor, air: AsyncZeroconf) -> None:
    """Say in the name of others what helps an impostor: a goodbye, or who else is there."""
    if plan.kind not in {"goodbye", "swap"}:
        return
    name = module.hostname if plan.kind == "goodbye" else f"other-{module.hostname}"
    said = ServiceInfo(
        _SERVICE,
        f"{name}.{_SERVICE}",
        addresses=[ipaddress.ip_address(module.host).packed],
        port=module.port,
        properties={},
        server=f"{name}.local.",
    )
    await (await air.async_register_service(said, cooperating_responders=True))
    if plan.kind == "goodbye":
        await (await air.async_unregister_service(said))
