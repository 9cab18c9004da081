"""A short run of `script/torture`; the whole is in docs/reliability.md, a real one in script/test."""

import pytest

from .torture.__main__ import main
from .torture.torture_garden.points import NEEDS, POINTS


def test_there_are_more_than_thirty_named_points(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(POINTS) >= 30
    assert set(NEEDS) <= set(POINTS)


@pytest.mark.slow
def test_every_named_point_is_come_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tour"]) == 0, capsys.readouterr().out
    assert "never reached" not in capsys.readouterr().out


@pytest.mark.slow
def test_a_few_houses_keep_all_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--runs", "48", "--seed", "short", "--workers", "3"]) == 0, capsys.readouterr().out
    assert "violations 0" in capsys.readouterr().out
