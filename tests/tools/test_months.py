"""The tool that plays months: its calendar, its automations, its clock, and what is set up."""

from datetime import datetime, timedelta
import json
import os
from pathlib import Path
import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest

from tests.months.acts import Acts
from tests.months.automations import nightly
from tests.months.draw import draw
from tests.months.plan import ANNOUNCES, HOUR, PULLS, ZONE, ModulePlan
from tests.months.play import card_of
from tests.months.setup import differences, set_up

ROOT = Path(__file__).parent.parent.parent
LIBRARIES = [*Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")]


def test_a_seed_decides_everything() -> None:
    assert draw("1", 10, 8) == draw("1", 10, 8)
    assert draw("1", 10, 8) != draw("2", 10, 8)


@pytest.mark.parametrize("seed", ["1", "2", "3", "4", "5"])
def test_sixty_days_have_both_nights_in_which_the_clocks_change(seed: str) -> None:
    plan = draw(seed, 60, 20)
    night = plan.start.replace(hour=0, tzinfo=ZoneInfo(ZONE))
    changes = [
        now.utcoffset() < then.utcoffset()
        for now, then in (
            (night + timedelta(days=day), night + timedelta(days=day + 1)) for day in range(60)
        )
        if now.utcoffset() != then.utcoffset()
    ]
    assert changes == [False, True]


@pytest.mark.parametrize("seed", ["1", "2", "3", "4", "5"])
def test_each_house_has_one_of_them_from_its_second_day_on(seed: str) -> None:
    plan = draw(seed, 10, 4)
    begin, end = plan.start, plan.start + timedelta(days=9)
    assert begin.utcoffset() != end.utcoffset()


def test_everything_of_the_calendar_happens_within_the_months() -> None:
    acts = draw("1", 60, 20).acts
    played = {name for name in vars(Acts) if not name.startswith("_")}
    assert {act.kind for act in acts} == played
    assert [act.at for act in acts] == sorted(act.at for act in acts)


def test_one_day_restarts_home_assistant_and_moves_a_module() -> None:
    kinds = {act.kind for act in draw("1", 1, 4).acts}
    assert {"add", "release", "restart_home", "restart", "reload", "move", "options"} <= kinds


def test_each_module_is_added_and_only_announced_ones_move() -> None:
    plan = draw("1", 60, 20)
    ways = {module.name: module.way for module in plan.modules}
    assert {act.module for act in plan.acts if act.kind == "add"} == set(ways)
    assert {ways[act.module] for act in plan.acts if act.kind in {"move", "rename"}} == {ANNOUNCES}
    assert PULLS in ways.values()


def test_the_automation_is_the_readmes_but_for_its_time_and_its_module() -> None:
    plan = ModulePlan(name="well-pump", number=3, way=ANNOUNCES, night="04:05:06")
    automation = nightly(plan, card_of(plan))
    text = json.dumps(automation)
    assert "update.well_pump_firmware" in text
    assert "garden_valve" not in text
    assert [trigger["at"] for trigger in automation["triggers"]] == ["04:05:06"]
    assert automation["alias"] == "night well-pump"


def store(config: Path, name: str, what: str, items: list[dict[str, object]]) -> None:
    folder = config / ".storage"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps({"data": {what: items}}))


def setup_on_disk(config: Path, *, password: str, name: str) -> None:
    entry = {"entry_id": "1", "options": {"rollback": "ask"}, "data": {"password": password}}
    store(config, "core.config_entries", "entries", [entry])
    device = {"config_entry_id": "1", "name_by_user": name, "area_id": "garden"}
    store(config, "core.device_registry", "devices", [device])
    entity = {"config_entry_id": "1", "unique_id": "x_firmware", "entity_id": "update.a"}
    store(config, "core.entity_registry", "entities", [entity])


def test_what_is_set_up_is_read_and_compared(tmp_path: Path) -> None:
    setup_on_disk(tmp_path, password="a", name="Valve")
    wanted = set_up(tmp_path, {"valve": "1"})
    assert list(differences(wanted, wanted)) == []
    setup_on_disk(tmp_path, password="b", name="Pump")
    found = set_up(tmp_path, {"valve": "1"})
    assert list(differences(wanted, found)) == [
        ("data password of valve", "a", "b"),
        ("device name_by_user of valve", "Valve", "Pump"),
    ]


def test_an_entry_that_is_gone_is_missed(tmp_path: Path) -> None:
    setup_on_disk(tmp_path, password="a", name="Valve")
    wanted = set_up(tmp_path, {"valve": "1"})
    assert list(differences(wanted, set_up(tmp_path, {"valve": "2"})))


CLOCK = """
import asyncio, os, time
from tests.months.clock import Clock, real_time
clock = Clock.begin(1_771_000_000.0, 20.0)
print(abs(time.time() - 1_771_000_000) < 60)
def passes(rate):
    begun, real = time.time(), real_time()
    asyncio.run(asyncio.sleep(rate / 10))
    return 0.8 < (time.time() - begun) / rate / (real_time() - real) < 1.2
print(passes(20))
clock.usual(1000)
print(passes(1000))
before = time.time()
with clock.slowly(50), clock.slowly(100):
    print(clock.rate == 50, time.time() > before, passes(50))
print(clock.rate == 1000)
kept = clock.hold(5)
clock.forget(os.getpid())
print(clock.rate == 1000)
"""


@pytest.mark.slow
@pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed; script/months does it")
def test_the_clock_goes_as_fast_as_is_wanted_and_never_back(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("+0 x1\n")
    settings = {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_DONT_RESET": "1",
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_TIMESTAMP_FILE": str(file),
    }
    told = subprocess.run(
        [sys.executable, "-c", CLOCK],
        env=os.environ | settings,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(told.stdout.split()) == {"True"}
    assert len(told.stdout.split()) == 8


def test_hours_are_those_of_the_wall_on_the_night_that_has_one_twice() -> None:
    plan = draw("1", 60, 20)
    for act in plan.acts:
        if act.kind == "release":
            at = plan.start.timestamp() + act.at
            assert 18 <= (at - _midnight(at)) / HOUR <= 21


def _midnight(at: float) -> float:
    moment = datetime.fromtimestamp(at, ZoneInfo(ZONE))
    return moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
