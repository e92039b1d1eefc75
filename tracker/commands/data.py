"""`tracker data check|convert|split|stats`: training files, before any of them is uploaded."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tracker.commands.progress import Bar
from tracker.commands.shared import many

EXAMPLES = """examples:
  tracker data check train.jsonl valid.jsonl
  tracker data convert alpaca.json train.jsonl
  tracker data split all.jsonl --valid 0.1 --test 0.1 --out data/
  tracker data stats train.jsonl --json

Nothing of the text is ever printed: bad lines are named by number."""


def add(subparsers: Any) -> None:
    """Declare the command."""
    data = subparsers.add_parser(
        "data",
        help="check, convert, split and count training files",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = data.add_subparsers(dest="verb", required=True, metavar="check|convert|split|stats")
    makers = (_check_options, _convert_options, _split_options, _stats_options)
    check, convert, split, stats = (options(verbs) for options in makers)
    data.set_defaults(run=run)
    for verb in (check, convert, split, stats):
        verb.add_argument("--json", action="store_true", help="answer as JSON")
    for verb in (convert, split):
        verb.add_argument("--force", action="store_true", help="replace files that exist")


def _check_options(verbs: Any) -> argparse.ArgumentParser:
    check = verbs.add_parser("check", help="name every bad line of training files")
    check.add_argument("files", nargs="+", metavar="FILE")
    check.add_argument(
        "--kind",
        choices=("chat", "completion", "preference"),
        help="the form of every line (default: the first's)",
    )
    return check


def _convert_options(verbs: Any) -> argparse.ArgumentParser:
    convert = verbs.add_parser("convert", help="ShareGPT, Alpaca, HH, prompt/completion, CSV to chat JSONL")
    convert.add_argument("source", metavar="FROM")
    convert.add_argument("target", metavar="TO.jsonl")
    convert.add_argument(
        "--form",
        choices=("chat", "sharegpt", "alpaca", "hh", "pair"),
        help="the form of FROM (default: each row's keys tell)",
    )
    convert.add_argument(
        "--skip-bad", action="store_true", help="leave bad rows out instead of refusing the file"
    )
    return convert


def _split_options(verbs: Any) -> argparse.ArgumentParser:
    split = verbs.add_parser("split", help="train, valid and test parts that share no prompt")
    split.add_argument("file", metavar="FILE")
    split.add_argument(
        "--valid",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="share of the validation part (default %(default)s)",
    )
    split.add_argument(
        "--test",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of a test part, for the final word (default: none)",
    )
    split.add_argument(
        "--seed", type=int, default=0, help="another seed, another split (default %(default)s)"
    )
    split.add_argument("--by", choices=("opening", "prompt"), default="opening", help="what no two parts may share: the first user message, or the whole prompt (default %(default)s)")  # fmt: skip
    split.add_argument(
        "--out",
        default=".",
        metavar="FOLDER",
        help="where train.jsonl, valid.jsonl, test.jsonl go (default: here)",
    )
    return split


def _stats_options(verbs: Any) -> argparse.ArgumentParser:
    stats = verbs.add_parser("stats", help="examples, turns and tokens of a training file")
    stats.add_argument("file", metavar="FILE")
    return stats


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    return {"check": _check, "convert": _convert, "split": _split, "stats": _stats}[args.verb](args)


def _check(args: argparse.Namespace) -> int:
    from tracker.data.check import check_file

    with Bar("bytes") as bar:
        reports = [check_file(path, args.kind, bar.update) for path in args.files]
    if args.json:
        print(json.dumps([report.to_record() for report in reports], indent=2))
    for report in () if args.json else reports:
        for line in (*report.problems, *(f"{report.path}: warning: {w}" for w in report.warnings)):
            print(line, file=sys.stderr)
        verdict = "good" if report.ok else many(report.n_bad_lines, "bad line")
        print(f"{report.path}: {verdict}; {report.n_examples} {report.kind or ''} examples, "
              f"{report.tokens} tokens ({report.tokens_by}), sha256 {report.sha256[:12]}")  # fmt: skip
    return 0 if all(report.ok for report in reports) else 1


def _convert(args: argparse.Namespace) -> int:
    from tracker.data.convert import convert_file

    with Bar("rows") as bar:
        done = convert_file(
            args.source,
            args.target,
            args.form,
            skip_bad=args.skip_bad,
            force=args.force,
            on_progress=bar.update,
        )
    if args.json:
        print(json.dumps(done.to_record(), indent=2))
        return 0
    for error in done.errors:
        print(f"{done.source}: {error}", file=sys.stderr)
    forms = ", ".join(f"{n} {name}" for name, n in done.forms.items())
    left_out = f", {done.n_bad} bad rows left out" if done.n_bad else ""
    print(f"{done.target}: {done.n_written} examples ({forms}){left_out}")
    return 0


def _split(args: argparse.Namespace) -> int:
    from tracker.data.split import split_file

    shares = {"train": 1 - args.valid - args.test, "valid": args.valid}
    if args.test:
        shares["test"] = args.test
    with Bar("bytes") as bar:
        parts = split_file(
            args.file, args.out, shares, seed=args.seed, by=args.by, force=args.force, on_progress=bar.update
        )
    total = sum(part.n_examples for part in parts)
    if args.json:
        print(json.dumps([vars(part) for part in parts], indent=2))
        return 0
    for part in parts:
        share = part.n_examples / total
        print(
            f"{part.path}: {part.n_examples} examples ({share:.1%}, asked {shares[part.name]:.1%}), sha256 {part.sha256[:12]}"
        )
    return 0


def _stats(args: argparse.Namespace) -> int:
    from tracker.data.stats import file_stats

    with Bar("bytes") as bar:
        stats = file_stats(args.file, bar.update)
    if args.json:
        print(json.dumps(stats.to_record(), indent=2))
        return 0
    print(
        f"{stats.path}: {stats.n_examples} {stats.kind or ''} examples, {many(stats.n_bad_lines, 'bad line')}, sha256 {stats.sha256[:12]}"
    )
    print(f"tokens: {stats.tokens} ({stats.tokens_by})")
    for title, figures in (
        ("example", stats.example_tokens),
        ("answer", stats.answer_tokens),
        ("messages", stats.messages),
    ):
        if figures:
            unit = "per example" if title == "messages" else "tokens"
            print(
                f"{title:>9}: " + ", ".join(f"{name} {value}" for name, value in figures.items()) + f" {unit}"
            )
    print("    roles: " + (", ".join(f"{role} {n}" for role, n in stats.roles.items()) or "none"))
    return 0
