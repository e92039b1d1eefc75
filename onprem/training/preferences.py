"""Preference rows for DPO: two answers to one prompt, and how far a model prefers the better one.

The reference model's log probabilities are computed once, before training; then neither the trainer nor the
evaluation keeps a second model in memory.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from datasets import Dataset

from onprem.training.evaluate import Score, evaluate
from onprem.training.rows_to_tokens import IGNORED, Example, RowTokenizer


@dataclass(frozen=True)
class Pair:
    """A tokenised preference row."""

    line: int
    chosen: Example
    rejected: Example

    @property
    def length(self) -> int:
        """Tokens of the longer answer with its prompt."""
        return max(self.chosen.length, self.rejected.length)

    @property
    def n_tokens(self) -> int:
        """Tokens that a step sees."""
        return self.chosen.length + self.rejected.length

    @property
    def n_cut(self) -> int:
        """Tokens lost to truncation."""
        return self.chosen.n_cut + self.rejected.n_cut

    @property
    def n_trained(self) -> int:
        """Tokens of both answers; 0 where one was cut off whole."""
        return min(self.chosen.n_trained, self.rejected.n_trained)


class PairTokenizer(RowTokenizer):
    """Turns preference rows into `Pair`s."""

    def example(self, line: int, row: dict) -> Pair:
        """Tokenise one checked row."""
        prompt = [{**m, "weight": 0} if m["role"] == "assistant" else m for m in row["input"]["messages"]]
        answers = [row[name][0] | {"weight": 1} for name in ("preferred_output", "non_preferred_output")]
        return Pair(line, *(self._answered(line, prompt, answer) for answer in answers))

    def _answered(self, line: int, prompt: list[dict], answer: dict) -> Example:
        """Tokenise one answer; what the template puts after its end is no part of it."""
        whole = super().example(line, {"messages": [*prompt, answer]})
        last = max(
            (i for i, label in enumerate(whole.labels) if label != IGNORED), default=len(whole.labels) - 1
        )
        return Example(line, whole.input_ids[: last + 1], whole.labels[: last + 1], whole.n_cut)


def reference_nats(model: torch.nn.Module, pairs: list[Pair], pad_token_id: int) -> list[tuple[float, float]]:
    """Return the nats of each pair's (chosen, rejected) answers under the reference model."""
    rows = [example for pair in pairs for example in (pair.chosen, pair.rejected)]
    nats = [score.nats for score in evaluate(model, rows, pad_token_id)]
    return list(zip(nats[::2], nats[1::2], strict=True))


def pair_scores(
    model: torch.nn.Module,
    pairs: list[Pair],
    reference: list[tuple[float, float]],
    pad_token_id: int,
    beta: float,
    stop: Callable[[], bool] = lambda: False,
) -> list[Score]:
    """Score each pair: its DPO loss, and whether the chosen answer gained on the rejected one.

    A `Score` whose `tokens` is 1 a pair: its mean is the mean loss of a pair.
    """
    rows = [example for pair in pairs for example in (pair.chosen, pair.rejected)]
    scores = evaluate(model, rows, pad_token_id, stop=stop)
    return [
        _pair_score(chosen.nats, rejected.nats, ref, beta)
        for chosen, rejected, ref in zip(scores[::2], scores[1::2], reference, strict=True)
    ]


def _pair_score(chosen: float, rejected: float, reference: tuple[float, float], beta: float) -> Score:
    """DPO's loss: -log sigmoid(beta x (gain of the chosen answer - gain of the rejected one))."""
    margin = beta * ((reference[0] - chosen) - (reference[1] - rejected))
    loss = math.log1p(math.exp(-abs(margin))) + max(-margin, 0.0) if math.isfinite(margin) else margin
    return Score(loss, int(margin > 0), 1)


def dataset(pairs: list[Pair], reference: list[tuple[float, float]]) -> Dataset:
    """Return the columns that TRL's collator reads, reference log probabilities included."""
    columns: dict[str, list] = {"prompt_ids": [], "chosen_ids": [], "rejected_ids": []}
    for pair in pairs:
        start = _answer_start(pair)
        columns["prompt_ids"].append(pair.chosen.input_ids[:start])
        columns["chosen_ids"].append(pair.chosen.input_ids[start:])
        columns["rejected_ids"].append(pair.rejected.input_ids[start:])
    columns["ref_chosen_logps"] = [-chosen for chosen, _ in reference]
    columns["ref_rejected_logps"] = [-rejected for _, rejected in reference]
    return Dataset.from_dict(columns)


def _answer_start(pair: Pair) -> int:
    """First token of the answers: where labels begin in both."""
    starts = [
        next((i for i, x in enumerate(e.labels) if x != IGNORED), e.length)
        for e in (pair.chosen, pair.rejected)
    ]
    return min(starts)
