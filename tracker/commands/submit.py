"""``tracker submit``: check the files, make a job, follow it into MLflow."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tracker.commands.shared import command, endpoint_options, open_session, told_aside


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "submit",
        "Make a fine-tuning job and follow it into MLflow.",
        "tracker submit train.jsonl --valid valid.jsonl --model gpt-4o-mini --epochs 3",
    )
    parser.add_argument("train", type=Path, metavar="TRAIN.jsonl", help="training examples")
    parser.add_argument("--valid", type=Path, metavar="VALID.jsonl", help="validation examples")
    parser.add_argument("--model", required=True, help="the base model")
    parser.add_argument("--epochs", type=_value, metavar="N", help="n_epochs, or auto")
    parser.add_argument("--batch-size", type=_value, metavar="N", help="batch_size, or auto")
    parser.add_argument("--learning-rate-multiplier", type=_value, metavar="X", help="or auto")
    parser.add_argument(
        "--learning-rate", type=_value, metavar="X", help="absolute, where the provider has no multiplier"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a further setting of the provider"
    )
    parser.add_argument(
        "--extra", action="append", default=[], metavar="KEY=VALUE", help="a further field of the request"
    )
    parser.add_argument("--seed", type=int)
    parser.add_argument("--suffix", help="part of the tuned model's name")
    parser.add_argument(
        "--experiment", metavar="NAME", help="MLflow experiment (default: the training file's stem)"
    )
    parser.add_argument(
        "--key", metavar="KEY", help="your own id of the job: the same key never makes a second job"
    )
    parser.add_argument(
        "--log-data",
        action="store_true",
        help="keep the data files in MLflow too (else digests and counts only)",
    )
    parser.add_argument(
        "--detach", action="store_true", help="return once the job is made; tracker watch follows it"
    )
    parser.add_argument("--json", action="store_true", help="answer with the job as JSON")
    endpoint_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from tracker.display import Progress
    from tracker.estimate import estimate
    from tracker.jobs import LOST, JobRequest

    settings = {
        "n_epochs": args.epochs,
        "batch_size": args.batch_size,
        "learning_rate_multiplier": args.learning_rate_multiplier,
        "learning_rate": args.learning_rate,
        **_pairs(args.set),
    }
    request = JobRequest(
        args.train,
        args.valid,
        args.model,
        {key: value for key, value in settings.items() if value is not None},
        args.seed,
        args.suffix,
        args.experiment,
        extra=_pairs(args.extra),
        log_data=args.log_data,
    )
    with open_session(args) as session:
        for line in estimate(session.provider, request):
            print(line, file=sys.stderr)
        job = session.submit(request, job_key=args.key)
        print(f"Job {job.id} made; its run is {job.run_id}.", file=sys.stderr)
        if not args.detach:
            with Progress() as progress:
                session.follow([job], on_update=progress.update)
        incomplete = told_aside(session)
    if args.json:
        print(json.dumps(vars(job)))
    elif not args.detach:
        print(_told(job))
    return 1 if incomplete or job.status in ("failed", "cancelled", LOST) else 0


def _told(job: Any) -> str:
    losses = {"validation loss": job.full_valid_loss or job.valid_loss, "training loss": job.train_loss}
    figures = ", ".join(f"{name} {value:.4g}" for name, value in losses.items() if value is not None)
    reason = f": {job.error}" if job.error else ""
    model = f"\nModel: {job.fine_tuned_model}" if job.fine_tuned_model else ""
    return f"{job.id} {job.status}{reason}. {figures}{model}\nRun: {job.run_id}"


def _value(text: str) -> float | int | str:
    """Return a number where the text is one, whole where it is whole; "auto" stays."""
    from tracker.jobrecords import number

    value = number(text)
    if isinstance(value, str) and value != "auto":
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor auto")
    return value


def _pairs(texts: list[str]) -> dict[str, Any]:
    from tracker.errors import InputError
    from tracker.jobrecords import number

    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise InputError([f"{text!r} is no KEY=VALUE." for text in wrong])
    flags = {"true": True, "false": False}
    pairs = (text.split("=", 1) for text in texts)
    return {key: flags.get(value.lower(), number(value)) for key, value in pairs}
