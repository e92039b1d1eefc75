"""What this machine has for training: disk, memory, GPU, versions. Imports torch, but loads no model."""

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path

from onprem.store import DataFolder, open_database

LOW_DISK = 2 * 2**30  # bytes: a job on a model of 100 million parameters leaves about that much
LOW_MEMORY = 2**30  # bytes: torch and TRL alone take about 700 MB
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "fastapi", "openai")


def examine(data_dir: str | None) -> tuple[dict, list[str]]:
    """Return a report and a list of what is amiss."""
    folder = DataFolder.at(data_dir)
    disk, memory = shutil.disk_usage(folder.root), free_memory()
    report = {
        "data_folder": str(folder.root),
        "disk_free_gb": round(disk.free / 2**30, 1),
        "memory_free_gb": None if memory is None else round(memory / 2**30, 1),
        "cpu_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "gpus": _gpus(),
        "python": sys.version.split()[0],
        **{name: _version(name) for name in PACKAGES},
        "store": _store(folder),
    }
    problems = [
        f"{name} is not installed: pip install 'finetune-advisor[onprem]'"
        for name in PACKAGES
        if not report[name]
    ]
    if disk.free < LOW_DISK:
        problems.append(f"only {report['disk_free_gb']} GB of disk are left; jobs would fail with disk_full")
    if memory is not None and memory < LOW_MEMORY:
        problems.append(
            f"only {report['memory_free_gb']} GB of memory are free; a training worker needs about 1 GB"
        )
    if report["store"] != "ok":
        problems.append(f"the job store is damaged: {report['store']}")
    return report, problems


def free_memory() -> int | None:
    """Return the bytes of main memory that programs can have; None where the system does not tell.

    Linux's MemAvailable, since most memory that is not free holds copies of files, and is given up when needed.
    """
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    lines = meminfo.read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), None)


def _gpus() -> list[str]:
    try:
        import torch
    except ImportError:
        return []
    names = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        names.append(f"{properties.name} ({properties.total_memory / 2**30:.0f} GB)")
    return names


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _store(folder: DataFolder) -> str:
    return open_database(folder).check()
