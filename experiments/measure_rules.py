"""Measures how often each rule's moves are right, on tables of real results, and writes the figures into the package.

A move is right where the better of the next one or two values of its knob lowers the final loss by more than 0.2 % of
the attainable gain (aim speed: where the next value raises it by no more than that). Every setting of every table
is a job; the setting with the next more epochs stands as the job before it, for rules that ask for a history.

example:
  python -m experiments.measure_rules
  python -m experiments.measure_rules --tables my-tables --dry-run
exit codes: 0 done, 2 the input or usage is wrong
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor.diagnosis import diagnose
from advisor.measure import measure
from advisor.nouns import Finding, Job

HERE = Path(__file__).parent
TABLES = HERE / "benchmark" / "tables"
TARGET = HERE.parent / "advisor" / "rules" / "measured.py"
KNOBS = ("n_epochs", "batch_size", "learning_rate_multiplier")
NEAR = 2  # values of the knob that a move may go
MATTERS = 0.002  # of the attainable gain
LOST = 1e3  # the final loss of a job that diverged

Setting = tuple[float, ...]
Rates = dict[str, dict[str, list[int]]]


class Table:
    """A task fine-tuned at every setting of a grid."""

    def __init__(self, path: Path):
        with gzip.open(path, "rt") as lines:
            self.meta, *rows = map(json.loads, lines)
        self.rows = {(r["n_epochs"], r["batch_size"], r["lrm"]): r for r in rows}
        self.axes = [sorted({k[i] for k in self.rows}) for i in range(3)]
        self.gain = self.meta["base_loss"] - min(map(self.final, self.rows))

    def final(self, setting: Setting) -> float:
        loss = self.rows[setting]["final"]
        return LOST if loss is None else loss

    def near(self, setting: Setting, knob: str, direction: str, far: int = NEAR) -> list[Setting]:
        """The settings that a move of `knob` leads to, nearest first."""
        i, sign = KNOBS.index(knob), 1 if direction == "up" else -1
        axis = self.axes[i]
        here = axis.index(setting[i])
        places = [here + sign * s for s in range(1, far + 1)]
        moved = [(*setting[:i], axis[p], *setting[i + 1 :]) for p in places if 0 <= p < len(axis)]
        return [s for s in moved if s in self.rows]

    def job(self, setting: Setting) -> Job:
        row = self.rows[setting]
        curves = {"train_loss": "train", "valid_loss": "valid", "full_valid_loss": "full"}
        return Job.from_record(
            {
                "status": "failed" if row["final"] is None else "succeeded",
                "hyperparameters": dict(zip(KNOBS, setting, strict=True)),
                "n_train_examples": self.meta["n_train"],
                "n_valid_examples": self.meta["n_valid"],
                "base_valid_loss": self.meta["base_loss"],
                **{field: [point[:2] for point in row[key]] for field, key in curves.items()},
            }
        )


def count(tables: list[Table]) -> Rates:
    """For each rule: on how many jobs it fired, and how often each of its moves was right, of how many."""
    rates: Rates = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for table in tables:
        for setting in table.rows:
            for finding in _findings(table, setting):
                fired = finding.verdict == "fires"
                _add(rates[finding.rule]["fired"], fired)
                for way, right in _truths(table, setting, finding) if fired else ():
                    _add(rates[finding.rule][way], right)
    return rates


def _findings(table: Table, setting: Setting) -> tuple[Finding, ...]:
    before = [table.job(s) for s in table.near(setting, "n_epochs", "up", far=1)]
    return diagnose(measure(table.job(setting), before)).findings


def _truths(table: Table, setting: Setting, finding: Finding) -> Iterator[tuple[str, bool]]:
    now, least = table.final(setting), MATTERS * table.gain
    for move in {(m.knob, m.direction, m.aim) for m in (*finding.moves, *finding.guide_moves)}:
        knob, direction, aim = move
        near = table.near(setting, knob, direction)
        if not near:
            continue
        best = min(map(table.final, near))
        right = table.final(near[0]) <= now + least if aim == "speed" else best < now - least
        yield f"{knob} {direction}", right


def _add(pair: list[int], right: bool) -> None:
    pair[0] += right
    pair[1] += 1


def text(rates: Rates, n_tables: int) -> str:
    """The figures as the module that the rules read."""
    lines = [
        f"    {rule!r}: {{{', '.join(f'{way!r}: ({a}, {b})' for way, (a, b) in sorted(ways.items()))}}},"
        for rule, ways in sorted(rates.items())
    ]
    return (
        '"""How often each rule fired and its moves were right: data only, written by `python -m '
        'experiments.measure_rules`."""\n\n'
        f"N_TABLES = {n_tables}\n"
        "# By rule id: (jobs that it fired on, jobs); and by move: (jobs where it was right, jobs where it was possible).\n"
        "MEASURED: dict[str, dict[str, tuple[int, int]]] = {\n" + "\n".join(lines).replace("'", '"') + "\n}\n"
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit code is returned."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.measure_rules",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--tables", type=Path, default=TABLES, help="folder of *.jsonl.gz (default: the benchmark's)"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the figures and write nothing")
    args = parser.parse_args(argv)
    paths = sorted(args.tables.glob("*.jsonl.gz"))
    if not paths:
        print(f"{args.tables}: no table (*.jsonl.gz) in this folder", file=sys.stderr)
        return 2
    rates = count([Table(path) for path in paths])
    _show(rates)
    if not args.dry_run:
        TARGET.write_text(text(rates, len(paths)))
    return 0


def _show(rates: dict[str, Any]) -> None:
    for rule, ways in sorted(rates.items()):
        for way, (a, b) in sorted(ways.items()):
            print(f"{rule}  {way:32s} {a:5d} of {b:5d}  {a / b:.0%}")


if __name__ == "__main__":
    sys.exit(main())
