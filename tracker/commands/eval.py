"""`tracker eval RUN|MODEL TEST.jsonl`: scores of the tuned model and its base model on held-out prompts."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tracker.commands.progress import Bar
from tracker.commands.shared import command, endpoint_options, open_session


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "eval",
        "Score a tuned model and its base model side by side on held-out prompts.",
        "tracker eval 3f2a9c... test.jsonl --metric 'regex:answer: (\\w+)'",
    )
    parser.add_argument("model", metavar="RUN|MODEL", help="a run, a job or a model; of a loop, its best job")
    parser.add_argument(
        "test", metavar="TEST.jsonl", help="examples that no job has seen, as training files have them"
    )
    parser.add_argument(
        "--metric",
        default="exact_match",
        help="exact_match, f1, regex:PATTERN, or cmd:COMMAND, which is given JSON lines (prompt, answer, wanted) and prints "
        "a number for each (default: %(default)s)",
    )
    parser.add_argument("--no-base", action="store_true", help="do not ask the base model")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N examples alone")
    parser.add_argument(
        "--max-tokens", type=int, default=512, metavar="N", help="of an answer (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    endpoint_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from tracker.commands.table import print_table
    from tracker.use.score import evaluate

    with open_session(args) as session, Bar("answers") as bar:
        result = evaluate(
            session,
            args.model,
            args.test,
            args.metric,
            base=not args.no_base,
            limit=args.limit,
            max_tokens=args.max_tokens,
            on_progress=bar.update,
        )
    if args.json:
        print(json.dumps(result, indent=2))
        return 0
    rows = [
        [kind, entry.get("model"), entry["score"], *(entry["interval"] or (None, None)), entry["n"]]
        for kind in ("tuned", "base", "gain")
        if (entry := result[kind])
    ]
    print_table(["", "model", result["metric"], "95 % from", "to", "n"], rows)
    where = f"run {result['run_id']}" if result["run_id"] else "nowhere: no run of this model is known"
    print(f"Logged to {where}.")
    return 0
