"""Reads other people's training histories: one module per file format, tried in turn, into job records.

`read(path)` is the whole door. A format is a module with a `NAME` and a `read(source)` that returns records or raises
`NotThisFormat` with its reason; adding one is a new file and a line in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tracker.garbage import no_collecting
from tracker.readers import (
    console_log,
    eval_sets,
    job_records,
    keras,
    lightning,
    llamafactory,
    openai_csv,
    openai_events,
    plain_table,
    setting_keys,
    tensorboard,
    trainer_state,
    wandb,
)
from tracker.readers.holds import what_it_holds
from tracker.readers.source import NotThisFormat, ReadError, Source

__all__ = ["FORMATS", "ReadError", "find", "find_here", "read"]

# The narrow formats come first; where two could read a file, the one with more telling marks is the earlier.
FORMATS = (
    tensorboard,
    trainer_state,
    openai_events,
    job_records,
    llamafactory,
    wandb,
    openai_csv,
    lightning,
    keras,
    console_log,
    plain_table,
)
LARGE = 8_000_000  # bytes; half a million steps: a second or two as CSV, more as JSON
# What to look for in a folder, the fullest account first; trainer_state.json of the newest checkpoint comes last.
KNOWN_NAMES = (
    "trainer_state.json",
    "trainer_log.jsonl",
    "metrics.csv",
    "*tfevents*",
    "checkpoint-*/trainer_state.json",
)
OF_RUNS = ("runs", "lightning_logs", "tb_logs", "logs")  # folders of others that hold folders of runs
MOST = 8  # runs that are named


def read(path: str | Path, tell: Callable[[str], object] | None = None) -> list[dict[str, Any]]:
    """Read a training history as job records, whatever its format.

    Parameters
    ----------
    path
        A file of any format in `FORMATS`, or a run's folder that holds one.
    tell
        Is given a word on which of a folder's files is read, on a large one, which takes its time, and on a log that
        ends before its job's last step.

    Returns
    -------
    list of dict
        Job records, each with `source` (path, format, sha256) beside the record's own fields.

    Raises
    ------
    ReadError
        Where the file is missing or none of the formats; the message lists what was tried and why it did not fit.
    """
    path = Path(path)
    file = find(path) if path.is_dir() else path
    if tell:
        _announce(path, file, tell)
    source = Source.open(file)
    with no_collecting():
        form, records = _first_fitting(path, source)
    remark = getattr(form, "remark", None)  # of formats that may hold less than a run, or more
    if tell and remark:
        for told in filter(None, (remark(source, record) for record in records)):
            tell(f"{path}{told}")
    for told in (told for record in records for told in remarks(record)) if tell else ():
        tell(f"{path}: {told}")
    return records


def remarks(record: Mapping[str, Any]) -> list[str]:
    """What is told of a record, whatever it was read from: an MLflow run, too."""
    return [told for told in (eval_sets.remark(record), setting_keys.remark(record)) if told]


def _first_fitting(path: Path, source: Source) -> tuple[ModuleType, list[dict[str, Any]]]:
    """The first format that fits, and the records by it."""
    refusals = []
    for form in FORMATS:
        try:
            records = form.read(source)
        except NotThisFormat as refusal:
            refusals.append(f"  - {form.NAME}: {refusal}")
            continue
        about = {"path": str(path), "format": form.NAME, "sha256": source.sha256}
        return form, [record | {"source": about} for record in records]
    holds = what_it_holds(source)
    about = f"{path} is no training history that can be read{f': {holds}' if holds else ''}. Tried:"
    raise ReadError("\n".join([about, *refusals]))


def _announce(path: Path, file: Path, tell: Callable[[str], object]) -> None:
    if file != path:
        tell(f"{path} is a folder: of its files {file.relative_to(path)} is read")
    if file.is_file() and (size := file.stat().st_size) > LARGE:
        tell(f"{file} has {size / 1e6:.0f} MB: this takes some seconds")


def find(folder: Path) -> Path:
    """The file in a run's folder that tells most of it, or in the one run's folder below; raises ReadError naming what
    was looked for, or the runs of which one has to be named.
    """
    found = find_here(folder)
    if found:
        return found
    below = _runs_below(folder)
    if not below:
        raise ReadError(
            f"{folder} holds none of {', '.join(KNOWN_NAMES)}; expected a run's folder, or name a file in it"
        )
    if len(below) > 1:
        names = [str(file.parent.relative_to(folder)) for file in below]
        more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
        raise ReadError(
            f"{folder} holds {len(names)} runs: {', '.join(names[:MOST])}{more}; name one of them, as {folder / names[0]}"
        )
    return below[0]


def find_here(folder: Path) -> Path | None:
    """The file in this very folder that tells most of a run; None where there is none."""
    for pattern in KNOWN_NAMES:
        found = sorted(folder.glob(pattern), key=_checkpoint_number)
        if found:
            return found[-1]
    return None


def _runs_below(folder: Path) -> list[Path]:
    """A file for each run's folder below, as lightning_logs/version_0 and runs/DATE_HOST in a Trainer's folder are such."""
    below = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    if {path.name for path in below} >= set(tensorboard.KERAS_PARTS):  # the two parts of one run
        below = [path for path in below if path.name == "train"]
    found = [(path, find_here(path)) for path in below]
    return [file for path, here in found for file in ([here] if here else _runs_in(path))]


def _runs_in(folder: Path) -> list[Path]:
    return _runs_below(folder) if folder.name in OF_RUNS else []


def _checkpoint_number(path: Path) -> tuple[int, str]:
    """Orders checkpoint-900 before checkpoint-1000."""
    digits = path.parent.name.rpartition("-")[2]
    return (int(digits) if digits.isdigit() else -1, str(path))
