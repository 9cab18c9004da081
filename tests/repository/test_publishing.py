"""What HACS, Marketplace and hassfest refuse, as far as it can be known without them.

`.github/workflows/validate.yml` calls the real ones each night.
"""

import json
import re
from typing import Any, Final

import pytest
import yaml

from homeassistant.helpers.selector import validate_selector
from tests.kit.places import INTEGRATION, ROOT
from tests.kit.source_code import read
from tests.repository.test_texts import LANGUAGES, forms

FLOW: Final = {"flow_title", "step", "error", "abort", "progress", "create_entry"}
SUBENTRY: Final = FLOW | {"entry_type", "initiate_flow"}
STEP: Final = {
    "title",
    "description",
    "data",
    "data_description",
    "sections",
    "menu_options",
    "menu_option_descriptions",
    "submit",
}
SECTION: Final = {"name", "description", "data", "data_description"}
TOP: Final = {
    "title",
    "common",
    "config",
    "options",
    "config_subentries",
    "config_panel",
    "device",
    "device_automation",
    "entity",
    "entity_component",
    "exceptions",
    "issues",
    "selector",
    "services",
    "system_health",
}


def hacs() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))
    return content


# HACS and Marketplace


def test_what_hacs_downloads_is_named() -> None:
    assert hacs()["zip_release"] is True
    assert hacs()["filename"] == "esp_ota.zip"
    workflow = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert f"dist/{hacs()['filename']}" in workflow
    assert "script/check-zip" in workflow


def test_the_license_is_one_that_is_recognised() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


def test_the_workflows_call_the_real_checks_pinned() -> None:
    folder = ROOT / ".github" / "workflows"
    validate = (folder / "validate.yml").read_text(encoding="utf-8")
    assert re.search(r"home-assistant/actions/hassfest@[0-9a-f]{40}", validate)
    assert re.search(r"hacs/action@[0-9a-f]{40}\b.*\n\s+with:\n\s+category: integration", validate)
    assert "ignore" not in validate
    for path in folder.glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}, path.name
        for name, job in workflow["jobs"].items():
            assert job["timeout-minutes"] <= 60, name
            for step in job["steps"]:
                assert re.search(r"@[0-9a-f]{40}$", step.get("uses", "@" + 40 * "0")), name


# hassfest


def of_flows(texts: dict[str, Any]) -> list[tuple[str, dict[str, Any], set[str]]]:
    flows = [(name, texts[name], FLOW) for name in ("config", "options")]
    flows += [(name, item, SUBENTRY) for name, item in texts["config_subentries"].items()]
    fixes = texts["issues"].items()
    flows += [(name, item["fix_flow"], FLOW) for name, item in fixes if "fix_flow" in item]
    return flows


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_translations_have_only_keys_that_are_known(path: Any) -> None:
    texts = read(f"translations/{path.name}")
    assert texts.keys() <= TOP
    for name, flow, known in of_flows(texts):
        assert flow.keys() <= known, name
        for step, content in flow["step"].items():
            assert content.keys() <= STEP, f"{name} {step}"
            described = content.get("menu_option_descriptions", {}).keys()
            assert described <= content.get("menu_options", {}).keys(), f"{name} {step}"
            for section, part in content.get("sections", {}).items():
                assert part.keys() <= SECTION, f"{name} {step} {section}"
                assert part["name"]
    for key, issue in texts["issues"].items():
        assert issue.keys() <= {"title", "description", "fix_flow"}, key
    for key, exception in texts["exceptions"].items():
        assert exception.keys() == {"message"}, key
    for key, action in texts["services"].items():
        assert action.keys() <= {"name", "description", "fields", "sections"}, key


def test_no_step_is_called_like_the_integration() -> None:
    brand = read("manifest.json")["name"]
    for place, form in forms(read("translations/en.json")):
        assert form.get("title") != brand, place


def test_every_menu_says_what_its_lines_do() -> None:
    """But for those of two words that a description would only repeat."""
    plain = {"options::added", "options::known"}
    texts = read("translations/en.json")
    for name, flow, _ in of_flows(texts)[:2]:
        for step, content in flow["step"].items():
            if "menu_options" in content and f"{name}::{step}" not in plain:
                described = content.get("menu_option_descriptions", {})
                assert described.keys() == content["menu_options"].keys(), step


def test_actions_have_selectors_that_home_assistant_knows() -> None:
    for name, action in read("services.yaml").items():
        assert (action or {}).keys() <= {"target", "fields", "description_placeholders"}, name
        fields = dict((action or {}).get("fields") or {})
        for section in [key for key, field in fields.items() if "fields" in field]:
            fields |= fields.pop(section)["fields"]
        for field, content in fields.items():
            assert content.keys() <= {
                "required",
                "default",
                "example",
                "selector",
                "filter",
                "advanced",
            }, f"{name} {field}"
            validate_selector(content["selector"])


def test_the_manifest_is_of_a_custom_integration() -> None:
    manifest = read("manifest.json")
    assert re.fullmatch(r"[a-z0-9_]+", manifest["domain"])
    assert "quality_scale" not in manifest, "nobody grades a custom one; the file says where it is"
    assert (INTEGRATION / "config_flow.py").exists()
    assert not (INTEGRATION / "strings.json").exists(), "custom ones have translations alone"
