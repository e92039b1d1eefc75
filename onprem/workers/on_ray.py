"""Hands one job to Ray Train on an existing cluster: what `--engine ray` runs for each job.

    python -m onprem.workers.on_ray DATA_DIR JOB_ID WORKER_ID --address auto --workers 2

Every node must see the data folder at the same path, since the job store and the checkpoints lie there. Each
Ray worker is one process of the job (data parallel), with a GPU where the cluster has any.
"""

import argparse
import logging
import os
import sys

from onprem.store.connect import VARIABLE

TOO_FEW_GPUS = "The Ray cluster has {:g} GPUs for {} processes, so the job trains on CPUs, and the model is not shared out among them."
OUT_OF_REACH = (
    "The Ray cluster spans several machines, but the job store is a SQLite file, whose locks network file systems do not "
    f"keep. Should this job misbehave: the server's operator can set {VARIABLE} to a PostgreSQL URL."
)

log = logging.getLogger("onprem.ray")


def train(config: dict) -> None:
    """Run in each Ray worker: Ray Train has told it its rank and joined it to the others."""
    from ray import train as ray_train

    from onprem.store import DataFolder
    from onprem.store.connect import take_url
    from onprem.workers.one import run

    take_url(DataFolder.at(config["data_dir"]))
    context = ray_train.get_context()
    os.environ |= {"RANK": str(context.get_world_rank()), "WORLD_SIZE": str(context.get_world_size())}
    os.environ["ONPREM_FSDP"] = "1" if config["fsdp"] else "0"
    run(config["data_dir"], config["job"], config["worker"])


def store_is_out_of_reach(nodes: list[dict]) -> bool:
    """Tell whether a cluster spans several machines while the job store is one machine's SQLite file."""
    machines = {node["NodeManagerAddress"] for node in nodes if node["Alive"]}
    return len(machines) > 1 and not os.environ.get(VARIABLE)


def tell(data_dir: str, job_id: str, key: str, text: str) -> None:
    """Warn whoever reads the job's events."""
    from onprem.store import DataFolder, open_database
    from onprem.store.events import add_event

    with open_database(DataFolder.at(data_dir)).transaction() as connection:
        add_event(connection, job_id, f"message:{key}", text, level="warn")


def main() -> None:
    """Run the job; exit code 1 where Ray could not."""
    parser = argparse.ArgumentParser()
    for name in ("data_dir", "job", "worker"):
        parser.add_argument(name)
    parser.add_argument("--address", default="auto")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--fsdp", action="store_true")
    arguments = parser.parse_args()
    import ray
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    from onprem.store import DataFolder
    from onprem.store.connect import leave_url

    leave_url(DataFolder.at(arguments.data_dir))
    names = ("OMP_NUM_THREADS", "HF_HUB_OFFLINE", "DO_NOT_TRACK", "TOKENIZERS_PARALLELISM")
    environment = {"env_vars": {name: os.environ[name] for name in names if name in os.environ}}
    ray.init(address=arguments.address, runtime_env=environment, log_to_driver=False)
    if store_is_out_of_reach(ray.nodes()):
        log.warning(OUT_OF_REACH)
        tell(arguments.data_dir, arguments.job, "out_of_reach", OUT_OF_REACH)
    on_gpu = ray.cluster_resources().get("GPU", 0) >= arguments.workers
    if arguments.fsdp and not on_gpu:
        text = TOO_FEW_GPUS.format(ray.cluster_resources().get("GPU", 0), arguments.workers)
        log.warning(text)
        tell(arguments.data_dir, arguments.job, "too_few_gpus", text)
    TorchTrainer(
        train,
        train_loop_config={name: getattr(arguments, name) for name in ("data_dir", "job", "worker", "fsdp")},
        scaling_config=ScalingConfig(num_workers=arguments.workers, use_gpu=on_gpu),
        run_config=RunConfig(storage_path=os.path.join(arguments.data_dir, "ray")),
    ).fit()
    ray.shutdown()


if __name__ == "__main__":
    sys.exit(main())
