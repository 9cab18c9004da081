"""Every bad file is refused with the right slug, and no good one is."""

import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from tests.corpus import BAD, GOOD, cases
from tests.kit.places import ROOT


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Write the corpus and let `script/inspect` look at all of it."""
    folder = tmp_path_factory.mktemp("corpus")
    subprocess.run([sys.executable, "-m", "tests.corpus", str(folder)], cwd=ROOT, check=True)
    files = sorted(path for path in folder.iterdir() if path.name != "expected.json")
    run = subprocess.run(
        [sys.executable, str(ROOT / "script" / "inspect_files.py"), *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (1, "")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {Path(line["file"]).name: line for line in lines}


def test_the_corpus_is_large_and_its_names_differ() -> None:
    assert len(BAD) >= 60
    assert len(GOOD) >= 60
    assert len({case.file for case in cases()}) == len(cases())


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_a_bad_file_is_refused_by_its_name(case: Any, inspected: dict[str, Any]) -> None:
    found = inspected[case.file]
    assert (found["problems"], found["kind"]) == ([case.problem], None)


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_good_file_is_not(case: Any, inspected: dict[str, Any]) -> None:
    found = inspected[case.file]
    assert (found["kind"], found["chip"]) == (case.kind, case.chip)
    assert found["problems"] == ([] if case.kind == "sketch" else ["filesystem_image"])


@pytest.mark.slow
def test_the_corpus_is_the_same_each_time() -> None:
    for case in cases():
        assert case.make() == case.make(), case.name
