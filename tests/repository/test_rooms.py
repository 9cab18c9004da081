"""Who may import whom: each room says it once, and nobody goes past its front door."""

import subprocess
import sys

import pytest

from homeassistant.const import Platform
from tests.kit.places import INTEGRATION
from tests.kit.source_code import imports, modules

# Who may import whom: one question sorts every file, "would this be true without Home Assistant?"


def graph() -> dict[str, set[str]]:
    """Return what each file imports: dotted names, those of the integration with a leading dot."""
    return {
        "." + name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): set(
            imports(name, tree)
        )
        for name, tree in modules().items()
    }


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


def forbidden(room: str, *, allowed: set[str], own: str = ".") -> list[str]:
    """Return the imports that files of a room make beyond what is allowed, among a part's files."""
    return [
        f"{name} imports {target}"
        for name, targets in graph().items()
        if within(name, room)
        for target in targets
        if target.startswith(own) and not any(within(target, other) for other in allowed)
    ]


def test_ota_knows_nothing_of_home_assistant_nor_of_disks() -> None:
    outside = set(sys.stdlib_module_names) - {"pathlib", "shutil", "tempfile"} | {"aiohttp", "yarl"}
    outside.add("cryptography")  # comes with Home Assistant too
    strangers = [
        f"{name} imports {target}"
        for name, targets in graph().items()
        if within(name, ".ota")
        for target in targets
        if not within(target, ".ota") and target.split(".")[0] not in outside
    ]
    assert strangers == []


def test_ota_can_be_imported_without_home_assistant() -> None:
    program = """
import importlib, pkgutil, sys, types
for name in ("homeassistant", "voluptuous", "probatio", "zeroconf"):
    sys.modules[name] = None
package = types.ModuleType("esp_ota")
package.__path__ = [sys.argv[1]]
sys.modules["esp_ota"] = package
ota = importlib.import_module("esp_ota.ota")
for module in pkgutil.walk_packages(ota.__path__, "esp_ota.ota."):
    importlib.import_module(module.name)
    print(module.name)
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(INTEGRATION)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "esp_ota.ota.transport" in run.stdout


def test_the_rest_uses_only_the_public_names_of_ota() -> None:
    inner = [
        f"{name} imports {target}"
        for name, targets in graph().items()
        if not within(name, ".ota")
        for target in targets
        if target.startswith(".ota.")
    ]
    assert inner == []


@pytest.mark.parametrize(
    ("file", "allowed"),
    [
        (".ota.causes", set()),
        (".ota.models", set()),
        (".ota.exceptions", {".ota.models"}),
        (".ota.image", {".ota.models", ".ota.exceptions", ".ota.image"}),
        (".ota.discovery", {".ota.models", ".ota.exceptions"}),
        (".ota.packing", {".ota.models", ".ota.exceptions"}),
        (".ota.checks", {".ota.models", ".ota.exceptions", ".ota.packing"}),
        (".ota.gate", {".ota.models", ".ota.exceptions", ".ota.checks"}),
    ],
)
def test_facts_come_before_decisions(file: str, allowed: set[str]) -> None:
    everybodys = {".ota.causes"} if file != ".ota.causes" else set()
    assert forbidden(file, allowed=allowed | everybodys) == []


def test_a_transport_only_knows_how_to_send() -> None:
    mine = {name for name in graph() if name.startswith(".ota.transport._")}
    allowed = {
        ".ota.causes",
        ".ota.models",
        ".ota.exceptions",
        ".ota.datagram",
        ".ota.pull_request",
    } | mine
    allowed |= {".ota.diagnosis"}
    found = [
        problem
        for problem in forbidden(".ota.transport", allowed=allowed)
        # The package itself is what all of them are.
        if not problem.partition(" imports ")[2].startswith(".ota.transport")
        or problem.partition(" imports ")[2].count(".") > 3
    ]
    assert found == []


def test_only_the_front_door_names_a_transport() -> None:
    concrete = {
        name
        for name in graph()
        if name.startswith(".ota.transport.") and not name.startswith(".ota.transport._")
    }
    assert concrete
    users = {name for name, targets in graph().items() if targets & concrete}
    assert users <= {".ota"}


def test_private_files_stay_in_their_folder() -> None:
    found = [
        f"{name} imports {target}"
        for name, targets in graph().items()
        for target in targets
        if target.startswith(".")
        and target.rpartition(".")[2].startswith("_")
        and not within(name, target.rpartition(".")[0])
    ]
    assert found == []


def test_nothing_imports_a_platform() -> None:
    platforms = {f".{platform.value}" for platform in Platform}
    users = [
        f"{name} imports {target}"
        for name, targets in graph().items()
        for target in targets
        if target in platforms
    ]
    assert users == []


def test_imports_run_one_way() -> None:
    files = graph()
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path, name])
        if name not in done:
            for target in files[name] & files.keys():
                visit(target, (*path, name))
            done.add(name)

    for name in files:
        visit(name, ())
