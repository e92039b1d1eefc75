"""The command line of `advisor`: its commands, options and examples. Imports nothing that takes time."""

from __future__ import annotations

import argparse
import math
import textwrap
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from advisor.tell.failure import UsageError
from advisor.tell.visible import visible

ABOUT = "Judge fine-tuning jobs by their curves and say, with figures, what to try next."
WIDEST, NARROWEST = 100, 20  # columns of help; no text can be filled into none
BUDGETS = ("jobs", "trained_tokens", "usd")
EPILOG = """\
examples:
  advisor recommend --experiment support-chat     what to try next, from MLflow
  advisor diagnose trainer_state.json             what a run that you have shows
  advisor data train.jsonl valid.jsonl            what the training data show
  advisor explain FT201                           what a rule looks for

exit codes: 0 done, 1 the work failed, 2 the input or usage is wrong, 130 interrupted"""


Add = Callable[[str, str, str], argparse.ArgumentParser]  # name, what about, examples


def one_source(args: argparse.Namespace) -> None:
    """Raise UsageError unless the jobs come from exactly one source."""
    given = sum(source is not None for source in (args.run_id, args.experiment, args.jobs))
    if given != 1:
        expected = "expected one of RUN_ID, --experiment NAME, --jobs FILE"
        raise UsageError([f"{given} sources of jobs given; {expected}"])


class _Parser(argparse.ArgumentParser):
    """A parser whose errors show no key: one pasted in the wrong place is repeated otherwise."""

    def error(self, message: str) -> NoReturn:
        super().error(visible(message))


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help in which commands and what they do stand in one line: argparse forgets the indent of a command."""

    def __init__(self, prog: str, width: int):
        super().__init__(prog, max_help_position=30, width=width)
        self._action_max_length = 13  # the longest command with its indent


def build(columns: int = WIDEST) -> argparse.ArgumentParser:
    """The parser of `advisor`, whose help takes no more than `columns`; `args.command` names the command."""
    width = min(max(columns - 2, NARROWEST), WIDEST)

    def described(about: str, epilog: str) -> dict[str, Any]:
        form = partial(_Formatter, width=width)
        return {
            "description": _filled(about, width),
            "epilog": _filled(epilog, width),
            "formatter_class": form,
        }

    parser = _Parser("advisor", **described(ABOUT, EPILOG))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, about: str, example: str) -> argparse.ArgumentParser:
        brief = about[:1].lower() + about[1:].rstrip(".")
        return commands.add_parser(
            name, help=brief, **described(about, "examples:\n" + textwrap.indent(example, "  "))
        )

    for add in (_recommend, _diagnose, _data, _report, _rules, _explain):
        add(command)
    return parser


def _filled(text: str, width: int) -> str:
    """The text in lines of `width`; what is indented, as examples are, stands as it is."""
    lines = text.splitlines()
    return "\n".join(line if line.startswith("  ") else textwrap.fill(line, width) for line in lines)


def _recommend(command: Add) -> None:
    p = command(
        "recommend",
        "Diagnose the newest job and propose the next setting.",
        "advisor recommend --experiment support-chat\n"
        "advisor recommend 3f2a9c81d0e94c55 --n 3 --dry-run\n"
        "advisor recommend --jobs - --space space.json --json < jobs.json\n\n"
        "jobs.json, as README.md has it under Job records:\n"
        '  [{"hyperparameters": {"n_epochs": 3, "batch_size": 8,\n'
        '                          "learning_rate_multiplier": 1},\n'
        '    "full_valid_loss": [[50, 1.42], [100, 1.31], [150, 1.36]]}]\n\n'
        'space.json: {"n_epochs": [1, 2, 3, 5], "batch_size": {"min": 1, "max": 64},\n'
        '              "learning_rate_multiplier": [0.5, 1, 2]}',
    )
    _jobs_asked_of(p)
    _what_is_asked(p)
    p.add_argument("--dry-run", action="store_true", help="do not write the advice to the MLflow run")
    p.add_argument("--no-plot", action="store_true", help="leave out the plot of the curves")
    p.add_argument("--json", action="store_true", help="answer as JSON")


def _jobs_asked_of(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "run_id",
        nargs="?",
        metavar="RUN_ID",
        help="an MLflow run (a loop, one of its jobs, a lone job), or the name of an experiment",
    )
    p.add_argument("--experiment", metavar="NAME", help="all jobs of an MLflow experiment")
    p.add_argument(
        "--jobs",
        metavar="FILE",
        help="job records as JSON (below), or a training history as for diagnose; - reads JSON from standard input",
    )
    p.add_argument(
        "--space", metavar="FILE", help="allowed values of the knobs as JSON (default: the provider's limits)"
    )


def _what_is_asked(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--n",
        type=_positive,
        default=1,
        metavar="N",
        help="how many settings to propose at once (default: 1)",
    )
    p.add_argument(
        "--objective",
        default="final",
        metavar="WHAT",
        help="final (last full validation loss, the default), best_checkpoint, or the name of an evaluation metric",
    )
    p.add_argument(
        "--budget",
        type=_budget,
        metavar="KIND=LEFT,...",
        help=f"what is left to spend, of {', '.join(BUDGETS)}: as jobs=3 or trained_tokens=200000,usd=5",
    )
    which = p.add_mutually_exclusive_group()  # the guide knows no second seed
    which.add_argument(
        "--replicate",
        action="store_true",
        help="where the two best are within noise, offer the best again with a new seed",
    )
    which.add_argument("--guide-only", action="store_true", help="follow the guide's rules to the letter")
    p.add_argument("--no-prior", action="store_true", help="leave out what earlier tables of jobs taught")


def _diagnose(command: Add) -> None:
    p = command(
        "diagnose",
        "Say what the curves of a finished or running job show.",
        "advisor diagnose checkpoints/trainer_state.json\nadvisor diagnose step_metrics.csv --json\nadvisor diagnose 3f2a9c81d0e94c55",
    )
    p.add_argument(
        "source",
        metavar="PATH|RUN_ID",
        help="a trainer_state.json, an OpenAI result CSV, a log of LLaMA-Factory, axolotl, Keras, Lightning or W&B, a "
        "TensorBoard folder, a file of job records, an MLflow run, or the name of an experiment",
    )
    p.add_argument("--no-plot", action="store_true", help="leave out the plot of the curves")
    p.add_argument("--json", action="store_true", help="answer as JSON")


def _data(command: Add) -> None:
    p = command(
        "data",
        "Say what training and validation data show: broken rows (exit code 1), duplicates, leakage, weak spots.",
        "advisor data train.jsonl valid.jsonl\nadvisor data train.jsonl valid.jsonl --losses losses.jsonl --show-text",
    )
    p.add_argument(
        "train", metavar="TRAIN", help="training file (JSONL: chat or prompt/completion); held in memory"
    )
    p.add_argument("valid", nargs="?", metavar="VALID", help="validation file")
    p.add_argument(
        "--losses",
        metavar="FILE",
        help="loss of each validation example: JSONL of {line, loss, tokens}, as onprem writes it",
    )
    p.add_argument("--show-text", action="store_true", help="show the examples' text (never done otherwise)")
    p.add_argument("--json", action="store_true", help="answer as JSON")


def _report(command: Add) -> None:
    p = command(
        "report",
        "Write a self-contained HTML page: curves with the evidence drawn on them, jobs compared; or the words alone, as Markdown or JSON.",
        "advisor report 3f2a9c81d0e94c55 -o report.html\nadvisor report jobs.json -o advice.md",
    )
    p.add_argument(
        "source", metavar="PATH|RUN_ID", help="a file, a run or an experiment, as for `advisor diagnose`"
    )
    p.add_argument(
        "-o",
        "--output",
        default="report.html",
        metavar="FILE",
        help="where to write it, and by its ending what: .html or .htm, .md, .json; - is the page on standard output "
        "(default: report.html)",
    )
    p.add_argument("--space", metavar="FILE", help="allowed values of the knobs as JSON")


def _rules(command: Add) -> None:
    p = command(
        "rules",
        "List all rules with what was measured of them.",
        "advisor rules\nadvisor rules --markdown > RULES.md",
    )
    p.add_argument("--markdown", action="store_true", help="the whole page of rules as Markdown (RULES.md)")
    p.add_argument("--json", action="store_true", help="answer as JSON")


def _explain(command: Add) -> None:
    p = command("explain", "Explain one rule.", "advisor explain FT201\nadvisor explain overfitting")
    p.add_argument("rule", metavar="RULE", help="id or name of a rule")
    p.add_argument("--json", action="store_true", help="answer as JSON")


def _budget(text: str) -> dict[str, float]:
    left: dict[str, float] = {}
    for part in text.split(","):
        kind, _, amount = (word.strip() for word in part.partition("="))
        value = _amount(amount, whole=kind == "jobs")
        if kind not in BUDGETS or value is None:
            raise argparse.ArgumentTypeError(
                f"{part!r} is no KIND=LEFT with a kind of {', '.join(BUDGETS)}, and what is left: a number of at "
                "least 0, whole for jobs"
            )
        if kind in left:
            raise argparse.ArgumentTypeError(f"{kind} is given twice in {text!r}; expected each kind once")
        left[kind] = value
    return left


def _amount(text: str, whole: bool) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 and not (whole and value % 1) else None


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return value
