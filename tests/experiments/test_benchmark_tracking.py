"""The tracker's benchmark at its smallest: every way it compares does its work, and the table says what was found."""

from __future__ import annotations

from experiments.benchmark.tracking.points import points_per_second
from experiments.benchmark.tracking.report import markdown
from experiments.benchmark.tracking.syncing import synced


def test_points_and_sync_are_measured_on_real_stores(tmp_path):
    points = points_per_second(f"sqlite:///{tmp_path}/p/mlflow.db", tmp_path, count=2000, rounds=1)
    sync = synced(5, 10, tmp_path)
    assert points["ours"] > 0
    assert points["bare"] > 0
    assert sync["points_kept"] == 5 * 20  # ten events of two metrics, of failed jobs too
    assert sync["naive_points_per_job"] == 20
    assert sync["wandb_points_per_job"] == 20  # the first four jobs have succeeded
    text = markdown({"cores": 2, "load_before": 1, "load_after": 1, "seconds": 1, "points": {"SQLite": points}, "sync": sync})  # fmt: skip
    assert f"| SQLite | {points['bare']} | {points['ours']} |" in text
    assert "| 5 jobs | 10 |" in text
