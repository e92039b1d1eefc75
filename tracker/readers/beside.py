"""Settings that lie beside a log, where the trainer's own folder has them in a file of its own.

Reads flat `key: value` lines alone (Lightning's hparams.yaml, axolotl's and LLaMA-Factory's YAML, the model card that
the Hugging Face Trainer writes), and JSON objects. Never unpickles: training_args.bin stays closed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tracker.readers.setting_keys import read_settings

# Later files win where two name the same setting.
FILES = (
    "config.json",
    "adapter_config.json",
    "README.md",
    "hparams.yaml",
    "training_args.yaml",
    "all_results.json",
)
CARD_HEADING = "### Training hyperparameters"
LARGEST = 1_000_000  # bytes; settings files are a few kB, and nothing larger is worth the reading
LINE = re.compile(r"^(?:- )?(\w+):(.*)$", re.MULTILINE)
MODEL_KEYS = {"base_model_name_or_path": "base_model", "_name_or_path": "_name_or_path"}


def settings_beside(folder: Path) -> dict[str, Any]:
    """The record fields that the files of a run's folder tell; no more than empty hyperparameters where there are none."""
    found: dict[str, Any] = {}
    for name in FILES:
        found |= _pairs(folder / name)
    return read_settings(found)


def _pairs(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            return {}
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    if path.suffix == ".json":
        return _json_pairs(text, path.name)
    if path.suffix == ".md":  # a README of another kind says nothing of this run
        _, _, text = text.partition(CARD_HEADING)
        text = text.partition("\n### ")[0]
    return {key: value.strip(" \t\r\"'") for key, value in LINE.findall(text)}


def _json_pairs(text: str, name: str) -> dict[str, Any]:
    try:
        pairs = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(pairs, dict):
        return {}
    if name == "all_results.json":  # only its sizes: its losses are the run's means
        return {key: pairs[key] for key in ("train_samples", "eval_samples") if key in pairs}
    return {ours: pairs[key] for key, ours in MODEL_KEYS.items() if key in pairs}
