"""Measures how long the advisor takes: judging, `--help`, and advice on a store of ten thousand runs.

python -m experiments.benchmark.speed       # about a minute; wall times beside CPU times, for machines are busy

Each command's time stands beside its yardstick of the same run: bare Python, and one search by MLflow's own client.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments.benchmark.speed_store import store_of

RESULTS = Path(__file__).parent / "results"
JOBS, POINTS, RUNS = 20, 10_000, 10_000
SEARCH = "import mlflow; print(len(mlflow.MlflowClient().search_runs(['{id}'], max_results=1000)))"


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.benchmark.speed",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="times that each is measured (default 5)")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of the store (default 10,000)")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        found = measure(args.rounds, args.runs, Path(name))
    text = told(found)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "speed.json").write_text(json.dumps(found, indent=1) + "\n")
    (args.out / "speed.md").write_text(text)
    print(text)
    return 0


def measure(rounds: int, runs: int, folder: Path) -> dict[str, Any]:
    """Every figure: seconds of wall and of CPU, the median of `rounds` and their range."""
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    store = store_of(runs, folder)
    inside = env | {"MLFLOW_TRACKING_URI": store.uri}
    advisor = [sys.executable, "-m", "advisor.cli"]
    ask = [*advisor, "recommend", "--dry-run", "--no-plot"]
    commands = {
        "python": ([sys.executable, "-c", "pass"], env),
        "help": ([*advisor, "--help"], env),
        "recommend": ([*ask, store.parent], inside),
        "mlflow_search": ([sys.executable, "-c", SEARCH.format(id=store.experiment_id)], inside),
    }
    found: dict[str, Any] = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "runs": runs}
    for name, (words, around) in commands.items():
        found[name] = _of_rounds(lambda w=words, e=around: _command(w, e), rounds)
    return found | {"advise": advising(rounds)}


def advising(rounds: int) -> dict[str, list[float]]:
    """`advise` on twenty jobs of ten thousand points each, once the prior has been read."""
    import advisor

    jobs = [advisor.Job.from_record(_job(i)) for i in range(JOBS)]
    advisor.advise(jobs)
    return _of_rounds(lambda: _inside(lambda: advisor.advise(jobs)), 3 * rounds)


def told(found: dict[str, Any]) -> str:
    """The figures as a table."""
    python, search = found["python"], found["mlflow_search"]
    rows = [
        ("`advise()`, 20 jobs of 10,000 points", "advise", None, None),
        ("bare Python", "python", None, None),
        ("`advisor --help`", "help", "bare Python", python),
        (f"`advisor recommend` on a loop of 8 jobs in a store of {found['runs']:,} runs", "recommend", "one MLflow search", search),
        ("one MLflow search in that store (1,000 runs)", "mlflow_search", None, None),
    ]  # fmt: skip
    lines = [
        f"{found['cores']} cores, load {found['load']} at the start; medians, in brackets the range.",
        "",
    ]
    lines += ["| what | wall, s | CPU, s | CPU against |", "|---|---|---|---|"]
    for words, key, name, against in rows:
        ratio = f"{found[key]['cpu_s'][0] / against['cpu_s'][0]:.2f} x {name}" if against else ""
        lines.append(f"| {words} | {_span(found[key]['wall_s'])} | {_span(found[key]['cpu_s'])} | {ratio} |")
    return "\n".join(lines) + "\n"


def _job(i: int) -> dict[str, Any]:
    """One of twenty jobs, each of another setting, with a falling noisy curve."""
    steps = range(1, POINTS + 1)
    loss = [[s, 1 + 0.01 * i + 2 * math.exp(-s / 3000) + 0.05 * math.sin(s * 12.9898)] for s in steps]
    knobs = {"n_epochs": 1 + i % 8, "batch_size": 4 * 2 ** (i % 3), "learning_rate_multiplier": 0.1 * 1.3**i}
    full = loss[999::1000]
    return {"id": f"job-{i}", "status": "succeeded", "hyperparameters": knobs, "base_valid_loss": 3.2,
            "n_train_examples": 500, "train_loss": loss, "valid_loss": loss, "full_valid_loss": full}  # fmt: skip


def _of_rounds(once: Callable[[], tuple[float, float]], rounds: int) -> dict[str, list[float]]:
    """Median, least and most of the wall and CPU seconds."""
    wall, cpu = zip(*(once() for _ in range(rounds)), strict=True)
    return {
        key: [round(float(f(v)), 4) for f in (statistics.median, min, max)]
        for key, v in (("wall_s", wall), ("cpu_s", cpu))
    }


def _command(words: list[str], env: dict[str, str]) -> tuple[float, float]:
    begun, before = time.perf_counter(), os.times()
    subprocess.run(words, check=True, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begun, cpu


def _inside(call: Callable[[], object]) -> tuple[float, float]:
    begun, before = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begun, time.process_time() - before


def _span(figures: list[float]) -> str:
    median, least, most = figures
    return f"{median:.3f} ({least:.3f}-{most:.3f})"


if __name__ == "__main__":
    sys.exit(main())
