"""`tracker chat RUN|MODEL`: talk to a tuned model, side by side with its base model. Nothing said is stored."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from tracker.commands.shared import command, endpoint_options, open_session


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "chat",
        "Talk to a tuned model beside its base model. Every request says store=false.",
        "tracker chat 3f2a9c... --message 'Where is my parcel?'",
    )
    parser.add_argument("model", metavar="RUN|MODEL", help="a run, a job or a model; of a loop, its best job")
    parser.add_argument("--message", metavar="TEXT", help="ask this one thing and end; else a conversation")
    parser.add_argument("--system", metavar="TEXT", help="the system message")
    parser.add_argument("--no-base", action="store_true", help="the tuned model alone")
    parser.add_argument("--temperature", type=float, help="0 to 2 (default: the provider's)")
    parser.add_argument(
        "--max-tokens", type=int, default=512, metavar="N", help="of an answer (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="answer as one JSON object per line, by model")
    endpoint_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from tracker.use.ask import Speaker
    from tracker.use.chat import Conversation
    from tracker.use.target import find_target

    with open_session(args) as session:
        target = find_target(args.model, session.tracking_uri)
        names = [target.model] + ([target.base] if target.base and not args.no_base else [])
        options = {"temperature": args.temperature, "max_tokens": args.max_tokens}
        talk = Conversation([Speaker(session.endpoint, name, **options) for name in names], args.system)
        for said in [args.message] if args.message else _lines(names):
            _show(session.wait(talk.say(said)), args.json)
    return 0


def _lines(names: list[str]) -> Any:
    """What the user types, until the input ends; a prompt only where somebody sits there."""
    if sys.stdin.isatty():
        print(f"Talking to {' and '.join(names)}. End with Ctrl-D.", file=sys.stderr)
    while True:
        if sys.stdin.isatty():
            print("> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.strip()


def _show(answers: dict[str, str], as_json: bool) -> None:
    import json

    if as_json:
        print(json.dumps(answers, ensure_ascii=False), flush=True)
        return
    for model, answer in answers.items():
        print(f"{model}: {answer}" if len(answers) > 1 else answer, flush=True)
