"""The plan of the house: who may import whom, and that nobody goes past a front door.

`PLAN` is the one place where a room says what it needs. It is drawn into `CONTRIBUTING.md`:
run `python -m tests.repository.test_rooms` after a change.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
import subprocess
import sys
from typing import Final

import pytest

from homeassistant.const import Platform
from tests.kit.places import INTEGRATION, ROOT
from tests.kit.source_code import imports, modules

PLATFORMS: Final = [
    *("binary_sensor", "button", "device_trigger", "diagnostics"),
    *("event", "logbook", "repairs", "sensor", "update"),
]
BASICS: Final = {"const", "helpers", "issues", "ota"}
"""What every room may use; they are not drawn as arrows."""
PLAN: Final[Mapping[str, set[str]]] = {
    "config_flow": {"flows", "installs", "house"},
    "__init__": {
        *("web", "services", "servers", "rollouts"),
        *("guests", "installs", "modules", "house"),
    },
    "flows": {
        *("web", "servers", "guests", "installs", "equipment"),
        *("modules", "boards", "house", "library", "owners"),
    },
    "platforms": {
        *("entity", "rollouts", "guests", "installs"),
        *("modules", "house", "library", "owners"),
    },
    "web": {"rollouts", "guests", "installs", "modules", "house", "library"},
    "services": {"rollouts", "guests", "house", "library"},
    "entity": {"modules"},
    "servers": {"installs", "modules", "house", "library", "stored"},
    "rollouts": {"guests", "installs", "modules", "house", "library", "owners", "stored"},
    "guests": {"installs", "equipment", "modules", "boards", "house", "owners"},
    "installs": {"equipment", "modules", "boards", "house", "library", "owners"},
    "equipment": {"house", "owners"},
    "modules": {"house", "library", "owners"},
    "boards": {"house", "owners"},
    "house": {"library", "owners", "stored"},
    "library": {"stored"},
    "owners": set(),
    "stored": set(),
    "issues": set(),
    "helpers": set(),
    "const": set(),
    "ota": {
        "ota.guest",
        "ota.pipeline",
        "ota.evidence",
        "ota.preflight",
        "ota.transport",
        "ota.rollout",
        "ota.queue",
        "ota.ddi",
        "ota.sources",
        "ota.naming",
        "ota.image",
        "ota.module",
    },
    "ota.guest": {"ota.pipeline", "ota.naming"},
    "ota.pipeline": {"ota.evidence", "ota.preflight", "ota.transport"},
    "ota.evidence": {"ota.module", "ota.naming", "ota.preflight"},
    "ota.preflight": {"ota.image", "ota.module", "ota.naming"},
    "ota.transport": {"ota.module"},
    "ota.rollout": {"ota.queue"},
    "ota.queue": set(),
    "ota.ddi": {"ota.sources"},
    "ota.sources": {"ota.module", "ota.naming"},
    "ota.naming": {"ota.image", "ota.module"},
    "ota.image": set(),
    "ota.module": set(),
}
"""Top to bottom: each room, and the rooms below it that it uses."""
OTA_BASICS: Final = {"ota.causes", "ota.details", "ota.exceptions", "ota.models", "ota.texts"}
"""What every room of `ota/` may use: the words of the domain."""
ROOMS: Final = sorted(
    ".".join(path.parent.relative_to(INTEGRATION).parts)
    for path in INTEGRATION.rglob("*/__init__.py")
)
ABOVE_BASICS: Final[Mapping[str, set[str]]] = {
    "helpers": {"const", "ota"},
    "issues": {"const", "helpers", "ota"},
    "const": set(),
}
OTA_TITLE: Final = "custom_components/esp_ota/ota/"
MOST_NAMES: Final = 20
"""A room that hands out more is two rooms; `ota` is the front of a house of its own."""


@cache
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


def room_of(file: str) -> str:
    """Return the room that a file belongs to, by its dotted name; `""` for `__init__.py`."""
    parts = file.strip(".").split(".")
    while len(parts) > 1 and ".".join(parts) not in ROOMS and parts[:-1] != ["ota"]:
        parts.pop()
    room = ".".join(parts)
    return "platforms" if room in PLATFORMS else room or "__init__"


def drawn() -> dict[str, set[str]]:
    """Return what each room imports of others, as it is."""
    arrows: dict[str, set[str]] = defaultdict(set)
    for name, targets in graph().items():
        room = room_of(name)
        arrows[room] |= {room_of(t) for t in targets if t.startswith(".")} - {room}
    return dict(arrows)


def basics_of(room: str) -> set[str]:
    if room in ABOVE_BASICS:
        return ABOVE_BASICS[room]
    return OTA_BASICS if within(room, "ota") else BASICS


def said(room: str) -> str:
    """Return the first line that a room says of itself."""
    name = room.replace(".", "/")
    file = f"{name}/__init__.py" if room in ROOMS else f"{name}.py"
    if room == "platforms":
        return ", ".join(PLATFORMS)
    return (ast.get_docstring(modules()[file]) or "").partition("\n")[0]


def picture() -> str:
    """Draw the plan: what each room says of itself, and below it what it uses."""
    lines = []
    order = list(PLAN)
    for title, inside in (("custom_components/esp_ota/", False), (OTA_TITLE, True)):
        lines.append(title)
        for room in order:
            if room.startswith("ota.") is not inside:
                continue
            name = room.removeprefix("ota.") + ("/" if room in ROOMS else "")
            lines.append(f"  {name:<14}{said(room)}")
            below = sorted((other for other in PLAN[room] if room != "ota"), key=order.index)
            if below:
                lines.append(" " * 16 + "↓ " + ", ".join(o.removeprefix("ota.") for o in below))
    return "\n".join(lines)


def problems(files: Iterable[str], allowed: set[str]) -> list[str]:
    """Return the imports of ours that files make beyond what is allowed to them."""
    return [
        f"{name} imports {target}"
        for name, targets in graph().items()
        if name in files
        for target in targets
        if target.startswith(".") and not any(within(target, other) for other in allowed)
    ]


@pytest.mark.slow
def test_every_room_is_on_the_plan() -> None:
    assert set(drawn()) - OTA_BASICS == set(PLAN)


@pytest.mark.parametrize("room", PLAN)
def test_a_room_uses_what_the_plan_says(room: str) -> None:
    used = drawn()[room] - basics_of(room)
    if room == "ota":
        used -= OTA_BASICS
    assert used == PLAN[room]


def test_arrows_only_go_down() -> None:
    order = list(PLAN)
    assert all(order.index(room) < order.index(o) for room, used in PLAN.items() for o in used)
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


def test_the_picture_is_in_the_book() -> None:
    print(picture())
    assert picture() in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_nobody_goes_past_a_front_door() -> None:
    past = [
        f"{name} imports {target}"
        for name, targets in graph().items()
        for target in targets
        if target.startswith(".")
        and (room := room_of(target)) in ROOMS
        and target.strip(".") != room
        # From inside a room, and from the rooms of `ota` to the words of its domain.
        and not within(name, f".{room}")
    ]
    assert past == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_front_door_says_what_is_behind_it_and_does_nothing(room: str) -> None:
    tree = modules()[room.replace(".", "/") + "/__init__.py"]
    text, *rest = tree.body
    assert isinstance(text, ast.Expr)
    assert "ever" in (ast.get_docstring(tree) or ""), "what never lives there?"
    *imported, names = rest
    assert all(isinstance(node, ast.ImportFrom) for node in imported)
    assert isinstance(names, ast.Assign)
    assert isinstance(names.targets[0], ast.Name)
    assert names.targets[0].id == "__all__"
    assert isinstance(names.value, ast.List)
    if room != "ota":
        assert len(names.value.elts) <= MOST_NAMES


@pytest.mark.slow
def test_what_a_room_hands_out_is_wanted_elsewhere() -> None:
    wanted = defaultdict(set)
    for name, tree in modules().items():
        package = name.split("/")[:-1]
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[: len(package) - node.level + 1]
                target = ".".join([*base, *(node.module or "").split(".")]).strip(".")
                if not within(name.replace("/", "."), target):
                    wanted[target] |= {alias.name for alias in node.names}
    unwanted = {
        (room, str(name))
        for room in ROOMS
        if room != "ota"
        for node in modules()[room.replace(".", "/") + "/__init__.py"].body
        if isinstance(node, ast.Assign)
        for name in ast.literal_eval(node.value)
        if name not in wanted[room]
    }
    assert unwanted == set()


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


@pytest.mark.slow
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


@pytest.mark.parametrize(
    ("file", "allowed"),
    [
        (".ota.causes", set()),
        (".ota.models", set()),
        (".ota.details", {".ota.models"}),
        (".ota.exceptions", {".ota.models", ".ota.texts"}),
        (".ota.module.discovery", {".ota.models", ".ota.exceptions"}),
        (".ota.preflight.packing", {".ota.models", ".ota.exceptions", ".ota.image"}),
        (
            ".ota.preflight.checks",
            {
                ".ota.models",
                ".ota.details",
                ".ota.exceptions",
                ".ota.naming",
                ".ota.preflight.answers",
                ".ota.preflight.bounds",
                ".ota.preflight.packing",
                ".ota.preflight.filesystem_area",
            },
        ),
        (".ota.preflight.answers", {".ota.models"}),
        (".ota.preflight.bounds", {".ota.models", ".ota.naming", ".ota.preflight.answers"}),
        (
            ".ota.preflight.gate",
            {
                ".ota.models",
                ".ota.exceptions",
                ".ota.preflight.answers",
                ".ota.preflight.checks",
            },
        ),
    ],
)
def test_facts_come_before_decisions(file: str, allowed: set[str]) -> None:
    everybodys = {".ota.causes"} if file != ".ota.causes" else set()
    assert problems({file}, allowed | everybodys) == []


def concrete_transports() -> set[str]:
    return {
        name
        for name in graph()
        if name.startswith(".ota.transport.")
        and not name.startswith((".ota.transport._", ".ota.transport.protocol"))
    }


def test_a_transport_does_not_know_another_one() -> None:
    transports = concrete_transports()
    assert len(transports) >= 3
    assert {name for name in transports if graph()[name] & transports} == set()


def test_the_pipeline_is_handed_its_transport() -> None:
    named = {
        alias.name
        for name, tree in modules().items()
        if name.startswith("ota/pipeline/")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "transport"
        for alias in node.names
    }
    assert named == {"Transport"}


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


if __name__ == "__main__":
    page = ROOT / "CONTRIBUTING.md"
    text = page.read_text(encoding="utf-8")
    begin = text.index("custom_components/esp_ota/\n")
    page.write_text(text[:begin] + picture() + text[text.index("\n```", begin) :], encoding="utf-8")
