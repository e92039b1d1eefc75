"""The command `advisor`, the one door of the advisor that reads and writes.

Asks `tracker` for records, gives them to the pure parts, prints what these answer. Heavy imports stand in functions:
`--help` answers in a blink.

Exit codes: 0 done, 1 the work failed, 2 the input or usage is wrong.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from shlex import quote
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from advisor.put import STDOUT, must_lose_nothing, put
from advisor.tell.as_json import answer, dumps, plain
from advisor.tell.by_ending import writer
from advisor.tell.failure import UsageError, exit_code, problem_lines
from advisor.tell.ink import Ink, printable
from advisor.tell.parser import build, one_source
from advisor.tell.visible import visible

if TYPE_CHECKING:
    from advisor.datacheck import Report
    from advisor.nouns import Advice, Finding, SearchSpace
    from advisor.tell.request import Request

DATA = ("train_file", "valid_file", "validation_examples")  # a record's fields that name data files
LOOKED_AT = 8 * 2**20  # bytes of data files that are looked at without being asked: some seconds

LOOKED_FOR = 4096  # bytes behind its first line that tell whether a file goes on


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    args = build(get_terminal_size().columns).parse_args(argv)
    try:
        if sys.stdout is None:
            raise UsageError(["standard output is closed; expected a terminal, a file or a pipe"])
        with warnings.catch_warnings():
            once = cache(note)  # the newest record is read for judging and again for telling
            warnings.showwarning = lambda message, *where: once(str(message))
            code = COMMANDS[args.command](args) or 0
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, say `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if exit_code(error) is None:  # a bug stays an exception
            raise
        for line in problem_lines(error):
            note(line)
        return exit_code(error)
    return 0


def recommend(args) -> None:
    request = jobs_asked(args)
    request.must_know(args.objective)
    request = request.with_context(replicate=True) if args.replicate else request
    options = {name: getattr(args, name) for name in ("n", "objective", "budget", "guide_only")}
    advice = _advise(request, prior=False if args.no_prior else None, **options)
    data = findings_of(request)
    _answer(args, request, advice, data)
    if len(advice.proposals) < args.n and not advice.proposal.stop:
        told = f"{args.n} settings asked for, {len(advice.proposals)} proposed"
        note(f"{told}: no more within the budget and the space are worth a close look")
    if not args.jobs and not args.dry_run:
        sys.stdout.flush()  # the answer need not wait for MLflow
        _write_back(args.run_id, request, advice, data)


def diagnose(args) -> None:
    request = read(args.source)
    _answer(args, request, _advise(request), findings_of(request), judge_only=True)


def data(args) -> int:
    """1 where rows cannot be trained on, as `tracker data check` has it: other findings are advice."""
    from advisor.datacheck import to_record, to_text

    report = check_files(args.train, args.valid, args.losses)
    read = ((args.train, report.measurements.train), (args.valid, report.measurements.valid))
    empty = [path for path, rows in read if path and not rows]
    if empty:
        raise UsageError([f"{path} is empty; expected one JSON object a line" for path in empty])
    if args.json:
        print(dumps(to_record(report, show_text=args.show_text)))
    else:
        say(to_text(report, ink=ink(), show_text=args.show_text))
    return int(not report.trainable)


def report(args) -> None:
    write = writer(args.output)
    must_lose_nothing(args.output, args.source)
    request = read(args.source, args.space)
    page = write(_advise(request), request.told, findings_of(request))
    put(args.output, page)
    if args.output != STDOUT:
        print(f"{args.output}: {len(request.records)} job(s), {-(-len(page) // 1024)} KiB")


def rules(args) -> None:
    from advisor.tell import rule_page

    if args.json:
        print(dumps([rule_page.record(rule) for rule in rule_page.all_rules().values()]))
    elif args.markdown:
        print(rule_page.rules_markdown(), end="")
    else:
        say(rule_page.listing(ink()))


def explain(args) -> None:
    from advisor.tell import rule_page
    from advisor.tell.catalogue import find

    rule = find(args.rule)
    say(dumps(rule_page.record(rule)) if args.json else rule_page.page(rule, ink()))


COMMANDS = {f.__name__: f for f in (recommend, diagnose, data, report, rules, explain)}


def _advise(request: Request, **options: Any) -> Advice:
    from advisor import advise

    return advise(request.jobs, request.space_within(space_of(request)), context=request.context, **options)


def _write_back(run_id: str | None, request: Request, advice: Advice, data: Sequence[Finding]) -> None:
    """Advice onto the run that was asked about and onto the newest job's, where these are known."""
    import tracker
    from advisor.tell import html, markdown

    note, page = markdown(advice, request.told, data=data), html(advice, request.told, data=data)
    for target in request.runs_of(run_id):
        tracker.write_advice(target, plain(advice.to_record()), markdown=note, html=page)


def _answer(args, request: Request, advice: Advice, data: list[Finding], judge_only: bool = False) -> None:
    from advisor.tell import next_command, text

    if args.json:
        print(answer(advice, data, None if judge_only else next_command(advice, request.newest)))
        return
    say(text(advice, request.told, ink=ink(), plot=not args.no_plot, judge_only=judge_only, data=data))


def jobs_asked(args) -> Request:
    """The jobs that `recommend` is asked about, from exactly one source."""
    from advisor.tell.request import parse

    one_source(args)
    space = _json_of(args.space)
    if args.jobs:
        return _told_in(args.jobs, space)
    import tracker

    found = tracker.records(experiment=args.experiment, run_id=args.run_id, tell=note)
    return parse([{"experiment": args.experiment} | record for record in found], space)


def _told_in(path: str, space: Any) -> Request:
    """Our own JSON, or else any training history that `tracker` can read."""
    from advisor.records import RecordError
    from advisor.tell.request import is_ours, parse

    broken = None
    if path == "-" or not (Path(path).is_dir() or path.endswith((".csv", ".jsonl"))):
        try:
            body = _json_of(path)
        except (RecordError, UsageError) as error:
            if not Path(path).is_file():  # a pipe is read once
                raise
            broken = error
        else:
            if path == "-" or is_ours(body):
                return parse(body, space)
    if not Path(path).is_dir():  # a run's folder will do
        must_exist(path)
    return parse(_history(path, broken), space)


def _history(path: str, broken: Exception | None) -> list[dict[str, Any]]:
    """The records of a training history; where it is none, what is `broken` of it as JSON that it seems to be."""
    import tracker

    try:
        return tracker.read(path, note)
    except Exception as error:
        if broken is None or exit_code(error) is None:
            raise
        no_json = isinstance(broken, UsageError) or text_of(path).lstrip()[:1] in ("{", "[", "")
        raise (broken if no_json else error) from None


def read(source: str, space_file: str | None = None) -> Request:
    """Jobs from a file that `tracker` can read, or else from the MLflow run of that id."""
    import tracker
    from advisor.tell.request import is_question, parse

    space = _json_of(space_file)
    if (os.sep in source or "." in source) and not Path(source).exists():  # no run's id looks like this
        raise UsageError([f"{source}: no such file"])
    if source.endswith(".json") and Path(source).is_file() and is_question(asked := _json_of(source)):
        return parse(asked, space)
    found = tracker.read(source, note) if Path(source).exists() else tracker.records(run_id=source, tell=note)
    return parse(found, space)


def space_of(request: Request) -> SearchSpace | None:
    """The limits of the newest job's provider, where it is one that `tracker` knows."""
    about = request.newest or request.context or {}
    from tracker.providers import NAMES, find

    if about.get("provider") not in NAMES:
        return None
    from advisor.space_record import by_the_rates_of, read_space

    return by_the_rates_of(request.jobs, read_space(find(about["provider"]).space(about.get("model"))))


def _json_of(path: str | None) -> Any:
    from advisor.tell.request import decode

    return None if path is None else decode(text_of(path), "standard input" if path == "-" else path)


def text_of(path: str) -> str:
    if path != "-":
        must_exist(path)
    elif sys.stdin is None:
        raise UsageError(["standard input is closed; expected JSON on it, or name a file"])
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError([f"{path}: no UTF-8 text ({error.reason} at byte {error.start})"]) from None


def must_exist(path: str) -> None:
    if Path(path).is_dir() or not Path(path).exists():  # a pipe, as of <(command), will do
        raise UsageError([f"{path}: {'is no file' if Path(path).exists() else 'no such file'}"])


def findings_of(request: Request) -> list[Finding]:
    """Findings on the newest job's data files, where these are still on this machine; never a reason to fail."""
    from advisor.tell.command import path_of

    record = request.newest or {}
    paths = [path if (path := path_of(record, key)) and Path(path).is_file() else None for key in DATA]
    size = sum(Path(path).stat().st_size for path in paths if path)
    if size > LOOKED_AT:
        note(f"the data have {size >> 20} MB: `advisor data` looks at them")
        return []
    try:
        there = [path and _unchanged(path, record[key]) for path, key in zip(paths, DATA, strict=True)]
        return list(check_files(*there).findings) if there[0] else []
    except Exception as error:
        if exit_code(error) is None:
            raise
        note(f"the data were not looked at: {problem_lines(error)[0]}")
        return []


def _unchanged(path: str, recorded: dict[str, Any]) -> str | None:
    """The path, where the file still holds what the job was trained on, as far as its digest is known."""
    from tracker.data import digest_of

    if recorded.get("sha256") in (None, digest_of(path)):
        return path
    note(f"{path} has changed since the job was trained on it, and is not looked at")
    return None


def check_files(train: str, valid: str | None, losses: str | None) -> Report:
    from advisor.datacheck import check
    from advisor.datacheck.losses import read_losses

    known = read_losses(text_of(losses), losses) if losses else None
    return check(_rows(train), _rows(valid) if valid else None, losses=known)


def _rows(path: str) -> Iterable[Any]:
    from tracker.data import rows

    must_exist(path)
    if Path(path).is_file() and _is_list(path):
        to = f"{Path(path).stem}.jsonl"
        told = f"{path} is one JSON list; expected one JSON object a line: tracker data convert {quote(path)} {quote(to)}"
        raise UsageError([f"{told} makes it"])
    return rows(path)


def _is_list(path: str) -> bool:
    """Whether a whole file is one JSON list, and not a line of it by mistake."""
    with Path(path).open("rb") as file:
        line = file.readline().removeprefix(b"\xef\xbb\xbf").strip() or file.readline().strip()
        more = file.read(LOOKED_FOR).strip()
    return line.startswith(b"[") and not (more and line.endswith(b"]"))


def say(words: str) -> None:
    print(printable(words, sys.stdout.encoding))


def note(words: str) -> None:
    print(f"advisor: {visible(words)}", file=sys.stderr)


def ink() -> Ink:
    tty = sys.stdout.isatty()
    return Ink(tty and "NO_COLOR" not in os.environ, get_terminal_size().columns if tty else None)


if __name__ == "__main__":
    sys.exit(main())
