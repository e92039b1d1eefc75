"""Measures the tracker: points per second, lag, sync, start. In one run, each figure beside what it is compared with.

python -m experiments.benchmark.tracking            # minutes
python -m experiments.benchmark.tracking --full     # 2,000 jobs synced, 1,000 followed
python -m experiments.benchmark.tracking --only lag --jobs 100
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from experiments.benchmark.tracking.report import markdown
from tracker.garbage import collect_seldom

RESULTS = Path(__file__).parents[1] / "results"
PARTS = ("help", "points", "lag", "sync")


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.benchmark.tracking",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--full", action="store_true", help="2,000 jobs synced, 1,000 followed, five rounds")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part (may be given again)")
    parser.add_argument(
        "--jobs", type=int, nargs="*", help="numbers of running jobs (default: 1 100, with --full also 1000)"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args(argv)
    parts = args.only or PARTS
    found: dict[str, Any] = {"cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 1)}
    collect_seldom()  # as every command of the tracker does; the ways it is compared with run under the same setting
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        for part in parts:
            print(f"{part} ...", file=sys.stderr)
            found[part] = globals()[f"measure_{part}"](args, Path(name))
    found |= {"load_after": round(os.getloadavg()[0], 1), "seconds": round(time.monotonic() - begun)}
    text = markdown(found)
    if not args.only:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "tracking.json").write_text(json.dumps(found, indent=1) + "\n")
        (args.out / "tracking.md").write_text(text)
    print(text)
    return 0


def measure_help(args: argparse.Namespace, folder: Path) -> list[dict[str, float]]:
    """Return wall and CPU seconds of ``tracker --help``."""
    found = []
    for _ in range(5):
        begun, before = time.perf_counter(), os.times()
        subprocess.run([sys.executable, "-m", "tracker.cli", "--help"], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        found.append({"wall_s": round(time.perf_counter() - begun, 2), "cpu_s": round(cpu, 2)})
    return found


def measure_points(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return points per second for SQLite, an MLflow server on SQLite, and PostgreSQL."""
    from experiments.benchmark.tracking.points import points_per_second
    from experiments.benchmark.tracking.stores import MlflowServer, postgresql, postgresql_programs

    size = {"count": 20_000, "rounds": 5} if args.full else {"count": 8_000, "rounds": 3}
    for name in ("sqlite", "served"):
        (folder / name).mkdir()
    found = {"SQLite": points_per_second(f"sqlite:///{folder}/sqlite/mlflow.db", folder / "sqlite", **size)}
    with MlflowServer(f"sqlite:///{folder}/served/mlflow.db") as server:
        found["MLflow server, HTTP"] = points_per_second(server.url, folder / "served", **size)
    if postgresql_programs():
        (folder / "postgres").mkdir()
        with postgresql() as uri:
            found["PostgreSQL"] = points_per_second(uri, folder / "postgres", **size)
    return found


def measure_lag(args: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Return the lag with 1, 100 and 1,000 running jobs."""
    from experiments.benchmark.tracking.lag import PERIOD_S, lag

    sizes = args.jobs or ([1, 100, 1000] if args.full else [1, 100])
    return [lag(jobs, folder, (4 if args.full else 2) * PERIOD_S) for jobs in sizes]


def measure_sync(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return what recording a whole account takes."""
    from experiments.benchmark.tracking.syncing import synced

    return synced(2000 if args.full else 60, 500, folder)


if __name__ == "__main__":
    sys.exit(main())
