"""What `script/test` says at its end."""

from pathlib import Path
import subprocess
import sys

from tests.kit.places import ROOT

_SUMMARY = ROOT / "script" / "summary.py"


def close(folder: Path, steps: list[tuple[str, str]], **logs: str) -> tuple[int, str]:
    """Close a run of these steps; return the exit code and what is printed."""
    lines = "".join(f"{name}\t{result}\t3\t\n" for name, result in steps)
    (folder / "steps").write_text(lines, "utf-8")
    for name, text in logs.items():
        (folder / f"{name}.log").write_text(text, "utf-8")
    command: list[str | Path] = [sys.executable, _SUMMARY, folder / "steps", folder / "junit.xml"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout


def test_what_failed_is_said_again_at_the_end(tmp_path: Path) -> None:
    browser = "passed  a page opens\nFAILED  a card is pressed, line 3: x\nTimeout: 30 s\nmore\n"
    steps = [("lint", "passed"), ("browser", "failed"), ("torture", "failed")]
    code, said = close(
        tmp_path, steps, browser=browser, torture="run 1\n  ! lost\n", lint="FAILED no"
    )
    assert code == 1
    assert "browser: FAILED  a card is pressed, line 3: x\nbrowser: Timeout: 30 s\n" in said
    assert "torture:   ! lost\n" in said
    assert "more" not in said
    assert "FAILED n" not in said
    assert said.endswith("1 passed, 2 failed\n")


def test_a_good_run_says_nothing_more(tmp_path: Path) -> None:
    code, said = close(tmp_path, [("lint", "passed"), ("unit", "passed")], unit="FAILED x\n")
    assert code == 0
    assert "FAILED" not in said
    assert said.endswith("1 passed, 0 failed\n")
