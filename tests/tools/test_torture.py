"""A short run of `script/torture`; docs/reliability.md has the long one, script/test a real one."""

import subprocess
import sys

import pytest

from tests.torture.torture_garden.points import NEEDS, POINTS


def torture(*arguments: str) -> str:
    """Run it as the script does; return what it printed, which must end without a violation."""
    command = [sys.executable, "-m", "tests.torture", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_there_are_more_than_thirty_named_points() -> None:
    assert len(torture("--list").splitlines()) == len(POINTS) >= 30
    assert set(NEEDS) <= set(POINTS)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_named_point_is_come_to() -> None:
    said = torture("--tour")
    assert "violations 0" in said
    assert "never reached" not in said


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_few_houses_keep_all_rules() -> None:
    assert "violations 0" in torture("--runs", "18", "--seed", "short", "--workers", "2")
