"""The UDP part: one socket, patient invitations, and a name for every answer."""

import asyncio
from collections.abc import AsyncIterator
import errno
import random
import time

import pytest

from custom_components.esp_ota.ota import Cause, ImageKind
from custom_components.esp_ota.ota.exceptions import (
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
)
from custom_components.esp_ota.ota.transport._invitation import InvitationLimits
from tests.ota.transport.inviting import (
    INVITED,
    InvitedModule,
    is_proof,
    md5_key,
    sha256_key,
)
from tests.ota.transport.scripted import ScriptedModule

NONCE = "1f" * 16
LONG_NONCE = "1f" * 32
HASTY = InvitationLimits(answer=0.05, tries=3, auth_answer=0.05)


@pytest.fixture
async def module() -> AsyncIterator[InvitedModule]:
    async with InvitedModule() as module:
        yield module


@pytest.mark.parametrize(
    ("kind", "command"), [(ImageKind.SKETCH, b"0"), (ImageKind.FILESYSTEM, b"100")]
)
async def test_the_invitation_is_written_as_the_cores_read_it(
    module: InvitedModule, kind: ImageKind, command: bytes
) -> None:
    inviting = await module.invite(kind=kind)
    assert await module.hear() == command + INVITED[1:]
    await inviting.agreed()


@pytest.mark.parametrize("ok", [b"OK", b"OK\n", b"OK\r\n", b"OK\0"])
async def test_ok_is_a_yes(module: InvitedModule, ok: bytes) -> None:
    inviting = await module.invite()
    await module.hear()
    module.say(ok)
    await inviting.accepted()


@pytest.mark.slow
async def test_an_unanswered_invitation_is_sent_again_after_a_full_wait(
    module: InvitedModule,
) -> None:
    limits = InvitationLimits(answer=0.3, tries=3, auth_answer=5.0)
    inviting = await module.invite(limits=limits)
    begin = time.monotonic()
    assert await module.hear() == await module.hear() == INVITED
    assert time.monotonic() - begin >= 0.29
    await inviting.agreed()


@pytest.mark.slow
async def test_later_invitations_are_given_more_time(module: InvitedModule) -> None:
    limits = InvitationLimits(answer=0.1, tries=9, auth_answer=0.1)
    inviting = await module.invite("secret", limits)
    gaps: list[float] = []
    heard = time.monotonic()

    async def invited() -> None:
        nonlocal heard
        assert await module.hear() == INVITED
        gaps.append(time.monotonic() - heard)
        heard = time.monotonic()

    for _ in range(3):
        await invited()
    module.say(f"AUTH {NONCE}".encode())
    await module.hear()
    for _ in range(2):  # nothing answers the proof
        await invited()
    inviting.task.cancel()
    await asyncio.wait({inviting.task})
    # What one is heard late the next one is heard early: only the sum is steady.
    assert gaps[1] + gaps[2] >= 0.25
    assert gaps[4] >= 0.39


@pytest.mark.slow
async def test_silence_ends_after_the_last_invitation(module: InvitedModule) -> None:
    inviting = await module.invite(limits=HASTY)
    error = await inviting.refused()
    assert isinstance(error, ModuleConnectionError)
    assert error.cause is Cause.NO_ANSWER
    assert error.retryable
    assert [await module.hear() for _ in range(3)] == [INVITED] * 3
    with pytest.raises(TimeoutError):
        await module.hear(0.05)


async def test_no_patience_at_all_is_silence_too(module: InvitedModule) -> None:
    inviting = await module.invite(limits=InvitationLimits(answer=0.0, tries=2))
    assert (await inviting.refused()).cause is Cause.NO_ANSWER


@pytest.mark.slow
async def test_a_closed_port_is_told_from_silence(module: InvitedModule) -> None:
    module.udp.close()
    inviting = await module.invite(limits=HASTY)
    assert (await inviting.refused()).cause is Cause.PORT_CLOSED


async def test_a_port_that_opens_meanwhile_is_not_given_up(module: InvitedModule) -> None:
    inviting = await module.invite(limits=InvitationLimits(answer=0.2, tries=20))
    await module.hear()
    inviting.udp.error_received(ConnectionRefusedError(errno.ECONNREFUSED, "restarting"))
    await module.hear()
    await inviting.agreed()


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETUNREACH])
async def test_a_host_that_is_not_there_is_not_told_as_a_closed_port(
    module: InvitedModule, number: int
) -> None:
    inviting = await module.invite(limits=HASTY)
    await module.hear()
    # What Linux reports on the socket when nobody answers ARP.
    inviting.udp.error_received(OSError(number, "unreachable"))
    assert (await inviting.refused()).cause is Cause.UNREACHABLE


async def test_an_error_that_is_none_of_the_network_is_left_alone(module: InvitedModule) -> None:
    inviting = await module.invite()
    await module.hear()
    inviting.udp.error_received(ValueError("not from a socket"))
    await inviting.agreed()


async def test_a_password_is_proven_from_the_socket_that_invited(module: InvitedModule) -> None:
    inviting = await module.invite("secret")
    await module.hear()
    module.say(f"AUTH {NONCE}".encode())
    assert is_proof(await module.hear(), md5_key("secret"), NONCE)
    assert module.sources[0] == module.sources[1]
    await inviting.agreed()


async def test_a_new_module_is_tried_with_one_key_after_the_other(module: InvitedModule) -> None:
    password = sha256_key("what setPasswordHash got")
    inviting = await module.invite(password)
    for number, key in enumerate((sha256_key(password), md5_key(password), password)):
        nonce = f"{number:064x}"
        assert await module.hear() == INVITED
        module.say(f"AUTH {nonce}".encode())
        assert is_proof(await module.hear(), key, nonce)
        if number < 2:
            module.say(b"Authentication Failed")
    await inviting.agreed()
    assert len(set(module.sources)) == 1


@pytest.mark.slow
async def test_another_key_deserves_all_its_invitations(module: InvitedModule) -> None:
    limits = InvitationLimits(answer=0.2, tries=2, auth_answer=5.0)
    inviting = await module.invite("secret", limits)
    await module.hear()
    await module.hear()  # the first got no answer: one try is left
    module.say(f"AUTH {LONG_NONCE}".encode())
    await module.hear()
    module.say(b"Authentication Failed")
    assert await module.hear() == INVITED
    assert await module.hear() == INVITED
    module.say(f"AUTH {LONG_NONCE}".encode())
    assert is_proof(await module.hear(), md5_key("secret"), LONG_NONCE)
    await inviting.agreed()


@pytest.mark.parametrize(("nonce", "keys"), [(NONCE, 1), (LONG_NONCE, 2)])
async def test_a_wrong_password_is_known_when_no_key_is_left(
    module: InvitedModule, nonce: str, keys: int
) -> None:
    inviting = await module.invite("wrong")
    for _ in range(keys):
        assert await module.hear() == INVITED
        module.say(f"AUTH {nonce}".encode())
        await module.hear()
        module.say(b"Authentication Failed")
    error = await inviting.refused()
    assert isinstance(error, ModuleAuthError)
    assert error.cause is Cause.WRONG_PASSWORD
    assert not error.retryable


async def test_a_challenge_without_a_password_asks_for_one(module: InvitedModule) -> None:
    inviting = await module.invite()
    await module.hear()
    module.say(f"AUTH {NONCE}".encode())
    error = await inviting.refused()
    assert isinstance(error, ModuleAuthError)
    assert error.cause is Cause.PASSWORD_MISSING


@pytest.mark.parametrize("nonce", [b"", b" ", b" abc", b" " + b"1f" * 20, b" " + b"1f" * 600])
async def test_a_challenge_of_unknown_length_is_not_guessed_at(
    module: InvitedModule, nonce: bytes
) -> None:
    inviting = await module.invite("secret")
    await module.hear()
    module.say(b"AUTH" + nonce)
    error = await inviting.refused()
    assert isinstance(error, ModuleAuthError)
    assert error.cause is Cause.AUTH_UNKNOWN
    assert int(error.facts["length"]) <= 160


async def test_an_unanswered_proof_is_given_again_to_a_new_challenge_once(
    module: InvitedModule,
) -> None:
    limits = InvitationLimits(answer=5.0, tries=9, auth_answer=0.1)
    inviting = await module.invite("secret", limits)
    for number in range(2):
        assert await module.hear() == INVITED
        nonce = f"{number:032x}"
        module.say(f"AUTH {nonce}".encode())
        assert is_proof(await module.hear(), md5_key("secret"), nonce)
    error = await inviting.refused()
    assert isinstance(error, ModuleAuthError)
    assert error.cause is Cause.AUTH_NO_ANSWER


@pytest.mark.slow
async def test_a_module_that_falls_silent_after_a_challenge_did_not_answer_it(
    module: InvitedModule,
) -> None:
    inviting = await module.invite("secret", InvitationLimits(answer=0.1, tries=2, auth_answer=0.1))
    await module.hear()
    module.say(f"AUTH {NONCE}".encode())
    assert (await inviting.refused()).cause is Cause.AUTH_NO_ANSWER


async def test_a_late_challenge_to_an_older_invitation_is_no_answer_to_the_proof(
    module: InvitedModule,
) -> None:
    inviting = await module.invite("secret")
    await module.hear()
    module.say(f"AUTH {NONCE}".encode())
    await module.hear()
    module.say(f"AUTH {'2e' * 16}".encode())
    module.say(f"AUTH {'3d' * 16}".encode())
    await inviting.agreed()


async def test_a_late_refusal_is_a_wrong_password_and_no_riddle(module: InvitedModule) -> None:
    limits = InvitationLimits(answer=5.0, tries=9, auth_answer=0.1)
    inviting = await module.invite("secret", limits)
    await module.hear()
    module.say(f"AUTH {NONCE}".encode())
    await module.hear()
    assert await module.hear() == INVITED
    module.say(b"Authentication Failed")
    assert (await inviting.refused()).cause is Cause.WRONG_PASSWORD


@pytest.mark.slow
async def test_a_late_refusal_leaves_the_challenge_behind_it_to_the_next_key(
    module: InvitedModule,
) -> None:
    limits = InvitationLimits(answer=5.0, tries=9, auth_answer=0.5)
    inviting = await module.invite("secret", limits)
    await module.hear()
    module.say(f"AUTH {LONG_NONCE}".encode())
    assert is_proof(await module.hear(), sha256_key("secret"), LONG_NONCE)
    assert await module.hear() == INVITED
    module.say(b"Authentication Failed")
    module.say(f"AUTH {LONG_NONCE[::-1]}".encode())
    assert is_proof(await module.hear(), md5_key("secret"), LONG_NONCE[::-1])
    await inviting.agreed()


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (b"ERR: ERROR[4]: Not Enough Space\n", Cause.NO_SPACE),
        (b"ERR: ERROR[15]: Update already running\n", Cause.BUSY),
        (b"ERR: No Filesystem", Cause.NO_FILESYSTEM),
        (b"ERR", Cause.REJECTED),
    ],
)
@pytest.mark.parametrize("locked", [False, True])
async def test_an_update_that_cannot_begin_says_why(
    module: InvitedModule, reply: bytes, cause: Cause, locked: bool
) -> None:
    inviting = await module.invite("secret")
    await module.hear()
    if locked:
        module.say(f"AUTH {NONCE}".encode())
        await module.hear()
    module.say(reply)
    error = await inviting.refused()
    assert isinstance(error, ModuleRejectedImage)
    assert error.cause is cause
    assert not error.retryable


async def test_any_other_reply_is_no_arduino_ota(module: InvitedModule) -> None:
    source = random.Random(1)
    replies = [source.randbytes(source.choice([0, 1, 3, 40, 1400])) for _ in range(60)]
    replies += [b"OKAY", b"O", b"K", b"ok", b" AUTH x", b"Auth", b"\xff" * 2000, b"OK OK"]
    for reply in replies:
        inviting = await module.invite("secret")
        await module.hear()
        module.say(reply)
        error = await inviting.refused()
        assert isinstance(error, ModuleConnectionError), reply
        assert error.cause is Cause.UNEXPECTED_REPLY, reply
        assert error.facts["text"].isprintable()
        assert len(error.facts["text"]) <= 160


async def test_a_datagram_from_elsewhere_is_not_heard(module: InvitedModule) -> None:
    inviting = await module.invite()
    await module.hear()
    async with ScriptedModule("127.0.0.2") as stranger:
        stranger.sources.append(module.sources[0])
        stranger.say(b"ERR: ERROR[4]: Not Enough Space")
    await inviting.agreed()
