"""What must hold of the project as a whole: layout, sizes, commands, pinned versions, and what the README says."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("advisor", "tracker", "experiments", "onprem")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
README = (ROOT / "README.md").read_text()
# What takes longer to import than a --help may take to answer.
HEAVY = (
    "mlflow",
    "torch",
    "transformers",
    "trl",
    "openai",
    "pandas",
    "scipy",
    "fastapi",
    "matplotlib",
    "pydantic",
)


def functions():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.end_lineno - node.lineno + 1


def test_files_are_short():
    lengths = {path: len(path.read_text().splitlines()) for path in MODULES}
    assert statistics.median(lengths.values()) <= 120
    long_ones = {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > 250}
    assert len(long_ones) <= 0.1 * len(lengths), long_ones


def test_functions_are_short():
    lengths = dict(functions())
    assert statistics.median(lengths.values()) <= 12
    long_ones = {where: n for where, n in lengths.items() if n > 50}
    assert len(long_ones) <= 0.03 * len(lengths), long_ones


def test_no_two_test_files_share_a_name():
    """pytest would refuse to collect the second."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_does(path):
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree), "a docstring is missing"


@pytest.mark.parametrize("command", PACKAGES)
def test_help_has_an_example_and_loads_nothing_heavy(command):
    script = (
        "import contextlib, sys\n"
        f"from {command}.cli import main\n"
        "with contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'--help imports {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "example" in done.stdout
    assert PROJECT["project"]["scripts"][command] == f"{command}.cli:main"


def test_every_requirement_is_pinned():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(re.fullmatch(r"([\w.-]+)==(\S+)", line).groups() for line in lines if "==" in line)
    names = {re.sub(r"[-_.]+", "-", name).lower() for name in pinned}
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *extras["onprem"], *extras["dev"], *extras["optuna"]]
    for requirement in wanted:
        name = re.match(r"[\w-]+", requirement)[0]
        assert name == "finetune-advisor" or name.lower() in names, requirement
    assert pinned["mlflow"] != "3.18.0"  # it pins parts of itself that were never published


def test_the_readme_opens_with_a_picture_and_its_links_lead_somewhere():
    pictures = list(re.finditer(r"!\[[^]]+\]\(([^)]+)\)", README))
    assert pictures[0].start() < 1500
    for picture in pictures:
        assert (ROOT / picture[1]).stat().st_size < 300_000
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_the_readmes_tree_is_the_projects():
    tree = re.search(r"```\n(advisor/.*?)```", README, re.DOTALL)[1]
    folder = ""
    for line in tree.splitlines():
        name = line.split()[0] if line.strip() else ""
        if name:
            folder = name if not line.startswith(" ") else folder
            path = ROOT / (name if not line.startswith(" ") else folder + name)
            assert path.exists(), line


def test_every_command_in_the_readme_exists():
    """`make TARGET` is a target; `COMMAND VERB` answers to --help."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join(re.findall(r"```(?:bash|sh|console)\n(.*?)```", README, re.DOTALL))
    assert set(re.findall(r"^make ([a-z-]+)", code, re.MULTILINE)) <= targets
    verbs = set(re.findall(rf"^({'|'.join(PACKAGES)}) ([a-z]+)", code, re.MULTILINE))
    assert verbs
    for command, verb in sorted(verbs):
        words = [
            sys.executable,
            "-c",
            f"import sys; from {command}.cli import main; sys.exit(main(['{verb}', '--help']))",
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{command} {verb}: {done.stderr}"
