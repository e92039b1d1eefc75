"""What must hold of the project as a whole: layout, sizes, commands, pinned versions, and what the README says."""

import ast
import itertools
import os
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


def calls_of_the_readme():
    """Each call of a command of ours, in blocks and in running text: (command, verbs), and the options it is shown with."""
    blocks = re.findall(r"```(?:bash|sh|console)\n(.*?)```", README, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", README, flags=re.DOTALL))
    found = {}
    for line in [*"\n".join(blocks).splitlines(), *spans]:
        command, *words = line.split("#")[0].split() or [""]
        if command in PACKAGES and words:
            verbs = tuple(itertools.takewhile(re.compile(r"[a-z]+").fullmatch, words))
            options = {word for word in words if word.startswith("--")}
            found.setdefault((command, *verbs), set()).update(options)
    return found


def test_the_readmes_job_record_works_by_copy_and_paste(tmp_path):
    part = README[README.index("## Job records") :]
    example = re.search(r"```bash\n(.*?)```", part, re.DOTALL)[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", example],
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "overfitting" in done.stdout
    assert "Next" in done.stdout


def test_the_readme_names_every_field_of_a_job_record():
    from advisor.tell.context import SIZES
    from advisor.tell.request import FIELDS

    part = README[README.index("## Job records") :].split("\n## ")[0]
    told = set(re.findall(r"`(\w+)`", part))
    assert FIELDS | set(SIZES) - {"n_valid_examples"} <= told
    rows = re.findall(r"^\| (`.*?) \|", part, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) <= FIELDS, "a field that is not read"


def test_every_target_in_the_readme_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test", "ui"} <= named <= targets


@pytest.mark.parametrize(
    ("call", "options"),
    sorted(calls_of_the_readme().items()),
    ids=lambda x: " ".join(sorted(x) if isinstance(x, set) else x),
)
def test_every_command_in_the_readme_exists(call, options):
    """It answers to --help, and its help names each option that the README shows."""
    command, *verbs = call
    script = f"import sys; from {command}.cli import main; sys.exit(main({[*verbs, '--help']!r}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert options <= set(re.findall(r"--[a-z][a-z-]*", done.stdout))


def test_the_readmes_benchmark_is_the_one_that_was_run():
    """Each row has the figures of the same method and column in the benchmark's own table."""

    def rows(text):
        table = text[text.index("| method |") :].split("\n\n")[0]
        lines = [line.strip("|").split("|") for line in table.splitlines()]
        names, *others = [[cell.strip() for cell in cells] for cells in lines if "---" not in cells[0]]
        return {cells[0]: dict(zip(names, cells, strict=True)) for cells in others}

    measured = rows((ROOT / "experiments/benchmark/results/benchmark.md").read_text())
    shown = rows(README)
    assert {"finetune-advisor", "random", "guide verbatim"} <= shown.keys()
    for method, figures in shown.items():
        assert figures.items() <= measured[method].items(), method
