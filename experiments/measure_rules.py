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
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from advisor.diagnosis import diagnose
from advisor.measure import measure
from advisor.nouns import Finding, Job, Move
from experiments.benchmark.tables import FOLDER, KNOBS, Key, Table, read_all

TARGET = Path(__file__).parents[1] / "advisor" / "rules" / "measured.py"
FURTHER = ("more", "other", "onprem")  # folders of tables beside the benchmark's six
NEAR = 2  # values of the knob that a move may go
MATTERS = 0.002  # of the attainable gain

Rates = dict[str, dict[str, list[int]]]  # by rule and way, as "n_epochs down"


def near(table: Table, setting: Key, knob: str, direction: str, far: int = NEAR) -> list[Key]:
    """The settings that a move of `knob` leads to, nearest first."""
    i, sign = KNOBS.index(knob), 1 if direction == "up" else -1
    axis = table.axes[i]
    places = [axis.index(setting[i]) + sign * s for s in range(1, far + 1)]
    return [(*setting[:i], axis[p], *setting[i + 1 :]) for p in places if 0 <= p < len(axis)]


def count(tables: list[Table]) -> Rates:
    """For each rule: on how many jobs it fired, and how often each of its moves was right, of how many.

    What a rule names as its own move on some jobs, and as the guide's on others, counts where it is its own.
    """
    own: Rates = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    guide: Rates = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for table in tables:
        for setting in table.rows:
            for finding in _findings(table, setting):
                fired = finding.fires
                _add(own[finding.rule]["fired"], fired)
                for rates, moves in ((own, finding.moves), (guide, finding.guide_moves)) if fired else ():
                    for way, right in _truths(table, setting, moves):
                        _add(rates[finding.rule][way], right)
    return {rule: {**guide[rule], **ways} for rule, ways in own.items()}


def _findings(table: Table, setting: Key) -> tuple[Finding, ...]:
    before = [Job.from_record(table.record(s)) for s in near(table, setting, "n_epochs", "up", far=1)]
    return diagnose(measure(Job.from_record(table.record(setting)), before)).findings


def _truths(table: Table, setting: Key, moves: Sequence[Move]) -> Iterator[tuple[str, bool]]:
    now, least = table.final(setting), MATTERS * table.gain
    for knob, direction, aim in {(m.knob, m.direction, m.aim) for m in moves}:
        moved = [table.final(s) for s in near(table, setting, knob, direction)]
        if moved:
            right = moved[0] <= now + least if aim == "speed" else min(moved) < now - least
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
        "--tables",
        type=Path,
        nargs="+",
        default=[FOLDER, *map(FOLDER.joinpath, FURTHER)],
        metavar="FOLDER",
        help="folders of *.jsonl.gz (default: all of the benchmark's)",
    )
    parser.add_argument("--dry-run", action="store_true", help="show the figures and write nothing")
    args = parser.parse_args(argv)
    try:
        tables = [t for folder in args.tables for t in read_all(folder)]
    except (FileNotFoundError, ValueError) as problem:
        print(f"measure_rules: {problem}", file=sys.stderr)
        return 2
    rates = count(tables)
    _show(rates)
    if not args.dry_run:
        TARGET.write_text(text(rates, len(tables)))
    return 0


def _show(rates: dict[str, Any]) -> None:
    for rule, ways in sorted(rates.items()):
        for way, (a, b) in sorted(ways.items()):
            print(f"{rule}  {way:32s} {a:5d} of {b:5d}  {a / b:.0%}")


if __name__ == "__main__":
    sys.exit(main())
