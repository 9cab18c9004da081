"""What a host name stands for, asked of the machine's resolver and of nobody else."""

import asyncio
from collections.abc import Iterator

import pytest

from custom_components.esp_ota.modules import host_name
from custom_components.esp_ota.modules.host_name import HostName
from tests.kit.lookups import Lookups, looked_up

NAME = "garden-valve.local"


@pytest.fixture
def lookups() -> Iterator[Lookups]:
    with looked_up() as lookups:
        yield lookups


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
async def test_a_numeric_address_is_itself_and_is_not_looked_up(
    lookups: Lookups, host: str
) -> None:
    assert await HostName().stands_for(host, host)
    assert not await HostName().stands_for(host, "192.0.2.2")
    assert lookups.asked == []


async def test_a_name_stands_for_what_is_found(lookups: Lookups) -> None:
    lookups.known[NAME] = ["192.0.2.1", "2001:db8::1"]
    name = HostName()
    assert await name.stands_for(NAME, "192.0.2.1")
    assert await name.stands_for(NAME, "2001:db8::1")
    assert not await name.stands_for(NAME, "192.0.2.2")
    assert lookups.asked == [NAME]


@pytest.mark.parametrize("host", [NAME, "", "." * 300 + ".lan", "a" * 64 + ".lan"])
async def test_a_name_that_nobody_knows_stands_for_nothing(lookups: Lookups, host: str) -> None:
    assert not await HostName().stands_for(host, "192.0.2.1")


async def test_a_name_is_looked_up_once_for_all_who_ask_and_for_who_left(lookups: Lookups) -> None:
    lookups.known[NAME] = ["192.0.2.1"]
    lookups.may_answer.clear()
    name = HostName()
    asked = [asyncio.create_task(name.stands_for(NAME, f"192.0.2.{last}")) for last in (1, 2, 1)]
    await asyncio.sleep(0)
    asked.pop().cancel()
    lookups.may_answer.set()
    assert await asyncio.gather(*asked) == [True, False]
    assert await name.stands_for(NAME, "192.0.2.1")
    assert lookups.asked == [NAME]


async def test_a_name_is_looked_up_again_after_a_while_and_another_one_at_once(
    lookups: Lookups, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups.known |= {NAME: ["192.0.2.1"], "valve.lan": ["192.0.2.2"]}
    name = HostName()
    assert await name.stands_for(NAME, "192.0.2.1")
    assert await name.stands_for("valve.lan", "192.0.2.2")
    lookups.known["valve.lan"] = ["192.0.2.3"]
    assert not await name.stands_for("valve.lan", "192.0.2.3")
    monkeypatch.setattr(host_name, "_FRESH", 0.0)
    assert await name.stands_for("valve.lan", "192.0.2.3")


async def test_a_lookup_without_an_end_is_given_up(
    lookups: Lookups, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups.known[NAME] = ["192.0.2.1"]
    lookups.may_answer.clear()
    monkeypatch.setattr(host_name, "_LONGEST", 0.05)
    assert not await HostName().stands_for(NAME, "192.0.2.1")
    lookups.may_answer.set()
