"""What `script/test` says at its end."""

from pathlib import Path
import subprocess
import sys

from tests.kit.places import ROOT

_SUMMARY = ROOT / "script" / "summary.py"


def close(folder: Path, *steps: str, **logs: str) -> tuple[int, str]:
    """Close a run of these steps; return the exit code and what is printed."""
    lines = "".join("\t".join([*step.split(), "3", "\n"]) for step in steps)
    (folder / "steps").write_text(lines, "utf-8")
    for name, text in logs.items():
        (folder / f"{name}.log").write_text(text, "utf-8")
    command: list[str | Path] = [sys.executable, _SUMMARY, folder]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout


def report(folder: Path, name: str, **ends: str) -> None:
    """Write a report as pytest does."""
    bodies = {"passed": "", "failed": "<failure/>", "skipped": '<skipped message="no device"/>'}
    cases = [
        f'<testcase classname="tests.a" name="{test}">{bodies[end]}</testcase>'
        for test, end in ends.items()
    ]
    (folder / name).write_text(f"<testsuite>{''.join(cases)}</testsuite>", "utf-8")


def test_what_failed_is_said_again_at_the_end(tmp_path: Path) -> None:
    browser = "passed  a page opens\nFAILED  a card is pressed, line 3: x\nTimeout: 30 s\nmore\n"
    torture = "run 1\n  ! lost\n"
    steps = ("lint passed", "browser failed", "torture failed")
    code, said = close(tmp_path, *steps, browser=browser, torture=torture)
    assert code == 1
    assert "browser: FAILED  a card is pressed, line 3: x\nbrowser: Timeout: 30 s\n" in said
    assert "torture:   ! lost\n" in said
    assert "more" not in said
    assert said.endswith("1 passed, 2 failed\n")


def test_tests_are_counted_and_a_failing_one_fails_the_run(tmp_path: Path) -> None:
    report(tmp_path, "junit.xml", one="passed", two="failed", three="skipped")
    code, said = close(tmp_path, "lint passed", "unit failed")
    assert code == 1
    assert "skipped tests.a.three: no device\n" in said
    assert said.endswith("2 passed, 1 failed, 1 skipped\n")


def test_what_passes_by_itself_is_told_as_unsteady(tmp_path: Path) -> None:
    report(tmp_path, "junit.xml", one="passed", two="failed")
    report(tmp_path, "junit-again.xml", two="passed")
    code, said = close(tmp_path, "unit passed")
    assert code == 0
    assert "unsteady: tests.a.two\n" in said
    assert said.endswith("2 passed, 0 failed\n")


def test_what_fails_again_fails_the_run(tmp_path: Path) -> None:
    report(tmp_path, "junit.xml", one="failed", two="failed")
    report(tmp_path, "junit-again.xml", one="passed", two="failed")
    code, said = close(tmp_path, "unit failed")
    assert code == 1
    assert "unsteady: tests.a.one\n" in said
    assert said.endswith("1 passed, 1 failed\n")


def test_pytest_that_failed_without_a_failing_test_fails_the_run(tmp_path: Path) -> None:
    code, said = close(tmp_path, "unit failed")
    assert code == 1
    assert said.endswith("0 passed, 1 failed\n")
