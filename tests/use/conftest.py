"""A store with a loop of three jobs in it, written as the tracker writes what providers serve."""

import pytest

from tracker.content import content
from tracker.importer.recorder import Recorder
from tracker.providers import find
from tracker.raw import RawJob

CREATED = 1_600_000_000


def served(number, model, losses, status="succeeded", **settings):
    """A job as served: a full validation loss at every tenth step, and a checkpoint there."""
    events = [
        {
            "id": f"e{number}-{i}",
            "created_at": CREATED + i,
            "type": "metrics",
            "data": {"step": 10 * (i + 1), "full_valid_loss": loss},
        }
        for i, loss in enumerate(losses)
    ]
    checkpoints = [
        {"id": f"c{number}-{i}", "created_at": CREATED + i, "step_number": 10 * (i + 1),
         "fine_tuned_model_checkpoint": model if i == len(losses) - 1 else f"{model}:ckpt-{i + 1}"}
        for i in range(len(losses) if model else 0)
    ]  # fmt: skip
    job = {"id": f"ftjob-{number}", "created_at": CREATED + number, "finished_at": CREATED + number + 60, "status": status,
           "model": "base-1", "fine_tuned_model": model, "training_file": "file-1",
           "hyperparameters": {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1.0, **settings}}  # fmt: skip
    files = {"file-1": {"id": "file-1", "filename": "haiku.jsonl"}}
    return RawJob(job, events, checkpoints, files=files)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    """Three jobs: the first good, the second better but overfitted at its end, the third failed."""
    folder = tmp_path_factory.mktemp("store") / "mlruns"
    folder.mkdir()
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    jobs = [
        served(1, "ft:base-1:org::abc", [2.0, 1.5]),
        served(2, "ft:base-1:org::def", [1.8, 1.2, 1.4], n_epochs=5),
        served(3, None, [2.5], status="failed", learning_rate_multiplier=9.0),
    ]
    with Recorder(uri) as recorder:
        for job in jobs:
            recorder.put("test", content(job, find("compatible"), "test"))
    return uri


@pytest.fixture
def run_ids(shared_store):
    """Run ids by job number."""
    from tracker.runs import reader

    rows = reader(shared_store).runs(tag=("job.id", None))
    return {int(row.tags["job.id"][-1]): row.run_id for row in rows}


@pytest.fixture
def store(tmp_path):
    """The URI of a fresh store."""
    (tmp_path / "mlruns").mkdir()
    return f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}"
