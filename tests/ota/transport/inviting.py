"""A scripted module that is invited, and what is said to it."""

import asyncio
import hashlib

import pytest

from custom_components.esp_ota.ota import ImageKind, OtaError
from custom_components.esp_ota.ota.module import DatagramSocket
from custom_components.esp_ota.ota.transport._authentication import response
from custom_components.esp_ota.ota.transport._invitation import Invitation, InvitationLimits
from tests.kit.pushing import payload_for
from tests.ota.transport.scripted import ScriptedModule

DATA = b"\xe9 some image"
MD5 = hashlib.md5(DATA, usedforsecurity=False).hexdigest()
INVITED = f"0 43210 {len(DATA)} {MD5}\n".encode()
PATIENT = InvitationLimits(answer=5.0, tries=3, auth_answer=5.0)


class Inviting:
    """An invitation on its way, in a task of its own."""

    def __init__(self, module: InvitedModule, udp: DatagramSocket, invitation: Invitation) -> None:
        self.module = module
        self.udp = udp
        self.task = asyncio.ensure_future(invitation.accepted())

    async def accepted(self) -> None:
        async with asyncio.timeout(10.0):
            await self.task

    async def agreed(self) -> None:
        """Have the module say yes, and hear it."""
        self.module.say(b"OK")
        await self.accepted()

    async def refused(self) -> OtaError:
        with pytest.raises(OtaError) as caught:
            await self.accepted()
        return caught.value


class InvitedModule(ScriptedModule):
    """A module that is invited."""

    opened: DatagramSocket | None = None

    async def invite(
        self,
        password: str | None = None,
        limits: InvitationLimits = PATIENT,
        kind: ImageKind = ImageKind.SKETCH,
    ) -> Inviting:
        if self.opened is not None:
            self.opened.close()
        self.opened = udp = await DatagramSocket.open(self.host, self.port)
        invitation = Invitation(udp, payload_for(DATA, kind), 43210, password, limits)
        return Inviting(self, udp, invitation)

    async def __aexit__(self, *error: object) -> None:
        """Close the last invitation's socket as well."""
        await super().__aexit__(*error)
        if self.opened is not None:
            self.opened.close()


def is_proof(datagram: bytes, key: str, nonce: str) -> bool:
    """Tell whether a datagram proves this key."""
    command, cnonce, proof = datagram.decode().removesuffix("\n").split(" ")
    return command == "200" and proof == response(key, nonce, cnonce)


def md5_key(password: str) -> str:
    return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()


def sha256_key(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
