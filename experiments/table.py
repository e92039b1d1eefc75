"""What a loop has to show: one row per job and the model to keep, as a terminal table, Markdown and plain JSON.

Reads plans and job records alone; asks nobody.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.state import End, Plan

if TYPE_CHECKING:
    from rich.console import Group

    from tracker import Loop

Record = dict[str, Any]
FIGURES = ("job", "epochs", "batch", "rate", "best valid", "last valid")
WORDS = ("diagnosis", "changed", "why")


@dataclass(frozen=True)
class Result:
    """A loop as it stands: what was tried, why it ended, and what to keep."""

    name: str
    run_id: str
    experiment: str
    rows: list[Record]  # one per job, plain values
    end: End | None  # None: the loop has not ended
    keep: Record  # job (provider's id; None: the base model), step, number, model, full_valid_loss

    @classmethod
    def of(
        cls, loop: Loop, plans: Sequence[Plan], records: Sequence[Record], end: End | None, keep: Record
    ) -> Result:
        rows = [row(plan, record) for plan, record in zip(plans, records, strict=True)]
        return cls(loop.name, loop.run_id, loop.experiment, rows, end, kept(keep, records))

    @property
    def succeeded(self) -> bool:
        """At least one job trained to its end."""
        return any(row["status"] == "succeeded" for row in self.rows)

    def summary(self) -> dict[str, Any]:
        """The figures that the parent run carries; what is not known is left out."""
        known = {
            "jobs": len(self.rows),
            "trained_tokens": _total(self.rows, "trained_tokens"),
            "cost_usd": _total(self.rows, "cost_usd"),
            "keep.job": self.keep["job"],
            "keep.step": self.keep["step"],
            "keep.model": self.keep["model"],
            "keep.full_valid_loss": self.keep["full_valid_loss"],
        }
        return {key: value for key, value in known.items() if value is not None}

    def to_record(self) -> Record:
        """Plain JSON, for --json."""
        return {
            "name": self.name,
            "run_id": self.run_id,
            "experiment": self.experiment,
            "end": {"reason": self.end.reason, "words": self.end.words} if self.end else None,
            "jobs": self.rows,
            "keep": self.keep,
            "totals": {key: self.summary().get(key) for key in ("jobs", "trained_tokens", "cost_usd")},
        }


def row(plan: Plan, record: Record) -> Record:
    """One job of the table. Losses are of the whole validation set where the provider measures it."""
    series = record.get("full_valid_loss") or record.get("valid_loss") or []
    losses = [loss for _, loss in series if isinstance(loss, int | float) and math.isfinite(loss)]
    return {
        "number": plan.number,
        "id": record.get("id"),
        "run_id": record.get("run_id"),
        "status": record.get("status"),
        "hyperparameters": record.get("hyperparameters") or plan.hyperparameters,
        "best_valid_loss": min(losses, default=None),
        "last_valid_loss": losses[-1] if losses else None,
        "metrics": record.get("metrics") or {},
        "diagnosis": plan.diagnosis,
        "changed": plan.changed,
        "because": list(plan.because),
        "why": plan.why,
        "trained_tokens": _whole(record.get("trained_tokens")),
        "cost_usd": record.get("cost_usd"),
    }


def kept(keep: Record, records: Sequence[Record]) -> Record:
    """The advisor's choice with the model's name and its loss."""
    for number, record in enumerate(records, start=1):
        if keep.get("job") is not None and record.get("id") == keep["job"]:
            at = dict(record.get("full_valid_loss") or record.get("valid_loss") or [])
            return {
                **keep,
                "number": number,
                "model": _model(record, keep["step"]),
                "full_valid_loss": at.get(keep["step"]),
            }
    base = next((r["base_valid_loss"] for r in records if r.get("base_valid_loss") is not None), None)
    model = next((r["model"] for r in records if r.get("model")), None)
    return {"job": None, "step": 0, "number": None, "model": model, "full_valid_loss": base}


def _model(record: Record, step: float) -> str | None:
    """The tuned model's name where its last step is kept, else that checkpoint's."""
    checkpoints = {c["step"]: c.get("model") for c in record.get("checkpoints") or []}
    if step in checkpoints and step != max(checkpoints):
        return checkpoints[step]
    return record.get("fine_tuned_model") or checkpoints.get(step)


def columns(rows: Iterable[Record]) -> tuple[str, ...]:
    """The table's columns: the evaluation metrics are those that any job has."""
    return (*FIGURES, *sorted({name for r in rows for name in r["metrics"]}), *WORDS)


def cells(rows: Sequence[Record]) -> list[tuple[str, ...]]:
    """The table's texts, in the order of `columns`."""
    metrics = columns(rows)[len(FIGURES) : -len(WORDS)]
    return [
        (
            str(r["number"]),
            _figure(r["hyperparameters"].get("n_epochs")),
            _figure(r["hyperparameters"].get("batch_size")),
            _rate(r["hyperparameters"]),
            _loss(r["best_valid_loss"]),
            _loss(r["last_valid_loss"]),
            *(_figure(r["metrics"].get(name)) for name in metrics),
            _verdict(r),
            r["changed"],
            f"{', '.join(r['because'])}: {r['why']}" if r["because"] else r["why"],
        )
        for r in rows
    ]


def _rate(hyperparameters: Record) -> str:
    multiplier = hyperparameters.get("learning_rate_multiplier")
    if isinstance(multiplier, int | float):
        return f"x {multiplier:.4g}"
    return _figure(hyperparameters.get("learning_rate") or multiplier)


def _verdict(r: Record) -> str:
    label = (r["diagnosis"] or "").replace("_", " ")
    return label if r["status"] == "succeeded" and label else f"{r['status']}{': ' * bool(label)}{label}"


def terminal(result: Result) -> Group:
    """The loop for a terminal: the figures as a table, and under it what was changed and why, job by job."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    figures = Table(title=f"Loop {result.name}", title_justify="left", title_style="bold")
    reasons = Table.grid(padding=(0, 1))
    for name in columns(result.rows)[:-2]:
        figures.add_column(name, justify="left" if name == "diagnosis" else "right")
    for r, (*shown, changed, why) in zip(result.rows, cells(result.rows), strict=True):
        figures.add_row(*shown, style="bold green" if r["number"] == result.keep["number"] else None)
        reasons.add_row(f"{r['number']}:", Text.assemble((changed, "bold"), f"\n{why}" if why else ""))
    return Group(figures, Text("\nWhat was changed, and why", style="bold"), reasons)


def markdown(
    name: str, plans: Sequence[Plan], records: Sequence[Record], keep: Record, end: End | None = None
) -> str:
    """The loop's story for the parent run's note."""
    rows = [row(plan, record) for plan, record in zip(plans, records, strict=True)]
    # What to do comes first: MLflow shows a few lines of a note until it is opened.
    lines = [f"**{keep_words(kept(keep, records))}**"]
    lines += ["", f"Ended: {end.words}." if end else "Not ended yet.", ""]
    names = columns(rows)
    lines += ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(map(_escape, texts)) + " |" for texts in cells(rows)]
    return f"## Loop {name}\n\n" + "\n".join(lines)


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def keep_words(keep: Record) -> str:
    """Which model to keep, in one sentence."""
    loss = _loss(keep["full_valid_loss"])
    if keep["job"] is None:
        return (
            f"Keep the base model{f' (validation loss {loss})' if loss else ''}: no job has improved on it."
        )
    return (
        f"Keep job {keep['number']} at step {keep['step']:g}, validation loss {loss}: model {keep['model']}"
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)  # MLflow's metrics are all floats


def _total(rows: Sequence[Record], key: str) -> float | None:
    known = [r[key] for r in rows if r[key] is not None]
    return sum(known) if known else None


def _loss(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _figure(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, int | float) else str(value)
