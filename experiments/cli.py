"""The `experiments` command. Nothing heavy is imported before a command runs, so that --help answers at once."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

EXAMPLES = """\
examples:
  experiments spec --explain                     every key of a SPEC.toml, with a commented example
  experiments run helpdesk.toml                  tune until the advisor says stop or the budget ends
  experiments run helpdesk.toml --max-jobs 8     the same loop goes on with a larger budget
  experiments status helpdesk                    the table of a loop, running or not
  experiments demo                               four real jobs on the shipped data, in a minute or two

Interrupted anywhere and started again, a loop goes on where it stood and submits no job twice.
exit codes: 0 done, 1 the work failed, 2 the input or usage is wrong, 130 interrupted (Ctrl-C)
"""


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit code is returned."""
    args = _parser().parse_args(argv)
    try:
        return args.command(args)
    except KeyboardInterrupt:
        print(
            "interrupted; jobs at the provider run on, and started again the loop goes on with them",
            file=sys.stderr,
        )
        return 130
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        print(f"experiments: {error}", file=sys.stderr)
        return code


def _exit_code(error: Exception) -> int | None:
    """2 for input or usage, 1 for work that failed, None for a fault of ours, whose traceback is wanted."""
    from advisor.records import RecordError
    from experiments.errors import DemoFailed, JobLost, UsageError
    from tracker.errors import InputError, TrackerError

    if isinstance(error, UsageError | RecordError | InputError):
        return 2
    return 1 if isinstance(error, DemoFailed | JobLost | TrackerError) else None


def _parser() -> argparse.ArgumentParser:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="experiments", description="The tuning loop.", epilog=EXAMPLES, formatter_class=plain
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run", help="run a loop, or go on with it", epilog=EXAMPLES, formatter_class=plain
    )
    run.add_argument("spec", metavar="SPEC.toml", help="what to tune, see `experiments spec --explain`")
    _loop_options(run)
    run.set_defaults(command=_run)

    spec = commands.add_parser(
        "spec", help="explain or check a SPEC.toml", epilog=EXAMPLES, formatter_class=plain
    )
    spec.add_argument("spec", metavar="SPEC.toml", nargs="?", help="check this file")
    spec.add_argument("--explain", action="store_true", help="every key with its meaning, and an example")
    spec.add_argument("--json", action="store_true", help="the checked spec as JSON")
    spec.set_defaults(command=_spec)

    status = commands.add_parser("status", help="show a loop, or all", epilog=EXAMPLES, formatter_class=plain)
    status.add_argument("name", nargs="?", help="a loop's name; without it all loops are listed")
    status.add_argument("--json", action="store_true", help="as JSON")
    status.set_defaults(command=_status)

    demo = commands.add_parser(
        "demo", help="four real jobs, end to end", epilog=EXAMPLES, formatter_class=plain
    )
    demo.add_argument("--seed", type=int, default=0, help="seed of the training jobs (default 0)")
    demo.add_argument("--json", action="store_true", help="print the result as JSON")
    demo.set_defaults(command=_demo)
    return parser


def _loop_options(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "--max-jobs", type=_positive, metavar="N", help="jobs in all, instead of the spec's budget"
    )
    run.add_argument("--max-trained-tokens", type=_positive, metavar="N", help="trained tokens in all")
    run.add_argument("--max-cost", type=_dollars, metavar="USD", help="US dollars in all")
    run.add_argument("--parallel", type=_positive, metavar="K", help="jobs at a time")
    run.add_argument("--new", action="store_true", help="begin afresh, even where a loop of this name exists")
    run.add_argument("--ignore-stop", action="store_true", help="use the whole budget")
    run.add_argument(
        "--base-url", metavar="URL", help="the provider's address (default: the spec's, OPENAI_BASE_URL)"
    )
    run.add_argument("--json", action="store_true", help="print the result as JSON")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of at least 1")
    return int(text)


def _dollars(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number above 0")
    return value


def _end_on_sigterm() -> None:
    """An asked-for end is as orderly as Ctrl-C: what is known reaches MLflow, a demonstration's server is stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _run(args: argparse.Namespace) -> int:
    _end_on_sigterm()
    from experiments.spec import load

    spec = load(args.spec)  # its mistakes are told before anything heavy is loaded
    from experiments.loop_run import Options, run_spec

    options = Options(
        max_jobs=args.max_jobs,
        max_trained_tokens=args.max_trained_tokens,
        max_cost=args.max_cost,
        parallel=args.parallel,
        ignore_stop=args.ignore_stop,
        new=args.new,
        base_url=args.base_url,
    )
    return _report(run_spec(spec, options), args.json)


def _report(result, as_json: bool) -> int:
    """Print a loop; 1 where it has ended without a single job that succeeded."""
    from rich.console import Console

    from experiments.table import keep_words, terminal

    if as_json:
        print(json.dumps(result.to_record(), indent=2))
    else:
        console = Console()
        console.print(terminal(result))
        console.print(f"\n{keep_words(result.keep)}", highlight=False, soft_wrap=True)
        if result.end:
            console.print(f"Ended: {result.end.words}.", highlight=False, soft_wrap=True)
        console.print(f"Look at it: tracker ui {result.name}", highlight=False)
    return 1 if result.end and not result.succeeded else 0


def _spec(args: argparse.Namespace) -> int:
    from experiments.spec import load
    from experiments.spec_explain import explain

    if args.explain or not args.spec:
        print(explain())
        return 0
    spec = load(args.spec)
    print(
        json.dumps(spec.identity(), indent=2) if args.json else f"{Path(args.spec)}: good; loop {spec.name!r}"
    )
    return 0


def _status(args: argparse.Namespace) -> int:
    from experiments.loop_status import every_loop, one_loop

    if args.name:
        return _report(one_loop(args.name), args.json)
    loops = every_loop()
    if args.json:
        print(json.dumps(loops, indent=2))
    else:
        for loop in loops:
            print(f"{loop['name']:<30} {loop['experiment']:<24} {loop['jobs']:>3} jobs  {loop['state']}")
    return 0


def _demo(args: argparse.Namespace) -> int:
    from experiments.demo import demo

    _end_on_sigterm()
    return _report(demo(args.seed), args.json)
