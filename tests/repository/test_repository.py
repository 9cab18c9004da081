"""What hassfest and the HACS action check, as far as it is known offline, and our own rules."""

import ast
import json
from pathlib import Path
import re
import subprocess
import tomllib

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from PIL import Image
import pytest

from tests.kit.places import INTEGRATION, ROOT
from tests.kit.source_code import FREE_COMPONENTS, imports, modules, read

MANIFEST_REQUIRED = {
    "domain",
    "name",
    "codeowners",
    "config_flow",
    "documentation",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "requirements",
    "version",
}
MANIFEST_OPTIONAL = {
    "after_dependencies",
    "dependencies",
    "dhcp",
    "loggers",
    "quality_scale",
    "zeroconf",
}
HACS_KEYS = {
    "name",
    "content_in_root",
    "country",
    "filename",
    "hacs",
    "hide_default_branch",
    "homeassistant",
    "persistent_directory",
    "render_readme",
    "zip_release",
}
QUALITY_RULES = set(
    """
    action-setup appropriate-polling brands common-modules config-flow config-flow-test-coverage
    dependency-transparency docs-actions docs-conditions docs-high-level-description
    docs-installation-instructions docs-removal-instructions docs-triggers entity-event-setup
    entity-unique-id has-entity-name runtime-data test-before-configure test-before-setup
    unique-config-entry

    action-exceptions config-entry-unloading docs-configuration-parameters
    docs-installation-parameters entity-unavailable integration-owner log-when-unavailable
    parallel-updates reauthentication-flow test-coverage

    devices diagnostics discovery discovery-update-info docs-data-update docs-examples
    docs-known-limitations docs-supported-devices docs-supported-functions docs-troubleshooting
    docs-use-cases dynamic-devices entity-category entity-device-class entity-disabled-by-default
    entity-translations exception-translations icon-translations reconfiguration-flow
    repair-issues stale-devices

    async-dependency inject-websession strict-typing
    """.split()  # noqa: SIM905 - 54 lines else
)

# The manifest


def test_the_manifest_has_what_a_custom_integration_needs_and_nothing_unknown() -> None:
    manifest = read("manifest.json")
    assert MANIFEST_REQUIRED - manifest.keys() == set()
    assert manifest.keys() - MANIFEST_REQUIRED - MANIFEST_OPTIONAL == set()


def test_the_manifest_is_sorted() -> None:
    keys = list(read("manifest.json"))
    assert keys == ["domain", "name", *sorted(keys[2:])]


def test_the_manifest_says_what_is_true() -> None:
    manifest = read("manifest.json")
    assert manifest["domain"] == INTEGRATION.name
    assert manifest["config_flow"] is True
    assert manifest["requirements"] == [], "everything that is needed comes with Home Assistant"
    assert manifest["iot_class"] in {"local_polling", "local_push"}
    assert manifest["integration_type"] in {"device", "hub", "service"}
    assert all(re.fullmatch(r"@[\w-]+", owner) for owner in manifest["codeowners"])
    for key in ("documentation", "issue_tracker"):
        assert manifest[key].startswith("https://")
        assert "home-assistant.io" not in manifest[key]
    AwesomeVersion(
        manifest["version"],
        ensure_strategy=[
            AwesomeVersionStrategy.CALVER,
            AwesomeVersionStrategy.SEMVER,
            AwesomeVersionStrategy.PEP440,
        ],
    )
    for matcher in manifest.get("zeroconf", []):
        kind = matcher if isinstance(matcher, str) else matcher["type"]
        assert kind.endswith("._tcp.local.")
        assert json.dumps(matcher) == json.dumps(matcher).lower()


@pytest.mark.slow
def test_the_manifest_names_the_components_that_are_imported() -> None:
    manifest = read("manifest.json")
    dependencies = set(manifest.get("dependencies", []))
    after = set(manifest.get("after_dependencies", []))
    assert not dependencies & after
    allowed = FREE_COMPONENTS | dependencies | after
    allowed |= {"zeroconf"} & manifest.keys()
    # A component may be imported by the file that is this integration's platform for it.
    allowed |= {path.stem for path in INTEGRATION.glob("*.py")}
    found = {
        (name, target.split(".")[2])
        for name, tree in modules().items()
        for target in imports(name, tree)
        if target.startswith("homeassistant.components.")
    }
    assert {(name, component) for name, component in found if component not in allowed} == set()


def test_the_config_flow_can_be_discovered() -> None:
    assert "async_set_unique_id" in (INTEGRATION / "config_flow.py").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_integration_can_only_be_set_up_from_the_ui() -> None:
    tree = modules()["__init__.py"]
    names = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    assert "CONFIG_SCHEMA" in names


# What HACS wants to find


def test_hacs_json_has_only_what_hacs_knows() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))
    assert "name" in hacs
    assert hacs.keys() - HACS_KEYS == set()


def test_the_minimum_of_hacs_json_is_the_one_that_is_tested() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    minimum = f"homeassistant=={hacs['homeassistant']}"
    assert minimum in project["dependency-groups"]["minimum"]
    assert minimum in (ROOT / "requirements/minimum.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md"])
def test_the_repository_has(name: str) -> None:
    assert (ROOT / name).stat().st_size > 100


def test_there_is_one_integration() -> None:
    folders = [
        path.name
        for path in INTEGRATION.parent.iterdir()
        if path.is_dir() and path.name != "__pycache__"
    ]
    assert folders == [INTEGRATION.name]


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_the_icon_has_its_size(name: str, size: int) -> None:
    with Image.open(INTEGRATION / "brand" / name) as image:
        assert (image.format, image.size) == ("PNG", (size, size))


@pytest.mark.parametrize(("name", "size"), [("logo.png", 128), ("logo@2x.png", 256)])
def test_the_logo_has_its_size(name: str, size: int) -> None:
    with Image.open(INTEGRATION / "brand" / name) as image:
        assert image.format == "PNG"
        assert size <= min(image.size) <= 2 * size


# Texts

# The quality scale


def test_every_rule_of_the_quality_scale_is_answered() -> None:
    rules = read("quality_scale.yaml")["rules"]
    assert rules.keys() == QUALITY_RULES
    for name, answer in rules.items():
        status = answer if isinstance(answer, str) else answer["status"]
        assert status in {"done", "todo", "exempt"}, name
        if status == "exempt":
            assert answer["comment"], name


# The repository


def tracked() -> list[Path]:
    """Return the files of the repository, those that are not yet committed as well."""
    names = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, text=True
    )
    paths = [ROOT / name for name in names.split("\0") if name]
    assert paths
    return [path for path in paths if path.is_file()]


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        str(path): lines
        for path in tracked()
        if path.suffix == ".py"
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


@pytest.mark.slow
def test_no_file_names_a_machine_or_a_registry() -> None:
    hosts = r"pypi\.org|pythonhosted\.org|debian\.org|npmjs\.(org|com)"
    homes = r"(?<![\w.~])/(root|home/\w+|Users/\w+)/"
    here = "|".join(re.escape(str(path)) for path in (ROOT, Path.home()) if len(path.parts) > 2)
    pattern = re.compile("|".join(filter(None, [hosts, homes, here])))
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path.suffix not in {".bin", ".gz", ".png"}
        and (match := pattern.search(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_nothing_refers_to_a_text_outside_the_repository() -> None:
    pattern = re.compile(r"\b(design|protocols|protocol notes) (§|\d)|protocol notes|\.\./shared\b")
    here = Path(__file__)
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path != here
        and path.suffix in {".md", ".py", ".sh", ".yaml", ".toml", ".json", ""}
        and (match := pattern.search(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_requirements_are_pinned_by_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8").replace("\\\n", "")
        packages = [line for line in text.splitlines() if line and not line.startswith("#")]
        assert packages
        assert all("==" in line and "--hash=sha256:" in line for line in packages), path.name
