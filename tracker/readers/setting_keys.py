"""What each trainer calls its settings, and how they map to the job record's fields. Pure data and lookup.

The names are those of MLflow params, of W&B configs and of the trainers' own configuration files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.readers.values import finite, tidy, whole
from tracker.scrub import scrub

KNOBS = {
    "n_epochs": ("n_epochs", "num_train_epochs", "num_epochs", "epochs", "max_epochs"),
    "batch_size": ("batch_size", "total_train_batch_size", "effective_batch_size"),
    "learning_rate_multiplier": ("learning_rate_multiplier",),
    "learning_rate": ("learning_rate", "lr", "opt_learning_rate", "optimizer_learning_rate"),
}
DEVICE_BATCH = ("per_device_train_batch_size", "micro_batch_size", "train_batch_size")
TEXT_FIELDS = {
    "model": ("model", "base_model", "model_name_or_path", "_name_or_path", "model_name"),
    "lr_schedule": ("lr_schedule", "lr_scheduler_type", "lr_scheduler"),
    "method": ("method",),
    "provider": ("provider",),
}
COUNT_FIELDS = {
    "seed": ("seed",),
    "n_train_examples": ("n_train_examples", "train_samples"),
    "n_valid_examples": ("n_valid_examples", "eval_samples"),
}
READ = {
    *(name for table in (KNOBS, TEXT_FIELDS, COUNT_FIELDS) for names in table.values() for name in names),
    *DEVICE_BATCH,
}
NOT_TRAINING = {
    "eval",
    "evaluation",
    "valid",
    "validation",
    "val",
    "test",
    "testing",
    "dev",
    "predict",
    "inference",
}
MOST = 3  # names that are told of one setting


def read_settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """Record fields out of a logger's params or config: `hyperparameters`, model, seed, sizes, schedule.

    Values may be texts, as MLflow keeps them. What is not known is left out; so is what several parts of a
    configuration set to different values, and `unclear` names it then.
    """
    params, unclear = _by_last_name(params)
    knobs = {knob: _first(params, keys, finite) for knob, keys in KNOBS.items()}
    if knobs["batch_size"] is None:
        knobs["batch_size"] = _effective_batch(params)
    out: dict[str, Any] = {
        "hyperparameters": {k: tidy(v) for k, v in knobs.items() if v is not None and v > 0}
    }
    out |= {field: _first(params, keys, _text) for field, keys in TEXT_FIELDS.items()}
    out |= {field: _first(params, keys, whole) for field, keys in COUNT_FIELDS.items()}
    if out["lr_schedule"]:  # transformers writes both "linear" and "SchedulerType.LINEAR"
        out["lr_schedule"] = re.sub(r"^schedulertype\.", "", out["lr_schedule"].lower())
    out["unclear"] = [told for name, told in unclear.items() if name in READ] or None
    return {key: value for key, value in out.items() if value is not None}


def _by_last_name(params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings by the last part of their names (`train.batch_size`), plain names first, and what is told of those left
    out: of parts that differ none is known to be the training's.
    """
    plain = {key: value for key, value in params.items() if not re.search(r"[/.]", key)}
    parts: dict[str, dict[str, Any]] = {}
    for key, value in params.items():
        *above, name = re.split(r"[/.]", key)
        if (
            above
            and name not in plain
            and not NOT_TRAINING & set(re.split(r"[\W_]", "_".join(above).lower()))
        ):
            parts.setdefault(name, {})[key] = value
    agreed = {name: dict.fromkeys(map(_comparable, found.values())) for name, found in parts.items()}
    unclear = {
        name: " and ".join(list(parts[name])[:MOST]) for name, values in agreed.items() if len(values) > 1
    }
    nested = {name: next(iter(found.values())) for name, found in parts.items() if name not in unclear}
    return nested | plain, {
        name: f"{told} differ: {name} is taken as not known" for name, told in unclear.items()
    }


def _comparable(value: Any) -> Any:
    """1e-4 and "0.0001" are one."""
    known = finite(value)
    return str(value) if known is None else known


def remark(record: Mapping[str, Any]) -> str | None:
    """What is told of a record whose settings could not all be known."""
    told = "; ".join(record.get("unclear") or ())
    return scrub(told) if told else None


def _first(params: Mapping[str, Any], keys: Sequence[str], convert: Any) -> Any:
    return next((v for v in (convert(params.get(key)) for key in keys) if v is not None), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in ("", "None") else None


def _effective_batch(params: Mapping[str, Any]) -> float | None:
    """Examples per optimiser step: per device, times accumulated batches, times devices."""
    size = _first(params, DEVICE_BATCH, finite)
    if size is None:
        return None
    devices = _first(params, ("world_size", "n_gpu", "num_devices"), finite) or 1
    return size * (finite(params.get("gradient_accumulation_steps")) or 1) * devices
