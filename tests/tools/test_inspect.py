"""`script/inspect` is run as a person runs it, with Python alone and no Home Assistant."""

import gzip
import hashlib
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from tests.corpus.filesystems import littlefs, spiffs
from tests.kit.places import ROOT
from tests.virtual_module import build_image

SCRIPT = ROOT / "script"
KEYS = ["file", "kind", "chip", "size", "md5", "sha256", "firmware", "version", "problems"]


def inspect(*files: Path | str) -> tuple[list[dict[str, Any]], int]:
    """Run it where no package is installed; return its lines and its exit code."""
    command = [sys.executable, "-I", "-S", str(SCRIPT / "inspect_files.py"), *map(str, files)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.stderr == ""
    return [json.loads(line) for line in run.stdout.splitlines()], run.returncode


def test_a_sketch_is_described(tmp_path: Path) -> None:
    data = build_image("esp32c3", name="garden-valve", version="1.2.0")
    path = tmp_path / "sketch.bin"
    path.write_bytes(data)
    facts, code = inspect(path)
    assert code == 0
    assert facts == [
        {
            "file": str(path),
            "kind": "sketch",
            "chip": "esp32c3",
            "size": len(data),
            "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "firmware": "garden-valve",
            "version": "1.2.0",
            "problems": [],
        }
    ]
    assert list(facts[0]) == KEYS


@pytest.mark.slow
def test_every_file_has_its_line_and_one_bad_one_decides(tmp_path: Path) -> None:
    files = {
        "good-1.0.0.bin": build_image("esp8266", marker=False),
        "packed-v1.0.bin.gz": gzip.compress(build_image("esp8266", marker=False)),
        "nameless.bin": build_image("rp2040", marker=False),
        "page.bin": b"<html>404</html>",
        "short.bin": build_image("esp32")[:-1],
        "files.bin": littlefs(),
        "empty.bin": b"",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    facts, code = inspect(*(tmp_path / name for name in files), tmp_path / "gone.bin", tmp_path)
    assert code == 1
    assert [
        (Path(item["file"]).name, item["firmware"], item["version"], item["problems"])
        for item in facts
    ] == [
        ("good-1.0.0.bin", "good", "1.0.0", []),
        ("packed-v1.0.bin.gz", "packed", "1.0", []),
        ("nameless.bin", None, None, []),
        ("page.bin", None, None, ["html_page"]),
        ("short.bin", None, None, ["truncated_image"]),
        ("files.bin", None, None, ["filesystem_image"]),
        ("empty.bin", None, None, ["empty_file"]),
        ("gone.bin", None, None, ["unreadable_file"]),
        (tmp_path.name, None, None, ["unreadable_file"]),
    ]
    assert [item["size"] for item in facts] == [*map(len, files.values()), None, None]
    assert facts[5]["kind"] == "filesystem"
    assert inspect(*(tmp_path / name for name in list(files)[:3]))[1] == 0


@pytest.mark.slow
def test_a_sidecar_names_the_firmware_or_is_itself_the_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(build_image("esp8266"))
    sidecar = tmp_path / "a.bin.json"
    sidecar.write_text('{"firmware": "pump", "version": "7"}', encoding="utf-8")
    facts, code = inspect(path)
    assert (facts[0]["firmware"], facts[0]["version"], code) == ("pump", "7", 0)
    sidecar.write_text("[]", encoding="utf-8")
    facts, code = inspect(path)
    assert (facts[0]["problems"], code) == (["sidecar_invalid"], 1)


@pytest.mark.slow
def test_a_file_larger_than_any_flash_still_has_a_size_and_a_digest(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    facts, code = inspect(path)
    assert (facts[0]["problems"], facts[0]["size"], code) == (["oversized_file"], 33 << 20, 1)
    assert facts[0]["sha256"] == hashlib.sha256(bytes(33 << 20)).hexdigest()


@pytest.mark.slow
def test_the_file_name_can_say_that_it_is_a_filesystem(tmp_path: Path) -> None:
    path = tmp_path / "garden-1.0.spiffs.bin"
    path.write_bytes(spiffs(files=()))
    facts, code = inspect(path)
    assert (facts[0]["kind"], facts[0]["problems"], code) == ("filesystem", ["filesystem_image"], 1)
    path.write_bytes(build_image("esp32"))
    assert inspect(path)[0][0]["problems"] == ["kind_mismatch"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.bin"
    path.touch(mode=0)
    assert inspect(path)[0][0]["problems"] == ["unreadable_file"]


@pytest.mark.slow
def test_the_script_finds_its_python_and_the_files_of_whoever_calls_it(tmp_path: Path) -> None:
    (tmp_path / "a-1.0.bin").write_bytes(build_image("esp8266"))
    run = subprocess.run(
        [str(SCRIPT / "inspect"), "a-1.0.bin"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, json.loads(run.stdout)["file"]) == (0, "a-1.0.bin")


def test_no_file_is_a_mistake() -> None:
    run = subprocess.run(
        [str(SCRIPT / "inspect")], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 2
    assert "Usage: script/inspect FILE..." in run.stdout
