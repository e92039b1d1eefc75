"""The arrows between the rooms, as the imports in the code draw them."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("advisor", "tracker", "experiments", "onprem")
DOORS = {"advisor/cli.py", "advisor/optuna.py", "advisor/callback.py"}
FORBIDDEN = {
    "advisor": {
        "tracker",
        "experiments",
        "onprem",
        "openai",
        "mlflow",
        "requests",
        "httpx",
        "sqlite3",
        "subprocess",
    },
    "tracker": {"advisor", "experiments", "onprem"},
    "experiments": {"onprem", "mlflow"},
    "onprem": {"advisor", "tracker", "experiments", "mlflow"},
}


def imports(path: Path) -> set[str]:
    """The top-level packages that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def files(room: str) -> list[Path]:
    found = sorted((ROOT / room).rglob("*.py"))
    assert found, f"no code in {room}"
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_its_arrows_allow(room):
    wrong = {
        f"{name} imports {', '.join(sorted(bad))}"
        for path in files(room)
        if (name := path.relative_to(ROOT).as_posix()) not in DOORS
        and (bad := imports(path) & FORBIDDEN[room])
    }
    assert not wrong


@pytest.mark.parametrize("package", ["openai", "mlflow"])
def test_one_module_of_tracker_alone_imports_each_host_library(package):
    users = [p.relative_to(ROOT).as_posix() for p in files("tracker") if package in imports(p)]
    assert len(users) == 1, users


def test_nothing_imports_experiments():
    users = [p for room in ROOMS if room != "experiments" for p in files(room) if "experiments" in imports(p)]
    assert not users


def test_the_advisor_does_no_input_or_output():
    """No open(), print() or input() in the judging rooms; the doors are exempt by name."""
    calls = {"open", "print", "input"}
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} calls {node.func.id}"
        for path in files("advisor")
        if path.relative_to(ROOT).as_posix() not in DOORS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls
    ]
    assert not wrong
