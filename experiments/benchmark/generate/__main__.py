"""Makes a table from rows of your own: a tiny model, really fine-tuned at every setting of a grid.

    python -m experiments.benchmark.generate orders.jsonl --text corpus.txt --out tables/orders.jsonl.gz
    python -m experiments.benchmark.fit_prior experiments/benchmark/tables tables   # and let the advisor learn from it

ROWS is JSONL, {"prompt": ..., "completion": ...} or {"messages": [...]} a line; one row in five is kept for validation
(at least 20, at most 100). TEXT is what the model reads before. One core needs about a quarter of an hour a table.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

LEAST_ROWS = 40


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.benchmark.generate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", type=Path)
    parser.add_argument("--text", type=Path, required=True, help="plain text, a megabyte or more")
    parser.add_argument("--out", type=Path, required=True, help="NAME.jsonl.gz; NAME becomes the task's name")
    parser.add_argument("--schedule", choices=("constant", "linear", "cosine"), default="constant")
    parser.add_argument("--lora-rank", type=int, default=None)
    parser.add_argument("--base-rate", type=float, default=1e-3, help="learning rate at multiplier 1")
    parser.add_argument("--pretrain-steps", type=int, default=1500)
    args = parser.parse_args(argv)
    rows, problems = read_rows(args.rows)
    if not args.text.exists():
        problems.append(f"{args.text} does not exist; expected a file of plain text")
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 2
    from experiments.benchmark.generate.train import Design, pretrain, table

    design = Design(schedule=args.schedule, rank=args.lora_rank, base_rate=args.base_rate)
    base = pretrain(args.text.read_bytes(), design.shape, args.pretrain_steps)
    random.Random(0).shuffle(rows)
    n_valid = min(100, max(20, len(rows) // 5))
    table(args.out.name.split(".")[0], base, rows[n_valid:], rows[:n_valid], design, args.out)
    return 0


def read_rows(path: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Prompts and answers, and what is wrong with the file, all of it."""
    if not path.exists():
        return [], [f"{path} does not exist; expected JSONL with a prompt and a completion a line"]
    rows, problems = [], []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        pair = _pair(line)
        if pair:
            rows.append(pair)
        elif line.strip():
            problems.append(
                f'{path} line {number}: expected {{"prompt", "completion"}} or {{"messages"}}, as texts'
            )
    if len(rows) < LEAST_ROWS and not problems:
        problems.append(f"{path} has {len(rows)} rows; expected at least {LEAST_ROWS}")
    return rows, problems


def _pair(line: str) -> tuple[str, str] | None:
    try:
        row: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    if isinstance(row.get("messages"), list) and len(row["messages"]) > 1:
        texts = [m.get("content") if isinstance(m, dict) else None for m in row["messages"]]
        pair = ("\n".join(map(str, texts[:-1])), texts[-1])
    else:
        pair = (row.get("prompt"), row.get("completion"))
    return pair if all(isinstance(t, str) and t for t in pair) else None


if __name__ == "__main__":
    sys.exit(main())
