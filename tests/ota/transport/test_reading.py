"""A module that reads one datagram a loop, and which of ours its answers are about."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
import random
from typing import Any

import pytest

from custom_components.esp_ota.ota import Cause, Delivery, PushLimits
from custom_components.esp_ota.ota.exceptions import ModuleAuthError
from custom_components.esp_ota.ota.module import DatagramSocket
from custom_components.esp_ota.ota.transport._invitation import InvitationLimits
from custom_components.esp_ota.ota.transport._reading import Reading
from tests.kit.entries import StartModule
from tests.kit.pushing import GENERATIONS, push, quick
from tests.ota.transport.inviting import INVITED, InvitedModule, is_proof, md5_key

pytestmark = pytest.mark.slow

PASSWORD = "watering-can-42"
FIRST, SECOND, THIRD = (f"{number:032x}" for number in range(3))
PATIENT = InvitationLimits(answer=0.2, tries=4, auth_answer=2.0, at_once=0.03)
FIFTH = InvitationLimits(answer=0.4, tries=4, auth_answer=1.0, at_once=0.06)
"""What is waited for a real module, five times as fast."""


@pytest.fixture
async def module() -> AsyncIterator[InvitedModule]:
    async with InvitedModule() as module:
        yield module


def five_times_as_fast() -> PushLimits:
    return replace(quick(), invitation=FIFTH)


async def probed(host: str, port: int, count: int) -> None:
    """Leave what an install asks first in the module's mailbox."""
    udp = await DatagramSocket.open(host, port)
    for _ in range(count):
        udp.send(b"\n")
    udp.close()


@pytest.mark.parametrize("generation", ["esp32_md5", "esp32_pbkdf2"])
@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
async def test_a_module_with_a_slow_loop_tells_right_passwords_from_wrong_ones(
    start_module: StartModule, generation: str, right: bool
) -> None:
    async def ending(loop_time: float, probes: int) -> Delivery | Cause:
        slow: dict[str, Any] = {"time_scale": 1.0, "loop_time": loop_time, "auth_time": 0.06}
        module = await start_module(**GENERATIONS[generation] | slow, password=PASSWORD)
        await probed(module.host, module.port, probes)
        password = PASSWORD if right else "battery staple"
        try:
            return await push(module, password=password, limits=five_times_as_fast()).send()
        except ModuleAuthError as err:
            return err.cause

    loops = [(time, probes) for time in (0.3, 0.5, 0.6, 0.8) for probes in (0, 2)]
    expected = Delivery.ACCEPTED if right else Cause.WRONG_PASSWORD
    endings = await asyncio.gather(*(ending(*loop) for loop in loops))
    assert dict(zip(loops, endings, strict=True)) == dict.fromkeys(loops, expected)


async def test_a_challenge_with_invitations_behind_it_is_left_to_the_newest(
    module: InvitedModule,
) -> None:
    inviting = await module.invite("secret", PATIENT)
    for _ in range(3):
        assert await module.hear() == INVITED
    await asyncio.sleep(0.1)
    module.say(f"AUTH {FIRST}".encode())  # to the first; the second will be swallowed
    with pytest.raises(TimeoutError):
        await module.hear(0.2)
    module.say(f"AUTH {SECOND}".encode())  # to the third: nothing is behind it
    assert is_proof(await module.hear(), md5_key("secret"), SECOND)
    await inviting.agreed()


async def test_a_challenge_that_the_last_invitation_ends_gets_another_invitation(
    module: InvitedModule,
) -> None:
    inviting = await module.invite("secret", PATIENT)
    for _ in range(2):
        assert await module.hear() == INVITED
    await asyncio.sleep(0.1)
    module.say(f"AUTH {FIRST}".encode())
    assert await module.hear() == INVITED
    module.say(f"AUTH {SECOND}".encode())
    assert is_proof(await module.hear(), md5_key("secret"), SECOND)
    await inviting.agreed()


async def test_a_challenge_after_which_nothing_comes_is_proven_all_the_same(
    module: InvitedModule,
) -> None:
    inviting = await module.invite("secret", PATIENT)
    for _ in range(3):
        await module.hear()
    await asyncio.sleep(0.1)
    module.say(f"AUTH {FIRST}".encode())  # to the third: the others were lost
    assert is_proof(await module.hear(), md5_key("secret"), FIRST)
    await inviting.agreed()


async def test_a_refusal_in_doubt_is_asked_about_again_with_the_same_key(
    module: InvitedModule,
) -> None:
    inviting = await module.invite("secret", PATIENT)
    for _ in range(3):
        await module.hear()
    module.say(f"AUTH {FIRST}".encode())  # so soon: to the third, most likely
    assert is_proof(await module.hear(), md5_key("secret"), FIRST)
    module.say(b"Authentication Failed")
    assert await module.hear() == INVITED
    module.say(f"AUTH {SECOND}".encode())
    assert is_proof(await module.hear(), md5_key("secret"), SECOND)
    module.say(b"Authentication Failed")
    assert (await inviting.refused()).cause is Cause.WRONG_PASSWORD


async def test_a_module_that_never_comes_to_a_yes_or_no_is_given_up(
    module: InvitedModule,
) -> None:
    inviting = await module.invite("secret", replace(PATIENT, tries=1))
    heard = 0
    while not inviting.task.done():
        assert await module.hear() == INVITED
        heard += 1
        module.say(b"Authentication Failed")  # to no proof at all
        await asyncio.sleep(0.02)
        assert heard < 20
    assert (await inviting.refused()).cause is Cause.AUTH_NO_ANSWER
    assert heard == 4


@dataclass
class Model:
    """The library's own states, over datagrams of which some are lost on either way."""

    source: random.Random
    loss: float
    nonce: int | None = None
    made: int = 0
    queue: deque[int | None] = field(default_factory=deque)
    """None is an invitation, a number the proof for that challenge."""

    def send(self, datagram: int | None) -> None:
        if self.source.random() >= self.loss:
            self.queue.append(datagram)

    def read(self) -> tuple[str, int | None, bool] | None:
        """Read one datagram; return what is heard of it: answer, number, and whether it is own."""
        datagram, waiting, self.nonce = self.queue.popleft(), self.nonce, None
        reply: tuple[str, int | None, bool] | None = None
        if waiting is None and datagram is None:
            self.made += 1
            self.nonce = self.made
            reply = ("challenge", self.made, False)
        elif waiting is not None and datagram is not None:
            reply = ("refused", None, datagram == waiting)
        return None if self.source.random() < self.loss else reply


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.4])
def test_what_is_beyond_doubt_is_true_whatever_is_lost(loss: float) -> None:
    certain = doubted = 0
    for seed in range(3000):
        source = random.Random(seed)
        module, reading = Model(source, loss), Reading()
        newest: int | None = None
        for _ in range(30):
            deed = source.random()
            if deed < 0.3:
                module.send(None)
                reading.invited()
            elif deed < 0.5 and newest is not None:
                module.send(newest)
                reading.proved()
                newest = None
            elif module.queue and (heard := module.read()) is not None:
                answer, number, own = heard
                if answer == "challenge":
                    reading.challenged()
                    newest = number
                    continue
                newest = None
                if reading.refused():
                    assert own
                    certain += 1
                else:
                    doubted += 1
    assert certain > 100
    assert doubted > 100


def test_without_a_loss_it_is_known_whether_the_module_will_wait() -> None:
    checked = 0
    for seed in range(1000):
        source = random.Random(seed)
        module, reading = Model(source, 0.0), Reading()
        module.send(None)
        reading.invited()
        module.read()
        reading.challenged()
        for _ in range(source.randrange(5)):
            module.send(None)
            reading.invited()
        expected = reading.waits_in_the_end
        while module.queue:
            module.read()
        assert expected is (module.nonce is not None)
        checked += expected
    assert 0 < checked < 1000
