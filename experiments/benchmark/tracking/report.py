"""The figures as Markdown tables."""

from __future__ import annotations

from typing import Any


def markdown(found: dict[str, Any]) -> str:
    """Return all that was measured, one table a part."""
    machine = f"{found['cores']} cores, load {found['load_before']} before and {found['load_after']} after; {found['seconds']} s in all."
    parts = [machine]
    if "help" in found:
        rows = ", ".join(f"{run['wall_s']} ({run['cpu_s']})" for run in found["help"])
        parts.append(f"`tracker --help`, seconds of wall time (of CPU) in {len(found['help'])} runs: {rows}.")
    if "points" in found:
        parts.append(_table("store", found["points"].items(), _POINTS))
    if "lag" in found:
        parts.append(_table("running jobs", [(row["jobs"], row) for row in found["lag"]], _LAG))
    if "sync" in found:
        parts.append(_table("sync", [(f"{found['sync']['jobs']} jobs", found["sync"])], _SYNC))
    return "\n\n".join(parts) + "\n"


_POINTS = {"bare": "bare log_batch(1000), points/s", "ours": "ours, points/s", "ratio": "ours / bare", "lowest": "lowest round",
           "highest": "highest round", "cpu_ratio": "the same in CPU", "rounds": "rounds"}  # fmt: skip
_LAG = {"median_s": "median lag s", "p99_s": "p99 s", "store_s": "the store alone s", "p99_to_store": "p99 / store", "points": "points",
        "missing": "missing", "cpu_share": "CPU (cores)", "memory_mb": "memory MB"}  # fmt: skip
_SYNC = {"events": "events each", "ours_s": "ours s", "ours_s_per_job": "ours s per job", "naive_s_per_job": "naive s per job",
         "wandb_s_per_job": "W&B's way s per job", "faster_than_naive": "times the naive loop", "faster_than_wandb": "times W&B's way",
         "wandb_jobs_seen": "jobs W&B's way sees", "wandb_points_per_job": "its points per job", "points_per_job": "of"}  # fmt: skip


def _table(first: str, rows: Any, columns: dict[str, str]) -> str:
    lines = [f"| {first} | " + " | ".join(columns.values()) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(str(row[key]) for key in columns) + " |" for name, row in rows]
    return "\n".join(lines)
