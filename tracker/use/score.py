"""Scores a tuned model and its base model side by side on held-out prompts, and logs both to the job's run.

Loss is not the task: this is the last word, on a test part that no job has seen.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.data.check import check_file
from tracker.data.jsonl import rows
from tracker.data.texts import answer_of, last_answer, messages_of, prompt_of, text_of
from tracker.errors import InputError
from tracker.points import Point
from tracker.use.ask import Message, Speaker
from tracker.use.intervals import Interval, of_gain, of_mean, stderr
from tracker.use.metrics import Example, Metric, find_metric
from tracker.use.target import find_target

if TYPE_CHECKING:
    from tracker.session import Session

# Requests side by side; the account's rate limits them further.
AT_ONCE = 8
# Tokens of the longest wanted answer, by this much, are what a model may say: room to be wrong at length.
MAX_TOKENS = 512


@dataclass(frozen=True)
class Question:
    """A held-out prompt with the answer wanted, and the line it stands on."""

    line: int
    messages: list[Message]
    prompt: str
    wanted: str


@dataclass
class Scores:
    """One model's scores, in the order of the questions."""

    model: str
    values: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)

    def to_record(self) -> dict[str, Any]:
        return {"model": self.model, **figures(self.values, of_mean(self.values))}


def figures(values: Sequence[float], interval: Interval | None) -> dict[str, Any]:
    """What is told of a mean: the score itself, its n, standard error and 95 % interval."""
    mean = sum(values) / len(values)
    return {"score": mean, "n": len(values), "stderr": stderr(values), "interval": interval}


def evaluate(
    session: Session,
    name: str,
    test: str | Path,
    metric: str = "exact_match",
    *,
    base: bool = True,
    limit: int | None = None,
    max_tokens: int = MAX_TOKENS,
    on_progress: Callable[[int, int], object] | None = None,
) -> dict[str, Any]:
    """Score a tuned model on a test file, its base model beside it.

    Parameters
    ----------
    name
        A run, a job or a model; scores are logged where a run is known.
    test
        A JSONL file of the form that training files have; the last answer of each example is what is wanted.
    metric
        See `metrics.find_metric`.
    base, limit
        Whether the base model is asked too; how many examples at most.

    Returns
    -------
    dict
        `metric`, `run_id`, `test` (path and sha256), `tuned`, `base` and `gain` (tuned minus base, example by
        example), each with `score`, `n`, `stderr` and `interval` (95 %); `base` and `gain` are None where the base is not asked.

    Raises
    ------
    InputError
        The test file is bad, the metric unknown, or the run without a model.
    """
    if limit is not None and limit < 1:
        raise InputError(f"limit is {limit}; expected 1 at least.")
    scorer = find_metric(metric)
    report = check_file(test)
    if not report.ok:
        raise InputError(report.problems)
    target = find_target(name, session.tracking_uri)
    questions = read_questions(test, limit)
    models = [target.model] + ([target.base] if base and target.base and target.base != target.model else [])
    sets = session.wait(_ask_all(session.endpoint, models, questions, max_tokens, on_progress))
    found = [Scores(m, _score(scorer, questions, answers)) for m, answers in zip(models, sets, strict=True)]
    result = _result(scorer.name, found, target.run_id, {"path": str(test), "sha256": report.sha256})
    if target.run_id:
        _log(session, target.run_id, result, questions, found)
    return result


def read_questions(path: str | Path, limit: int | None = None) -> list[Question]:
    """The test file's prompts and wanted answers."""
    found = []
    for row in rows(path):
        if limit is not None and len(found) >= limit:
            break
        if row.value is None:
            continue
        said = messages_of(row.value)
        asked = [{"role": m["role"], "content": text_of(m)} for m in said[: last_answer(said)]]
        found.append(Question(row.line, asked, prompt_of(row.value), answer_of(row.value)))
    return found


async def _ask_all(
    endpoint: Any,
    models: list[str],
    questions: list[Question],
    max_tokens: int,
    on_progress: Callable[[int, int], object] | None,
) -> list[list[str]]:
    """Every model's answers, in the order of the questions; the first that fails for good ends it."""
    places, done, total = asyncio.Semaphore(AT_ONCE), 0, len(models) * len(questions)
    speakers = [Speaker(endpoint, model, temperature=0, max_tokens=max_tokens) for model in models]

    async def one(speaker: Speaker, question: Question) -> str:
        nonlocal done
        async with places:
            answer = await speaker.answer(question.messages)
        done += 1
        if on_progress:
            on_progress(done, total)
        return answer

    async with asyncio.TaskGroup() as group:
        tasks = [[group.create_task(one(speaker, q)) for q in questions] for speaker in speakers]
    return [[task.result() for task in own] for own in tasks]


def _score(metric: Metric, questions: list[Question], answers: list[str]) -> list[float]:
    return metric.score([Example(q.prompt, a, q.wanted) for q, a in zip(questions, answers, strict=True)])


def _result(metric: str, found: list[Scores], run_id: str | None, test: dict[str, str]) -> dict[str, Any]:
    tuned, *others = found
    result: dict[str, Any] = {"metric": metric, "run_id": run_id, "test": test, "tuned": tuned.to_record()}
    result |= {"base": None, "gain": None}
    if others:
        # by example, so that what is hard for both models alike does not blur the difference
        gains = [t - b for t, b in zip(tuned.values, others[0].values, strict=True)]
        result["base"] = others[0].to_record()
        result["gain"] = figures(gains, of_gain(gains))
    return result


def _log(
    session: Session, run_id: str, result: dict[str, Any], questions: list[Question], found: list[Scores]
) -> None:
    """Scores as metrics, each example's as an artifact by line number; no text of any."""
    name = result["metric"]
    now = int(time.time() * 1000)  # an evaluation is an act of today, not a part of the job's past
    named = zip(("eval", "eval.base"), found, strict=False)  # found: the tuned model, then its base if asked
    session.store.log_points(run_id, [Point(f"{prefix}.{name}", 0, s.mean, now) for prefix, s in named])
    session.store.set_tags(run_id, {"eval.test": result["test"]["sha256"], "eval.n": str(len(questions))})
    scores = dict(zip(("tuned", "base"), found, strict=False))
    lines = [{"line": q.line} | {k: s.values[i] for k, s in scores.items()} for i, q in enumerate(questions)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    session.store.log_text(run_id, f"eval/{name}.jsonl", text)
