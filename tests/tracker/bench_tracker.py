"""How fast the tracker is, against the bare store on the same machine in the same minutes.

    python tests/tracker/bench_tracker.py            # points per second, lag for 1, 100 and 1000 jobs, sync
    python tests/tracker/bench_tracker.py --only lag --jobs 100

Prints a table and, with --json, one JSON object. Figures of a busy machine are to be read as ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lean_server import LeanServer

from tracker.mlflow_client import metrics
from tracker.mlflow_store import MlflowStore
from tracker.session import Session
from tracker.spool import Spool
from tracker.sync import sync
from tracker.writer import Writer

PERIOD_S = 15.0
WINDOW_S = 45.0  # of measuring, after all runs are open: three events of every job


def points_per_second(uri: str, folder: Path, count: int = 15_000, rounds: int = 5) -> dict:
    """Spool and writer against a bare log_batch(1000), in turns; the ratio is of the medians."""
    store = MlflowStore(uri)
    walls: dict[str, list[float]] = {"bare": [], "ours": []}
    cpus: dict[str, list[float]] = {"bare": [], "ours": []}
    for turn in range(rounds):
        points = [["train_loss", n, 1.0 / (n + 1), 1000 * n] for n in range(count)]
        batches = [points[at : at + 1000] for at in range(0, count, 1000)]
        for way in ("bare", "ours") if turn % 2 else ("ours", "bare"):
            run_id = store.create_run("bench", f"{way} {turn}", {}, 0)
            wall, cpu = time.perf_counter(), time.process_time()
            if way == "bare":
                for batch in batches:
                    store.client.log_batch(run_id, metrics=metrics(batch))
            else:
                spool = Spool(folder / f"bench-{turn}.db", uri)
                writer = Writer(spool, lambda: store)
                for batch in batches:
                    spool.put(f"run:{run_id}", [("points", batch)])
                writer.flush(600)
            walls[way].append(count / (time.perf_counter() - wall))
            cpus[way].append(count / (time.process_time() - cpu))
            if way == "ours":
                writer.close()
    middle = {way: statistics.median(found) for way, found in walls.items()}
    of_cpu = {way: statistics.median(found) for way, found in cpus.items()}
    return {"bare": round(middle["bare"]), "ours": round(middle["ours"]), "ratio": round(middle["ours"] / middle["bare"], 3),
            "ratio_of_cpu": round(of_cpu["ours"] / of_cpu["bare"], 3), "rounds": rounds}  # fmt: skip


def lag(jobs: int, folder: Path) -> dict:
    """Seconds from a point's becoming visible at the provider to its being durable in MLflow.

    ``store_alone_s`` is what the store's own log_batch needs to take one event of every job, one after the other.
    """
    uri = f"sqlite:///{folder}/lag{jobs}/mlflow.db"
    lags, costs = [], []
    with LeanServer(jobs, PERIOD_S) as server:
        session = Session(server.url, "k", "onprem", uri)
        real, real_status = session.store.log_points, session.store.set_status
        opened, window = threading.Event(), [float("inf"), 0.0]

        def log_points(run_id, points):
            begun = time.time()
            real(run_id, points)
            ended = time.time()
            costs.append(ended - begun)
            seen = [value for key, _, value, _ in points if key == "train_loss"]
            lags.extend(ended - value for value in seen if window[0] <= value)

        running = set()

        def set_status(run_id, *status):
            real_status(run_id, *status)
            running.add(run_id)

        session.store.log_points, session.store.set_status = log_points, set_status
        watched = [session.watch(f"ftjob-{k}") for k in range(jobs)]
        thread = threading.Thread(target=session.follow, args=(watched, None, opened.is_set))
        thread.start()
        time.sleep(PERIOD_S)
        while len(running) < jobs:  # the runs are being opened
            time.sleep(0.2)
        begun, cpu = time.time(), time.process_time()
        window[0] = begun
        costs.clear()
        time.sleep(WINDOW_S)
        used = time.process_time() - cpu
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        opened.set()
        thread.join()
        session.close()
    busy = sum(costs)
    late = sorted(lags)
    return {"jobs": jobs, "points": len(late), "median_s": round(statistics.median(late), 2),
            "p99_s": round(late[int(0.99 * len(late))], 2), "cpu_share": round(used / WINDOW_S, 2), "max_rss_mb": round(memory),
            "store_busy_share": round(busy / WINDOW_S, 2), "log_batch_ms": round(1000 * statistics.median(costs), 1), "store_alone_s": round(jobs * statistics.median(costs), 1)}  # fmt: skip


def synced(jobs: int, events: int, folder: Path) -> dict:
    """A whole account: ours against a naive loop that logs each point of each event as it reads."""
    with LeanServer(jobs, ended=events) as server:
        with Session(server.url, "k", "onprem", f"sqlite:///{folder}/sync/mlflow.db") as session:
            session.store  # noqa: B018  loading MLflow is nobody's merit
            begun = time.perf_counter()
            session.wait(sync(session))
            session.writer.flush(3600)
            ours = time.perf_counter() - begun
        few = max(1, jobs // 20)
        begun = time.perf_counter()
        asyncio.run(naive(server.url, few, f"sqlite:///{folder}/naive/mlflow.db"))
        per_job = (time.perf_counter() - begun) / few
    return {"jobs": jobs, "events": events, "ours_s": round(ours, 1), "naive_s_estimated": round(per_job * jobs, 1),
            "naive_measured_on": few, "times_faster": round(per_job * jobs / ours, 1)}  # fmt: skip


async def naive(url: str, jobs: int, uri: str) -> None:
    """What a script of twenty lines does: the client's own paging, one log_metric per value."""
    import openai

    store = MlflowStore(uri)
    async with openai.AsyncOpenAI(base_url=url, api_key="k") as client:
        for k in range(jobs):
            run_id = store.create_run("naive", str(k), {}, 0)
            async for event in client.fine_tuning.jobs.list_events(f"ftjob-{k}"):
                for key in ("train_loss", "train_mean_token_accuracy"):
                    store.client.log_metric(
                        run_id, key, event.data[key], 1000 * event.created_at, event.data["step"]
                    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=["points", "lag", "sync"])
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 100, 1000])
    parser.add_argument("--sync-jobs", type=int, default=100)
    parser.add_argument(
        "--store",
        help="a further store to measure points per second into: an HTTP server's or PostgreSQL's URI",
    )
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found: dict = {"load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.only in (None, "points"):
            found["points_per_second"] = {
                "sqlite": points_per_second(f"sqlite:///{folder}/p/mlflow.db", folder)
            }
            if args.store:
                found["points_per_second"][args.store.split(":")[0]] = points_per_second(args.store, folder)
        if args.only in (None, "lag"):
            found["lag"] = [lag(jobs, folder) for jobs in args.jobs]
        if args.only in (None, "sync"):
            found["sync"] = synced(args.sync_jobs, 500, folder)
    print(json.dumps(found, indent=None if args.json else 2))


if __name__ == "__main__":
    main()
