"""Whence the command has its jobs: a file, a run, an experiment, standard input. What is missing is a usage error."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.tell.failure import UsageError

if TYPE_CHECKING:
    from advisor.nouns import SearchSpace
    from advisor.tell.request import Request


def jobs_asked(args) -> Request:
    """The jobs that `recommend` is asked about, from exactly one source."""
    given = [s for s in (args.run_id, args.experiment, args.jobs) if s is not None]
    if len(given) != 1:
        expected = "expected one of RUN_ID, --experiment NAME, --jobs FILE"
        raise UsageError([f"{len(given)} sources of jobs given; {expected}"])
    from advisor.tell.request import parse

    space = _json_of(args.space)
    if args.jobs:
        return _told_in(args.jobs, space)
    import tracker

    found = tracker.records(experiment=args.experiment, run_id=args.run_id)
    return parse([{"experiment": args.experiment} | record for record in found], space)


def _told_in(path: str, space: Any) -> Request:
    """Our own JSON, or else any training history that `tracker` can read."""
    from advisor.tell.request import is_ours, parse

    if path == "-" or not path.endswith((".csv", ".jsonl")):
        body = _json_of(path)
        if path == "-" or is_ours(body):
            return parse(body, space)
    must_exist(path)
    import tracker

    return parse(tracker.read(path), space)


def read(source: str, space_file: str | None = None) -> Request:
    """Jobs from a file that `tracker` can read, or else from the MLflow run of that id."""
    import tracker
    from advisor.tell.request import is_question, parse

    space = _json_of(space_file)
    if (os.sep in source or "." in source) and not Path(source).exists():  # no run's id looks like this
        raise UsageError([f"{source}: no such file"])
    if source.endswith(".json") and Path(source).is_file() and is_question(asked := _json_of(source)):
        return parse(asked, space)
    found = tracker.read(source) if Path(source).exists() else tracker.records(run_id=source)
    return parse(found, space)


def space_of(request: Request) -> SearchSpace | None:
    """The limits of the newest job's provider, where it is one that `tracker` knows."""
    about = request.records[-1] if request.records else request.context or {}
    from tracker.providers import NAMES, find

    if about.get("provider") not in NAMES:
        return None
    from advisor.nouns import SearchSpace
    from advisor.space_record import default_space

    theirs = SearchSpace.from_record(find(about["provider"]).space(about.get("model")))
    asked = default_space(request.jobs)
    if not request.jobs or asked.rate_name == theirs.rate_name:
        return theirs
    return replace(theirs, rate=asked.rate, rate_name=asked.rate_name)  # the jobs count rates otherwise


def _json_of(path: str | None) -> Any:
    from advisor.tell.request import decode

    return None if path is None else decode(text_of(path), "standard input" if path == "-" else path)


def text_of(path: str) -> str:
    if path == "-":
        return sys.stdin.read()
    must_exist(path)
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError([f"{path}: no UTF-8 text ({error.reason} at byte {error.start})"]) from None


def must_exist(path: str) -> None:
    if not Path(path).is_file():
        raise UsageError([f"{path}: {'is no file' if Path(path).exists() else 'no such file'}"])
