"""Reads the recorded curves of tests/advisor/cases: CSV with the expected verdicts in the header's comments."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from advisor.nouns import Job

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """One curve and what must be found on it."""

    name: str
    label: str
    expected: dict[str, str]  # rule id -> verdict
    job: Job


def cases() -> list[Case]:
    return [read(path) for path in sorted(FOLDER.glob("*.csv"))]


def read(path: Path) -> Case:
    lines = path.read_text().splitlines()
    header = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# ") and ": " in line)
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    curves = {
        key: [[float(r["step"]), r[key]] for r in rows if r[key]] for key in ("train_loss", "full_valid_loss")
    }
    record = {k: [[s, v if v in ("NaN", "Infinity") else float(v)] for s, v in c] for k, c in curves.items()}
    if "base_valid_loss" in header:
        record["base_valid_loss"] = float(header["base_valid_loss"])
    expected = {
        rule: verdict
        for verdict in ("fires", "clear", "cannot_tell")
        for rule in header.get(verdict, "").split()
    }
    return Case(path.stem, header["label"], expected, Job.from_record({"id": path.stem, **record}))
