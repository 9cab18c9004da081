"""A firmware with a public key: what is not signed with it is neither offered nor installed."""

import asyncio
import base64
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.library import ReleaseName
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import Garden, options_for, until

RIGHT = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WRONG = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(image: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """Sign as `tools/signing.py` of esp8266/Arduino does."""
    signature = key.sign(image, padding.PKCS1v15(), SHA256())
    return image + signature + len(signature).to_bytes(4, "little")


async def with_key(garden: Garden) -> MockConfigEntry:
    """Make the house's entry, with a key for the firmware."""
    public = RIGHT.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    house = MockConfigEntry(
        domain=DOMAIN,
        unique_id="house",
        data={"kind": "house"},
        options={"signing_keys": {"garden-valve": public.decode()}},
    )
    return await garden.add(house)


async def add(garden: Garden, version: str, key: rsa.RSAPrivateKey | None) -> None:
    image = firmware(version)
    data = signed(image, key) if key else image
    await garden.house.library.async_add(data, ReleaseName(file_name="any.bin"), source="upload")
    await garden.hass.async_block_till_done()


@pytest.mark.parametrize(
    ("key", "cause"), [(None, "signature_missing"), (WRONG, "signature_invalid")]
)
async def test_what_is_not_signed_with_the_key_is_refused(
    garden: Garden,
    start_module: StartModule,
    key: rsa.RSAPrivateKey | None,
    cause: str,
) -> None:
    await with_key(garden)
    module = await start_module()
    await garden.add(entry_for(module, options=options_for()))
    await add(garden, "1.1.0", key)
    assert garden.card.state == "off"
    await garden.refused(cause, version="1.1.0")
    assert module.running_version == "1.0.0"


@pytest.mark.slow
async def test_what_is_signed_with_the_key_is_offered_and_installed(
    garden: Garden, start_module: StartModule
) -> None:
    await with_key(garden)
    module = await start_module()
    options = options_for(accepted_checks=["signature"])
    await garden.add(entry_for(module, options=options))
    await add(garden, "1.1.0", RIGHT)
    await until(lambda: garden.card.state == "on")
    await garden.install()
    assert module.running_version == "1.1.0"


async def test_a_key_that_is_given_later_is_applied_to_what_is_there(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.add(entry_for(module, options=options_for()))
    await add(garden, "1.1.0", None)
    assert garden.card.state == "on"
    entry = garden.house.entry
    assert entry is not None
    public = RIGHT.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    options = {"signing_keys": {"garden-valve": public.decode()}}
    garden.hass.config_entries.async_update_entry(entry, options=options)
    await garden.hass.config_entries.async_reload(entry.entry_id)
    await garden.hass.async_block_till_done()
    assert garden.card.state == "off"


def minisigned(image: bytes, key: ed25519.Ed25519PrivateKey) -> str:
    """Sign as minisign does: the hash, then the signature with the trusted comment."""
    signature = key.sign(hashlib.blake2b(image).digest())
    comment = "garden-valve"
    whole = base64.b64encode(key.sign(signature + comment.encode())).decode()
    line = base64.b64encode(b"ED" + bytes(8) + signature).decode()
    return f"untrusted comment: x\n{line}\ntrusted comment: {comment}\n{whole}\n"


async def test_a_signature_that_comes_after_its_image_counts(
    garden: Garden, start_module: StartModule
) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    public = base64.b64encode(b"Ed" + bytes(8) + raw).decode()
    house = MockConfigEntry(
        domain=DOMAIN,
        unique_id="house",
        data={"kind": "house"},
        options={"signing_keys": {"garden-valve": public}},
    )
    await garden.add(house)
    await garden.add(entry_for(await start_module(), options=options_for()))
    await add(garden, "1.1.0", None)
    assert garden.card.state == "off"
    image = firmware("1.1.0")
    name = ReleaseName(file_name="any.bin", signature=minisigned(image, key))
    await garden.house.library.async_add(image, name, source="folder")
    await until(lambda: garden.card.state == "on")


async def test_a_release_whose_image_is_gone_is_looked_at_once(
    garden: Garden, config_dir: Path
) -> None:
    await add(garden, "1.1.0", None)
    (path,) = (config_dir / "esp_ota" / "images").iterdir()
    path.unlink()
    told: list[None] = []
    garden.house.library.async_add_listener(lambda: told.append(None))
    async with asyncio.timeout(20):
        await with_key(garden)
    await garden.hass.async_block_till_done()
    assert len(told) == 2  # that it is gone, and that all were compared
    (release,) = garden.house.library.releases
    assert garden.house.signatures.state(release) == "absent"
