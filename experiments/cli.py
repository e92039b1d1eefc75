"""The `experiments` command. Nothing heavy is imported before a command runs, so that --help answers at once."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

EXAMPLES = {
    "spec": """\
  experiments spec --explain                     every key of a SPEC.toml, with a commented example
  experiments spec helpdesk.toml                 all mistakes of the file and of its data, before anything is sent
""",
    "run": """\
  experiments run helpdesk.toml                  tune until the advisor says stop or the budget ends
  experiments run helpdesk.toml --max-jobs 8     the same loop goes on with a larger budget
""",
    "status": """\
  experiments status                             every loop, newest first
  experiments status helpdesk                    the table of a loop, running or not
""",
    "demo": """\
  experiments demo                               four real jobs on the shipped data, in a minute or two
""",
}
RESUME = "Interrupted anywhere and started again, a loop goes on where it stood and submits no job twice."
CODES = "exit codes: 0 done, 1 the work failed, 2 the input or usage is wrong, 130 interrupted (Ctrl-C)"


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit code is returned."""
    args = _parser().parse_args(argv)
    try:
        return args.command(args)
    except KeyboardInterrupt:
        print(
            "interrupted; jobs submitted so far, if any, run on at the provider, and started again the loop "
            "goes on with them",
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
    parser = argparse.ArgumentParser(
        prog="experiments", description="The tuning loop.", **_helped("".join(EXAMPLES.values()))
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, help: str, description: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, description=description, **_helped(EXAMPLES[name]))

    run = command(
        "run",
        "run a loop, or go on with it",
        "Submit a job, follow it, ask the advisor, submit what it proposes, until it says stop or the budget ends.",
    )
    run.add_argument("spec", metavar="SPEC.toml", help="what to tune, see `experiments spec --explain`")
    _loop_options(run)
    run.set_defaults(command=_run)

    spec = command(
        "spec",
        "explain or check a SPEC.toml",
        "Check a SPEC.toml and the data files that it names, or tell every key with its meaning. Asks no provider.",
    )
    spec.add_argument("spec", metavar="SPEC.toml", nargs="?", help="check this file")
    spec.add_argument("--explain", action="store_true", help="every key with its meaning, and an example")
    spec.add_argument("--json", action="store_true", help="the checked spec as JSON")
    spec.set_defaults(command=_spec)

    status = command(
        "status",
        "show a loop, or all",
        "Show loops as MLflow has them. Asks no provider and changes nothing.",
    )
    status.add_argument(
        "name",
        nargs="?",
        help="a loop's name (the newest of it) or the beginning of its run's id; without it all loops are listed",
    )
    status.add_argument("--json", action="store_true", help="as JSON")
    status.set_defaults(command=_status)

    demo = command(
        "demo",
        "four real jobs, end to end",
        "Start a server on this machine, run a loop of four real jobs on shipped data, show what came of them.",
    )
    demo.add_argument("--seed", type=int, default=0, help="seed of the training jobs (default 0)")
    demo.add_argument("--json", action="store_true", help="print the result as JSON")
    demo.set_defaults(command=_demo)
    return parser


def _helped(examples: str) -> dict[str, Any]:
    """What every --help ends with."""
    return {
        "epilog": f"examples:\n{examples}\n{RESUME}\n{CODES}\n",
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }


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
    print(f"loop {spec.name!r}: opening", file=sys.stderr)
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
    from experiments.loop_run import sizes

    sizes(spec)  # bad lines of the data are mistakes, too
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
            where = f"{loop['name']:<30} {loop['run_id'][:8]}  {loop['experiment']:<24}"
            print(f"{where} {loop['jobs']:>3} jobs  {loop['state']}")
    return 0


def _demo(args: argparse.Namespace) -> int:
    from experiments.demo import data_folder, demo

    _end_on_sigterm()
    code = _report(demo(args.seed), args.json)
    if not args.json:
        print(f"The models are kept, until you remove the folder: onprem serve --data-dir {data_folder()}")
    return code
