"""Public lists reach public addresses; what is inside the house only where a person named it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
import ssl
from typing import Any

from aiohttp import ClientSession, TCPConnector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
import pytest

from custom_components.esp_ota.ota import Cause, Reach, SourceError, fetch_text
from custom_components.esp_ota.ota.sources.reach import is_inside, is_public
from homeassistant.util import dt as dt_util
from tests.kit.sentences import assert_sentence_is_whole
from tests.kit.web_site import Site, text, to

NAME = "lists.example.org"


class Names(TCPConnector):
    """A connector that knows names as Home Assistant's does; each lookup takes the next answer."""

    def __init__(self, *answers: str, **how: Any) -> None:
        super().__init__(**how)
        self.answers = list(answers)
        self.lookups: list[str] = []

    async def async_resolve_host(self, host: str) -> Sequence[Mapping[str, Any]]:
        self.lookups.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [{"host": item} for item in answer.split()]


@pytest.fixture
async def named() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
async def relay() -> AsyncIterator[Site]:
    """Return something else inside the house, which a GET switches."""
    async with Site("127.0.0.2") as site:
        site.answers["/on"] = text("on")
        yield site


async def refusal(session: ClientSession, url: str, reach: Reach | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await fetch_text(session, url, limit=100, reach=reach)
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.77",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.251",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::fb",
        "::ffff:192.168.1.77",
        "::ffff:127.0.0.1",
        "64:ff9b::c0a8:14d",
        "2002:c0a8:14d::1",
    ],
)
def test_an_address_inside_is_not_public_however_it_is_written(address: str) -> None:
    assert not is_public(address)
    assert is_inside(address)


@pytest.mark.parametrize("address", ["140.82.121.6", "2606:50c0:8000::153", "::ffff:140.82.121.6"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("name", ["nas", "nas.local", "NAS.Local.", "x.lan", "a.home.arpa"])
def test_some_names_are_inside_by_themselves(name: str) -> None:
    assert is_inside(name)


@pytest.mark.parametrize("name", ["github.com", "local.example.org", "notlocal", "2130706433"])
def test_others_are_what_they_resolve_to(name: str) -> None:
    assert is_inside(name) is ("." not in name)


async def test_a_list_of_the_internet_gets_nothing_from_inside_the_house(relay: Site) -> None:
    async with ClientSession() as session:
        error = await refusal(session, relay.url("/on"), Reach.of(f"https://{NAME}/list.json"))
    assert error.cause is Cause.SOURCE_INSIDE
    assert error.facts["address"] == "127.0.0.2"
    assert relay.asked == []


@pytest.mark.parametrize("form", ["2130706434", "0x7f000002", "127.2", "0177.0.0.2"])
async def test_no_other_spelling_of_an_address_gets_there(relay: Site, form: str) -> None:
    url = relay.url("/on").replace("127.0.0.2", form)
    connector = Names("127.0.0.2")
    async with ClientSession(connector=connector) as session:
        error = await refusal(session, url, Reach.of(f"https://{NAME}/list.json"))
    assert error.cause is Cause.SOURCE_INSIDE
    assert relay.asked == []


async def test_a_redirect_leads_to_no_other_place_inside(named: Site, relay: Site) -> None:
    named.answers["/list"] = to(relay.url("/on"))
    async with ClientSession() as session:
        error = await refusal(session, named.url("/list"))
    assert error.cause is Cause.SOURCE_INSIDE
    assert (len(named.asked), relay.asked) == (1, [])


async def test_what_a_person_named_is_reached_and_its_own_redirects_are_followed(
    named: Site,
) -> None:
    named.answers["/list"] = to(named.url("/there"))
    named.answers["/there"] = text("hello")
    async with ClientSession() as session:
        answer = await fetch_text(session, named.url("/list"), limit=100)
    assert answer.data == b"hello"


async def test_a_name_that_leads_inside_is_refused_unless_the_person_said_so(named: Site) -> None:
    named.answers["/list"] = text("hello")
    url = named.url("/list").replace("127.0.0.1", NAME)
    async with ClientSession(connector=Names("127.0.0.1")) as session:
        assert (await refusal(session, url, Reach.of(url))).cause is Cause.SOURCE_INSIDE
        assert named.asked == []
        reach = Reach.of(url, inside=True)
        assert (await fetch_text(session, url, limit=100, reach=reach)).data == b"hello"
    assert named.asked[0].headers["Host"] == url.split("/")[2]


async def test_what_was_looked_at_is_connected_to_whatever_the_name_means_a_moment_later(
    named: Site, relay: Site
) -> None:
    named.answers["/list"] = text("hello")
    url = named.url("/list").replace("127.0.0.1", NAME)
    connector = Names("127.0.0.1", "127.0.0.2")
    async with ClientSession(connector=connector) as session:
        reach = Reach.of(url, inside=True)
        assert (await fetch_text(session, url, limit=100, reach=reach)).data == b"hello"
    assert connector.lookups == [NAME]
    assert relay.asked == []


async def test_of_several_addresses_the_next_one_is_asked(named: Site) -> None:
    named.answers["/list"] = text("hello")
    url = named.url("/list").replace("127.0.0.1", NAME)
    async with ClientSession(connector=Names("127.0.0.9 fe80::1%lo 127.0.0.1")) as session:
        reach = Reach.of(url, inside=True)
        assert (await fetch_text(session, url, limit=100, reach=reach)).data == b"hello"


def certificate(name: str, folder: Path) -> ssl.SSLContext:
    """Return what a server of that name shows; its certificate is in the folder as well."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt_util.utcnow()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(private + made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


@pytest.mark.parametrize("shown", [NAME, "somebody.else.org"])
async def test_the_certificate_is_that_of_the_name_and_not_of_the_address(
    tmp_path: Path, shown: str
) -> None:
    trusted = ssl.create_default_context()
    async with Site(tls=certificate(shown, tmp_path)) as site:
        trusted.load_verify_locations(tmp_path / "both.pem")
        site.answers["/list"] = text("hello")
        url = site.url("/list").replace("127.0.0.1", NAME)
        reach = Reach.of(url, inside=True)
        async with ClientSession(connector=Names("127.0.0.1", ssl=trusted)) as session:
            if shown == NAME:
                assert (await fetch_text(session, url, limit=100, reach=reach)).data == b"hello"
            else:
                error = await refusal(session, url, reach)
                assert error.cause is Cause.SOURCE_UNREACHABLE
