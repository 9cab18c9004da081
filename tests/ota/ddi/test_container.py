"""Containers of SWUpdate: what is in one comes out, and everything else is refused."""

from collections.abc import Mapping
import hashlib
import importlib.util
from pathlib import Path
import random
import subprocess
import sys
from typing import Any

import pytest

from custom_components.esp_ota.ota import SourceError, is_container, unpack
from custom_components.esp_ota.ota.ddi.libconfig import parse_libconfig
from tests.kit.entries import firmware
from tests.kit.places import ROOT

SCRIPT = ROOT / "script" / "make_swu.py"
IMAGE = firmware("1.1.0")
SUM = hashlib.sha256(IMAGE).hexdigest()
DESCRIPTION = f"""
software = {{
  version = "1.1.0"; // a comment
  # another one
  esp8266: {{ hardware-compatibility = [ "default" ];
    images = ( {{ filename = "valve.bin"; sha256 = "{SUM[:10]}" "{SUM[10:]}"; }} ); }};
}};
"""


def _container(files: list[tuple[str, bytes]]) -> bytes:
    spec = importlib.util.spec_from_file_location("cpio", SCRIPT.with_name("cpio.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    packed: bytes = module.container(files)
    return packed


def swu(description: str = DESCRIPTION, *more: tuple[str, bytes]) -> bytes:
    files = [("sw-description", description.encode()), *(more or [("valve.bin", IMAGE)])]
    return _container(files)


def detail_of(data: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        unpack(data)
    return caught.value.facts.get("detail", str(caught.value.cause))


def test_the_image_comes_out_as_it_went_in() -> None:
    data = swu()
    assert is_container(data)
    assert unpack(data) == [("valve.bin", IMAGE)]


def test_what_no_description_names_is_left_in() -> None:
    data = swu(DESCRIPTION, ("sw-description.sig", b"x"), ("other", b"y"), ("valve.bin", IMAGE))
    assert [name for name, _ in unpack(data)] == ["valve.bin"]


def test_a_description_without_images_means_all() -> None:
    data = swu('software = { version = "1"; };', ("sw-description.sig", b"x"), ("a.bin", IMAGE))
    assert unpack(data) == [("a.bin", IMAGE)]


def test_a_description_may_be_json() -> None:
    text = '{"software": {"version": "1.1.0", "images": [{"filename": "valve.bin"}]}}'
    assert unpack(swu(text)) == [("valve.bin", IMAGE)]


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (swu()[:200], "archive_cut"),
        (swu()[:-300], "archive_cut"),
        (b"070701" + b"z" * 200, "archive_cut"),
        (b"hsqs" + bytes(100), "rauc_bundle"),
        (_container([("valve.bin", IMAGE), ("sw-description", b"")]), "description_not_first"),
        (_container([]), "description_not_first"),
        (swu(DESCRIPTION, ("other.bin", IMAGE)), "entry_missing"),
        (swu(DESCRIPTION, ("valve.bin", IMAGE + b"x")), "checksum_mismatch"),
        (swu(DESCRIPTION.replace(SUM[:10], "")), "entry_sum"),
        (swu("software = {"), "description_unreadable"),
        (swu("software = " + "{ a = " * 40), "description_unreadable"),
        (swu("[" * 9000), "description_unreadable"),
        (swu('{"a":' * 5000), "description_unreadable"),
        (swu('{"a":' * 5000 + "1" + "}" * 5000), "description_unreadable"),
        (swu('{"a":' * 40 + '{"filename": "valve.bin"}' + "}" * 40), "description_unreadable"),
        (swu('{"a":' + "[" * 9000 + "]" * 9000 + "}"), "description_unreadable"),
        (swu("x" * 70_000), "description_too_long"),
        (swu(DESCRIPTION.replace("filename", "compressed = true; filename")), "entry_packed"),
        (swu('software = { version = "1"; };', ("sw-description.sig", b"")), "no_image"),
        (swu(DESCRIPTION, ("valve.bin", IMAGE), ("valve.bin", IMAGE)), "entry_twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_container_is_refused_with_its_reason(data: bytes, detail: str) -> None:
    assert detail in detail_of(data)


def test_a_wrong_sum_of_the_archive_is_seen() -> None:
    data = bytearray(swu().replace(b"070701", b"070702"))
    assert "entry_damaged" in detail_of(bytes(data))


def test_no_bytes_break_it() -> None:
    rng, whole = random.Random(14), swu()
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(700)] = rng.randrange(256)
        try:
            unpack(bytes(data[: rng.randint(6, len(data))]))
        except SourceError:
            continue


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a = 1;", {"a": 1}),
        ("a: 0x10L, b = -2.5; c = TRUE", {"a": 16, "b": -2.5, "c": True}),
        ('a = [ "x", "y" ]; b = ( { c = 1; }, 2 );', {"a": ["x", "y"], "b": [{"c": 1}, 2]}),
        (r'a = "q\"\n\\";', {"a": 'q"\n\\'}),
        ("/* x = 1; */ a = 2;", {"a": 2}),
        ("", {}),
    ],
)
def test_descriptions_are_read(text: str, found: Mapping[str, Any]) -> None:
    assert parse_libconfig(text) == found


@pytest.mark.parametrize("text", ["a", "a =", "a = ;", "= 1", "a = (1", 'a = "x', "a = b;", "%"])
def test_what_is_no_description_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_libconfig(text)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(SCRIPT), *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_person_packs_sketches_of_two_chips(tmp_path: Path) -> None:
    for chip in ("esp8266", "esp32c3"):
        (tmp_path / f"valve-{chip}.bin").write_bytes(firmware("1.1.0", chip))
    run = make(tmp_path, "valve-esp8266.bin", "valve-esp32c3.bin")
    assert run.stdout == "garden-valve-1.1.0.swu\n"
    data = (tmp_path / "garden-valve-1.1.0.swu").read_bytes()
    assert [name for name, _ in unpack(data)] == ["valve-esp32c3.bin", "valve-esp8266.bin"]


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (b"<html>", [], "html_page"),
        (firmware("1.1.0"), ["--version"], "expected one argument"),
        (firmware("1.1.0")[:1000], [], "truncated_image"),
    ],
    ids=["a page", "no version", "half an image"],
)
def test_a_person_is_told_what_cannot_be_packed(
    tmp_path: Path, content: bytes, arguments: list[str], said: str
) -> None:
    (tmp_path / "valve.bin").write_bytes(content)
    run = make(tmp_path, "valve.bin", *arguments)
    assert run.returncode != 0
    assert said in run.stderr
    assert not list(tmp_path.glob("*.swu"))
