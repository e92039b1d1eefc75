"""Turns data files of other forms into chat JSONL, streaming, with every row that will not go named.

The output appears whole or not at all: it is written beside its place and moved there at the end.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tracker.data.anyrows import any_rows
from tracker.data.check import MAX_LISTED, LineError
from tracker.data.forms import FORMS, Unlike, form_of, to_chat
from tracker.data.jsonl import Progress, Row
from tracker.data.shapes import reasons
from tracker.errors import InputError

PROGRESS_ROWS = 2000  # a few times a second


@dataclass
class Conversion:
    """What became of a file: rows written and rows left out, by form and by line."""

    source: str
    target: str
    n_written: int = 0
    n_bad: int = 0
    forms: dict[str, int] = field(default_factory=dict)
    errors: list[LineError] = field(default_factory=list)  # the first MAX_LISTED

    def to_record(self) -> dict[str, Any]:
        return {**asdict(self), "errors": [error._asdict() for error in self.errors]}


def convert_file(
    source: str | Path,
    target: str | Path,
    form: str | None = None,
    *,
    skip_bad: bool = False,
    force: bool = False,
    on_progress: Progress | None = None,
) -> Conversion:
    """Write a data file as chat JSONL.

    Parameters
    ----------
    source
        JSONL, a JSON list, or CSV, of any form in `forms.FORMS`.
    target
        Where the chat JSONL goes.
    form
        The form of every row; guessed row by row where not given.
    skip_bad
        Leave bad rows out instead of refusing the file.
    force
        Replace a target that exists.
    on_progress
        Is told now and then how many rows are done (of how many is not known: 0).

    Raises
    ------
    InputError
        Naming every bad row (unless `skip_bad`), or saying that the target exists or that nothing was left.
    """
    target = Path(target)
    if form is not None and form not in FORMS:
        raise InputError(f"form is {form!r}; expected one of {', '.join(FORMS)}.")
    if target.exists() and not force:
        raise InputError(f"{target} exists; give another name or --force.")
    result = Conversion(str(source), str(target))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as out:
            for done, row in enumerate(any_rows(source), 1):
                _convert(row, form, result, out)
                if on_progress and done % PROGRESS_ROWS == 0:
                    on_progress(done, 0)
        _refuse_bad(result, skip_bad)
        part.replace(target)
    except OSError as error:
        raise InputError(f"{target} cannot be written ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)
    return result


def _convert(row: Row, form: str | None, result: Conversion, out: Any) -> None:
    problems = [row.problem] if row.problem else []
    if row.value is not None:
        try:
            chat = to_chat(row.value, form)
            problems = reasons(chat, "chat")
        except Unlike as error:
            problems = [str(error)]
    if problems:
        result.n_bad += 1
        result.errors += [LineError(row.line, p) for p in problems[: MAX_LISTED - len(result.errors)]]
        return
    name = form or form_of(row.value or {})
    result.forms[name] = result.forms.get(name, 0) + 1
    result.n_written += 1
    out.write(json.dumps(chat, ensure_ascii=False) + "\n")


def _refuse_bad(result: Conversion, skip_bad: bool) -> None:
    if result.n_bad and not skip_bad:
        listed = [f"{result.source}: {error}" for error in result.errors]
        more = result.n_bad - len({error.line for error in result.errors})
        tail = [f"{more} further bad rows are not listed."] if more > 0 else []
        raise InputError(
            [*listed, *tail, "Nothing was written; mend these rows, or leave them out by --skip-bad."]
        )
    if not result.n_written:
        raise InputError(f"{result.source} has no row that can be converted; nothing was written.")
