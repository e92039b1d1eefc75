"""The arrows between the rooms, as the imports in the code draw them."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("advisor", "tracker", "experiments", "onprem")
# Rooms in rooms that are exempt: what starts with one of these names talks to the outside.
DOORS = ("advisor/cli.py", "advisor/put.py", "advisor/optuna.py", "advisor/callback.py")
# Data and templates shipped inside the package are part of the code; each is read in one place.
READS_ITS_OWN = {"advisor/propose/prior.py": "the library", "advisor/tell/as_html.py": "the page"}
# Ways out other than open(), print() and input(): by the last name of a call, or any name at all.
CALLS = {"open", "print", "input", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "mkdir"}
CALLS |= {"time", "time_ns", "perf_counter", "monotonic", "sleep", "now", "utcnow", "today"}
CALLS |= {"load", "savez", "savez_compressed", "read_csv", "getenv", "urlopen"}
NAMES = {"environ", "stdin", "stdout", "stderr", "Path", "PackageLoader", "FileSystemLoader", "resources"}
MODULES = {
    "io",
    "os",
    "time",
    "datetime",
    "pathlib",
    "shutil",
    "tempfile",
    "glob",
    "socket",
    "urllib",
}
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
        "optuna",
        "transformers",
        "torch",
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
        if not (name := path.relative_to(ROOT).as_posix()).startswith(DOORS)
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


def ways_out(code: str) -> set[str]:
    """What a piece of code uses of files, clock, environment, terminal or network."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        name = getattr(node, "attr", None) or getattr(node, "id", None)
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            found |= {called} & CALLS
        elif isinstance(node, ast.Import):
            found |= {part for a in node.names for part in a.name.split(".")} & (MODULES | NAMES)
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").split(".")[0], (node.module or "").split(".")[-1]} & (
                MODULES | NAMES
            )
        elif name in NAMES or (name == "print" and isinstance(node, ast.Name)):
            found.add(name)
    return found


def test_the_advisor_does_no_input_or_output():
    """No file, clock, environment or terminal in the judging rooms; the doors are exempt by name."""
    wrong = {
        f"{name} uses {', '.join(sorted(used))}"
        for path in files("advisor")
        if not (name := path.relative_to(ROOT).as_posix()).startswith(DOORS)
        and name not in READS_ITS_OWN
        and (used := ways_out(path.read_text()))
    }
    assert not wrong


@pytest.mark.parametrize(
    "code",
    [
        "print(1)",
        "from pathlib import Path",
        "import datetime",
        "Path('x').read_text()",
        "p.read_bytes()",
        "p.write_text('')",
        "os.environ['HOME']",
        "time.time()",
        "datetime.now()",
        "from importlib.resources import files",
        "import importlib.resources",
        "sys.stdout.write('')",
        "np.load('x')",
    ],
)
def test_every_way_out_is_known(code):
    assert ways_out(code)


@pytest.mark.parametrize("name", [*READS_ITS_OWN, *DOORS])
def test_no_exemption_outlives_its_need(name):
    paths = [p for p in files("advisor") if p.relative_to(ROOT).as_posix().startswith(name)]
    assert any(ways_out(path.read_text()) or imports(path) & FORBIDDEN["advisor"] for path in paths)
