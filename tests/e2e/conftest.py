"""A real server, a real store and small data: what a loop needs, alive for one module."""

import json
import os
import subprocess
import sys

import pytest

from experiments.demo import server

WORDS = [
    "red",
    "green",
    "blue",
    "black",
    "white",
    "small",
    "large",
    "round",
    "square",
    "heavy",
    "light",
    "cold",
    "warm",
    "old",
    "new",
    "loud",
]


def example(i):
    """A question that a tiny model learns to answer: say the words in reverse order."""
    words = [WORDS[(i * 7 + k * (1 + i % 5)) % len(WORDS)] for k in range(4)]
    return {
        "messages": [
            {"role": "user", "content": " ".join(words)},
            {"role": "assistant", "content": " ".join(reversed(words))},
        ]
    }


@pytest.fixture(scope="module")
def onprem():
    """The base_url of a server that lives as long as the module's tests."""
    with server() as base_url:
        yield base_url


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with data and a store of its own; the environment points at the store."""
    folder = tmp_path_factory.mktemp("loop")
    (folder / "mlruns").mkdir()
    for name, rows in (("train", range(24)), ("valid", range(24, 32))):
        text = "".join(json.dumps(example(i)) + "\n" for i in rows)
        (folder / f"{name}.jsonl").write_text(text)
    return folder


@pytest.fixture(scope="module")
def environment(folder):
    """For processes: the store in `folder`, one thread, nothing that looks outside."""
    out = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "MLFLOW_"))}
    return out | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlruns/mlflow.db",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="module")
def write_spec(folder):
    """Write a spec whose name is its file's; more lines come after the usual ones."""

    def _write(name, more=""):
        path = folder / f"{name}.toml"
        path.write_text(
            f'name = "{name}"\ntrain = "train.jsonl"\nvalid = "valid.jsonl"\nmodel = "embedded-tiny"\n'
            f'experiment = "{name}"\nstart = {{n_epochs = 1, batch_size = 8}}\n{more}\n'
            "[space]\nn_epochs = [1, 2, 3]\nbatch_size = [4, 8, 12]\n"
        )
        return path

    return _write


@pytest.fixture(scope="module")
def command(folder, environment, onprem):
    """Run `experiments ...` in a process of its own; the finished process is returned."""

    def _command(*words, **more):
        return subprocess.run(
            [sys.executable, "-m", "experiments", *map(str, words)],
            cwd=folder,
            env=environment | {"OPENAI_BASE_URL": onprem},
            capture_output=True,
            text=True,
            timeout=240,
            **more,
        )

    return _command


@pytest.fixture(scope="module")
def provider_jobs(onprem):
    """All jobs at the server whose key belongs to a loop, as the plain openai client lists them."""
    import openai

    client = openai.OpenAI(base_url=onprem, api_key="none")

    def _jobs(loop_id):
        jobs = list(client.fine_tuning.jobs.list(limit=100))
        return [j for j in jobs if (j.metadata or {}).get("finetune_advisor.job", "").startswith(loop_id)]

    return _jobs
