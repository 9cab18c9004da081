"""Each page of the documentation: its links lead somewhere, and what it shows can be used."""

import configparser
from itertools import dropwhile
import json
from pathlib import Path
import re
import shlex
import subprocess

import pytest
import voluptuous as vol
import yaml

from tests.kit.docs import DOCS, PAGES, Block, anchors, blocks, links, prose
from tests.kit.places import ROOT
from tests.kit.sketches import SKETCHES
from tests.kit.source_code import read

LANGUAGES = {"cpp", "ini", "json", "sh", "text", "yaml"}
CHECKED = re.compile(
    r"^\*Checked for ESP OTA (\S+) with Home Assistant 2026\.10 and 2026\.11\.\*$", re.MULTILINE
)
CONFIGURE = re.compile(r"Configure\*{0,2} → \*{0,2}([^*→]+?)(?=\*| →)")
"""What is pressed behind *Configure*."""
SCREENS = 2 * 55
"""Lines of two screens."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


def test_each_picture_is_shown() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    pictures = set((DOCS / "images").iterdir())
    assert {path.name for path in pictures - shown} == set(), "show it, or let nobody take it"


@pytest.mark.parametrize("page", DOCS.glob("*.md"), ids=lambda page: page.name)
def test_a_page_says_for_which_version_it_was_checked(page: Path) -> None:
    found = CHECKED.search(page.read_text(encoding="utf-8"))
    assert found is not None
    assert found[1] == read("manifest.json")["version"], "read it once more, and try what it shows"


def test_the_readme_is_a_door() -> None:
    readme = ROOT / "README.md"
    assert len(readme.read_text(encoding="utf-8").splitlines()) <= SCREENS
    reached = {(readme.parent / link.partition("#")[0]).resolve() for link in links(readme)}
    missing = {page.name for page in DOCS.glob("*.md")} - {page.name for page in reached}
    assert missing == set(), "a page that nobody finds"


def test_the_page_of_the_demo_has_each_scenario() -> None:
    sources = (ROOT / "tests" / "e2e").glob("scenarios_*.py")
    name = re.compile(r'^    name = "([a-z-]+)"$', re.MULTILINE)
    names = {found for path in sources for found in name.findall(path.read_text(encoding="utf-8"))}
    page = (DOCS / "demo.md").read_text(encoding="utf-8")
    assert {"push", "window"} <= names
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_the_address_of_the_repository_is_that_of_the_manifest() -> None:
    address = read("manifest.json")["documentation"]
    assert f"`{address}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_blocks_are_in_languages_that_are_tested() -> None:
    for page in PAGES:
        found = re.findall(r"^ *```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(found[::2]) <= LANGUAGES, page.name
        assert set(found[1::2]) <= {""}, page.name


@pytest.mark.parametrize("block", blocks("json"), ids=lambda block: block.id)
def test_json_is_json(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", blocks("ini"), ids=lambda block: block.id)
def test_ini_is_read_as_platformio_reads_it(block: Block) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(block.text)
    assert parser.sections()


@pytest.mark.parametrize("block", blocks("cpp"), ids=lambda block: block.id)
def test_code_is_that_of_a_sketch(block: Block) -> None:
    """The sketches are compiled and run by `test_sketches.py`."""
    sources = [*SKETCHES.glob("*.h"), *SKETCHES.glob("*/*.ino")]
    known = {
        line.partition("  //")[0].strip()
        for path in sources
        for line in path.read_text().splitlines()
    }
    added = re.compile(r'MDNS\.addServiceTxt\("arduino", "tcp", (".*)\)')
    lines = [
        added.sub(r"txt(\1)", line.partition("  //")[0].strip()) for line in block.text.splitlines()
    ]
    assert [line for line in lines if line not in known] == []


def commands(block: Block) -> list[list[str]]:
    """Return the commands of a block, as a shell splits them."""
    text = block.text.replace("\\\n", " ")
    return [words for line in text.splitlines() if (words := shlex.split(line, comments=True))]


@pytest.mark.parametrize("block", blocks("sh"), ids=lambda block: block.id)
def test_commands_are_there_with_their_options(block: Block) -> None:
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
    for line in commands(block):
        words = list(dropwhile(re.compile(r"[A-Z_]+=").match, line))
        if not words[0].startswith(("script/", "docs/")):
            assert words[0] in {"./arduino-cli-upload", "curl", "export", "git", "pio"}, words
            continue
        source = (ROOT / words[0]).read_text(encoding="utf-8")
        for option in (word.partition("=")[0] for word in words if word.startswith("--")):
            if option != "--":
                assert option in source or option in _help(words[0]), words


def _help(script: str) -> str:
    ran = subprocess.run(
        [ROOT / script, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return ran.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_that_are_named_are_there(page: Path) -> None:
    for script in re.findall(r"`(script/[a-z_.-]+)", prose(page)):
        assert (ROOT / script).exists(), script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_behind_configure_is_called_as_the_menu_calls_it(page: Path) -> None:
    menu = read("translations/en.json")["options"]["step"]["init"]["menu_options"].values()
    said = CONFIGURE.findall(" ".join(prose(page).split()))
    assert [name for name in said if name not in menu] == []


def test_yaml_is_yaml() -> None:
    for block in blocks("yaml"):
        assert isinstance(yaml.safe_load(block.text), (dict, list)), block.id


def test_composed_containers_open_the_call_back_port() -> None:
    found = [yaml.safe_load(block.text) for block in blocks("yaml") if "services:" in block.text]
    host, bridge = [config["services"]["homeassistant"] for config in found]
    assert host["network_mode"] == "host"
    schema = vol.Schema([vol.Match(r"(\d+):\1$")])
    assert schema(bridge["ports"]) == ["8123:8123", "40123:40123"]
