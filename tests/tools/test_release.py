"""`script/release`: one version in one place, a zip of exactly what git has, and nothing by chance.

What the zip does in a Home Assistant is checked by `script/check-zip`.
"""

import json
from pathlib import Path
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.kit.places import INTEGRATION, ROOT

pytestmark = pytest.mark.slow
NAME = "custom_components/esp_ota"


def git(tree: Path, *arguments: str) -> str:
    me = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    run = subprocess.run(
        ["git", *me, *arguments], cwd=tree, check=True, capture_output=True, text=True
    )
    return run.stdout.strip()


def release(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "script/make_release.py", *arguments],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a repository of its own with what a release is made of."""
    tree = tmp_path / "tree"
    shutil.copytree(INTEGRATION, tree / NAME, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "script").mkdir()
    shutil.copy(ROOT / "script" / "make_release.py", tree / "script")
    shutil.copy(ROOT / ".gitignore", tree)
    log = "# Changes\n\n## Unreleased\n\n- Close the valve.\n- Open it.\n\n## 0.0.1\n\n- Begin.\n"
    (tree / "CHANGELOG.md").write_text(log)
    git(tree, "init", "-q")
    git(tree, "config", "user.name", "A")
    git(tree, "config", "user.email", "a@example.org")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "Begin")
    return tree


def version_in(tree: Path) -> str:
    return str(json.loads((tree / NAME / "manifest.json").read_text())["version"])


def test_a_dry_run_builds_the_zip_and_changes_nothing(tree: Path) -> None:
    before = git(tree, "rev-parse", "HEAD")
    run = release(tree, "--dry-run", "9.1.0")
    assert run.returncode == 0, run.stderr
    assert "9.1.0, 2 lines" in run.stdout
    assert (git(tree, "rev-parse", "HEAD"), git(tree, "tag"), git(tree, "status", "-s")) == (
        before,
        "",
        "",
    )
    with zipfile.ZipFile(tree / "dist" / "esp_ota.zip") as archive:
        assert json.loads(archive.read("manifest.json"))["domain"] == "esp_ota"


def test_a_release_is_a_commit_a_tag_and_a_dated_heading(tree: Path) -> None:
    run = release(tree, "9.1.0")
    assert run.returncode == 0, run.stderr
    assert version_in(tree) == "9.1.0"
    assert git(tree, "tag") == "9.1.0"
    assert git(tree, "show", "-s", "--format=%s", "HEAD") == "Release 9.1.0"
    assert git(tree, "status", "-s") == ""
    log = (tree / "CHANGELOG.md").read_text()
    assert re.search(r"## Unreleased\n\n## 9\.1\.0, \d{4}-\d\d-\d\d\n\n- Close the valve\.", log)
    assert "Close the valve." in git(tree, "tag", "-l", "--format=%(contents)", "9.1.0")


def test_a_second_release_of_one_version_and_one_without_news_are_refused(tree: Path) -> None:
    assert release(tree, "9.1.0").returncode == 0
    assert "nothing under Unreleased" in release(tree, "9.2.0").stderr
    assert "not newer" in release(tree, "9.1.0").stderr


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("v9.1.0", "no version"),
        ("9.1", "no version"),
        ("9.01.0", "no version"),
        ("0.0.9", "not newer"),
        ("0.1.0b1", "not newer"),
    ],
)
def test_what_is_no_next_version_is_refused(tree: Path, version: str, why: str) -> None:
    run = release(tree, version)
    assert run.returncode != 0
    assert why in run.stderr
    assert git(tree, "tag") == ""


def test_what_is_not_committed_is_in_no_release(tree: Path) -> None:
    (tree / NAME / "new.py").write_text("")
    assert "not committed" in release(tree, "9.1.0").stderr


def test_the_zip_has_exactly_what_git_has_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    listed = git(ROOT, "ls-files", "-co", "--exclude-standard", NAME).splitlines()
    expected = {name.removeprefix(f"{NAME}/") for name in listed if (ROOT / name).is_file()}
    for name in ("a.zip", "b.zip"):
        assert release(ROOT, "--zip", str(tmp_path / name)).returncode == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert set(archive.namelist()) == expected
        assert archive.testzip() is None
        unpacked = sum(item.file_size for item in archive.infolist())
    assert {"manifest.json", "brand/icon.png", "translations/en.json", "services.yaml"} <= expected
    assert not [name for name in expected if name.endswith((".pyc", "~")) or "/." in name]
    assert (tmp_path / "a.zip").stat().st_size < unpacked < 100 * 1024 * 1024, "of Marketplace"
    assert len(expected) < 50_000


def test_the_version_is_in_one_place() -> None:
    version = re.escape(version_in(ROOT))
    listed = git(ROOT, "ls-files", "-co", "--exclude-standard", NAME).splitlines()
    found = [
        name
        for name in listed
        if name.endswith((".py", ".json", ".js", ".yaml"))
        and re.search(rf"version\W+{version}\b", (ROOT / name).read_text(encoding="utf-8"))
    ]
    assert found == [f"{NAME}/manifest.json"]
