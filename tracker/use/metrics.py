"""How an answer is scored against the wanted one: 0 to 1 per example. Pure, but for the user's own command.

`exact_match` and `f1` are those of question answering (SQuAD), without its dropping of articles: answers here are of
any language. `regex:PATTERN` compares what the pattern finds, `cmd:COMMAND` asks a command of the user's.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tracker.errors import InputError, TrackerError

WORD = re.compile(r"\w+")
# Seconds that a user's scoring command may take for a whole file.
COMMAND_S = 600


class Example(NamedTuple):
    """A prompt with the model's answer and the wanted one."""

    prompt: str
    answer: str
    wanted: str


@dataclass(frozen=True)
class Metric:
    """A way to score. `name` is fit for an MLflow metric; `score` gives a number per example, in order."""

    name: str
    score: Callable[[Sequence[Example]], list[float]]


def find_metric(text: str) -> Metric:
    """The metric that a text on the command line means.

    Parameters
    ----------
    text
        `exact_match`, `f1`, `regex:PATTERN`, or `cmd:COMMAND`: the command is given one JSON object per line (prompt,
        answer, wanted) and prints one number per line.

    Raises
    ------
    InputError
        The pattern is no regular expression, or the command is not there.
    """
    if text in PLAIN:
        one = PLAIN[text]
        return Metric(text, lambda examples: [one(e.answer, e.wanted) for e in examples])
    if text.startswith("regex:"):
        try:
            pattern = re.compile(text.removeprefix("regex:"), re.MULTILINE)
        except re.error as error:
            raise InputError(f"The pattern of --metric regex is no regular expression: {error}.") from error
        return Metric("regex", lambda examples: [by_pattern(pattern, e.answer, e.wanted) for e in examples])
    if text.startswith("cmd:"):
        words = _command(text.removeprefix("cmd:"))
        named = words[-1] if len(words) > 1 and words[-1].endswith(".py") else words[0]
        return Metric(re.sub(r"\W+", "_", Path(named).stem), lambda examples: by_command(words, examples))
    raise InputError(f"--metric is {text!r}; expected {', '.join(PLAIN)}, regex:PATTERN or cmd:COMMAND.")


def _command(text: str) -> list[str]:
    """The words of a user's command; raises InputError where it cannot be run."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError(f"The command of --metric cmd: cannot be read: {error}.") from error
    if not words or shutil.which(words[0]) is None:
        raise InputError(f"--metric is cmd:{text}; expected a command that is installed, or its path.")
    return words


def exact_match(answer: str, wanted: str) -> float:
    """1 where both are the same but for blanks."""
    return float(answer.split() == wanted.split())


def f1(answer: str, wanted: str) -> float:
    """The harmonic mean of precision and recall of words, letter case and punctuation aside."""
    given, right = (Counter(WORD.findall(text.casefold())) for text in (answer, wanted))
    if not given or not right:
        return float(given == right)
    common = (given & right).total()
    return 2 * common / (given.total() + right.total())


def by_pattern(pattern: re.Pattern[str], answer: str, wanted: str) -> float:
    """1 where the pattern finds the same in both (its first group, where it has one).

    Where it finds nothing in the wanted answer, what it finds is compared with the whole of that.
    """
    found = _found(pattern, answer)
    right = _found(pattern, wanted)
    return float(found is not None and found == (wanted.strip() if right is None else right))


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    if match is None:
        return None
    return (match[1] if pattern.groups else match[0]) or ""


def by_command(words: Sequence[str], examples: Sequence[Example]) -> list[float]:
    """What a command prints for each example.

    Raises
    ------
    TrackerError
        The command fails, takes too long, or prints anything but one number per example.
    """
    lines = "".join(json.dumps(example._asdict(), ensure_ascii=False) + "\n" for example in examples)
    try:
        done = subprocess.run(
            words, input=lines, capture_output=True, text=True, timeout=COMMAND_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TrackerError(f"{words[0]} did not score {len(examples)} examples in {COMMAND_S} s.") from error
    if done.returncode:
        raise TrackerError(
            f"{words[0]} ended with exit code {done.returncode}; run it by hand on one JSON line."
        )
    try:
        scores = [float(line) for line in done.stdout.split()]
    except ValueError as error:
        raise TrackerError(
            f"{words[0]} printed something that is no number; one number per line is expected."
        ) from error
    if len(scores) != len(examples):
        raise TrackerError(f"{words[0]} printed {len(scores)} numbers for {len(examples)} examples.")
    return scores


PLAIN: dict[str, Callable[[str, str], float]] = {"exact_match": exact_match, "f1": f1}
