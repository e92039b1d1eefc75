"""The command `advisor`, the one door of the advisor that reads and writes.

Asks `tracker` for records, gives them to the pure parts, prints what these answer. Heavy imports stand in functions:
`--help` answers in a blink.

Exit codes: 0 done, 1 the work failed, 2 the input or usage is wrong.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.cli.data_files import check_files, findings_of
from advisor.cli.sources import jobs_asked, read, space_of
from advisor.cli.terminal import ink, note, say
from advisor.tell.as_json import dumps
from advisor.tell.failure import UsageError, exit_code, problem_lines
from advisor.tell.parser import build

if TYPE_CHECKING:
    from advisor.nouns import Advice, Finding
    from advisor.tell.request import Request


MALFORMED = "FT501"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    args = build().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *where: note(str(message))
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
        print("\n".join(f"advisor: {line}" for line in problem_lines(error)), file=sys.stderr)
        return exit_code(error)
    return 0


def recommend(args) -> None:
    request = jobs_asked(args)
    request.must_know(args.objective)
    if args.replicate:
        request = request.with_context(replicate=True)
    prior = False if args.no_prior else None
    options = {"n": args.n, "objective": args.objective, "budget": args.budget, "guide_only": args.guide_only}
    advice = _advise(request, prior=prior, **options)
    data = findings_of(request)
    _answer(args, request, advice, data)
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
    if not report.measurements.train:
        raise UsageError([f"{args.train} is empty; expected one JSON object a line"])
    if args.json:
        print(dumps(to_record(report, show_text=args.show_text)))
    else:
        say(to_text(report, ink=ink(), show_text=args.show_text))
    return int(any(f.rule == MALFORMED for f in report.fired))


def report(args) -> None:
    from advisor.tell import html

    request = read(args.source, args.space)
    page = html(_advise(request), request.told, data=findings_of(request))
    Path(args.output).write_text(page, encoding="utf-8")
    print(f"{args.output}: {len(request.records)} job(s), {len(page) // 1024} KiB")


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

    return advise(request.jobs, request.space or space_of(request), context=request.context, **options)


def _write_back(run_id: str | None, request: Request, advice: Advice, data: Sequence[Finding]) -> None:
    """Advice onto the run that was asked about and onto the newest job's, where these are known."""
    import tracker
    from advisor.tell import html, markdown

    targets = request.runs_of(run_id)
    if not targets:
        return
    note, page = markdown(advice, request.told, data=data), html(advice, request.told, data=data)
    for target in targets:
        tracker.write_advice(target, advice.to_record(), markdown=note, html=page)


def _answer(args, request: Request, advice: Advice, data: list[Finding], judge_only: bool = False) -> None:
    from advisor.tell import next_command, text

    if args.json:
        newest = request.records[-1] if request.records else None
        more = {} if judge_only else {"command": next_command(advice, newest)}
        print(dumps(advice.to_record() | ({"data": [f.to_record() for f in data]} if data else {}) | more))
        return
    options = {"colour": ink().colour, "plot": not args.no_plot, "judge_only": judge_only, "data": data}
    say(text(advice, request.told, **options))
