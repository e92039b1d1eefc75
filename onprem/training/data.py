"""A job's two files, tokenised, with what was cut told."""

from dataclasses import dataclass, field

from onprem.formats import read_rows
from onprem.store import Database, DataFolder
from onprem.store import files as file_rows
from onprem.training.errors import JobError
from onprem.training.preferences import Pair, PairTokenizer
from onprem.training.rows_to_tokens import Example, RowTokenizer

MAX_NAMED = 20  # line numbers spelled out in a message


@dataclass
class Data:
    """Tokenised rows."""

    train: list[Example] | list[Pair]
    valid: list[Example] | list[Pair]
    warnings: list[tuple[str, str]] = field(default_factory=list)  # (key, message)

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(row.length for row in self.train)

    @property
    def n_tokens(self) -> int:
        """Tokens of the training file, after truncation; prompts count, as at OpenAI."""
        return sum(row.n_tokens for row in self.train)


def load_data(db: Database, folder: DataFolder, job: dict, tokenizer) -> Data:
    """Tokenise the job's files.

    Raises
    ------
    JobError
        If a file is gone, rows are longer than asked for, or nothing is left to learn.
    """
    hp = job["hyperparameters"]
    kind = PairTokenizer if job["method"]["type"] == "dpo" else RowTokenizer
    rows = kind(tokenizer, hp["max_length"])
    data, problems = Data([], []), []
    for param, target in (("training_file", data.train), ("validation_file", data.valid)):
        if job[param] is None:
            continue
        if file_rows.get(db, job["tenant"], job[param]) is None:
            problems.append(
                (param, f"The file {job[param]} was deleted or has expired before the job started.")
            )
            continue
        if not folder.file(job[param]).is_file():
            problems.append(
                (param, f"The content of {job[param]} is gone from the server's disk. Upload it again.")
            )
            continue
        target.extend(rows.example(line, row) for line, row in read_rows(folder.file(job[param])))
        problem = _problem(param, target, hp)
        problems += [(param, problem)] if problem else []
        data.warnings += _cut(param, target, hp)
    if problems:
        raise JobError(problems[0][0], " ".join(text for _, text in problems))
    return data


def _problem(param: str, examples: list, hp: dict) -> str | None:
    """Return why a file's rows cannot be used, or None."""
    name, cut = param.replace("_", " "), [e.line for e in examples if e.n_cut]
    if cut and hp["too_long"] == "refuse":
        text = f"{len(cut)} rows of the {name} are longer than max_length {hp['max_length']} tokens: lines {_named(cut)}. "
        return text + 'Shorten them, raise max_length, or set too_long to "truncate".'
    if not any(e.n_trained for e in examples):
        return f"No row of the {name} has anything left to learn within max_length {hp['max_length']} tokens."
    return None


def _cut(param: str, examples: list, hp: dict) -> list[tuple[str, str]]:
    """Return what to tell of rows that lost their ends, if any did."""
    cut = [e.line for e in examples if e.n_cut]
    if not cut:
        return []
    lost = sum(e.n_cut for e in examples)
    empty = sum(not e.n_trained for e in examples)
    text = (
        f"{len(cut)} of {len(examples)} rows of the {param.replace('_', ' ')} were longer than {hp['max_length']} "
        f"tokens and lost {lost} tokens at their ends (lines {_named(cut)}); {empty} of them have nothing left to learn"
    )
    return [(f"truncated:{param}", text)]


def _named(lines: list[int]) -> str:
    text = ", ".join(map(str, lines[:MAX_NAMED]))
    return text + (f" and {len(lines) - MAX_NAMED} more" if len(lines) > MAX_NAMED else "")
