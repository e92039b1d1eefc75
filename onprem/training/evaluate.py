"""Nats per trained token and token accuracy over a whole set.

Sums over tokens are divided once at the end, so that the answer does not depend on how the set was cut into
batches (a mean of batch means, as the Trainer's `eval_loss`, does). Rows of like length go together: less
padding, and the same batches whatever the order of the file.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from onprem.training.rows_to_tokens import IGNORED, Example

BATCH_TOKENS = 4096  # padded tokens a batch: enough to fill a core, small beside a training step
LOGIT_BYTES = 256 * 2**20  # and a batch's logits stay below this


@dataclass(frozen=True)
class Score:
    """Sums over the trained tokens of one or more rows."""

    nats: float = 0.0
    correct: int = 0
    tokens: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.nats + other.nats, self.correct + other.correct, self.tokens + other.tokens)

    @property
    def loss(self) -> float:
        """Nats per trained token; NaN over nothing."""
        return self.nats / self.tokens if self.tokens else float("nan")

    @property
    def accuracy(self) -> float:
        """Share of trained tokens that were the model's first choice."""
        return self.correct / self.tokens if self.tokens else float("nan")


def evaluate(
    model: torch.nn.Module,
    examples: list[Example],
    pad_token_id: int,
    *,
    batch_tokens: int = BATCH_TOKENS,
    stop: Callable[[], bool] = lambda: False,
) -> list[Score]:
    """Score each example by itself, in the order given.

    Parameters
    ----------
    model : torch.nn.Module
        A causal language model; its training mode is put back afterwards.
    examples : list of Example
        The rows.
    pad_token_id : int
        Any id; padding is masked.
    batch_tokens : int
        Padded tokens a batch.
    stop : callable
        Asked between batches; where it says True, rows not yet scored stay empty.
    """
    scores = [Score()] * len(examples)
    was_training = model.training
    model.eval()
    try:
        for batch in _batches(examples, min(batch_tokens, LOGIT_BYTES // (4 * model.config.vocab_size))):
            if stop():
                break
            for index, score in zip(
                batch, _score(model, [examples[i] for i in batch], pad_token_id), strict=True
            ):
                scores[index] = score
    finally:
        model.train(was_training)
    return scores


def total(scores: Iterable[Score]) -> Score:
    """Add scores up."""
    return sum(scores, Score())


def _batches(examples: list[Example], batch_tokens: int) -> Iterable[list[int]]:
    batch: list[int] = []
    for index in sorted(range(len(examples)), key=lambda i: (len(examples[i].input_ids), i)):
        if batch and (len(batch) + 1) * len(examples[index].input_ids) > batch_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


@torch.no_grad()
def _score(model: torch.nn.Module, rows: list[Example], pad_token_id: int) -> list[Score]:
    device = next(model.parameters()).device
    longest = max(len(row.input_ids) for row in rows)
    ids = torch.full((len(rows), longest), pad_token_id)
    labels = torch.full((len(rows), longest), IGNORED)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for i, row in enumerate(rows):
        n = len(row.input_ids)
        ids[i, :n], labels[i, :n], mask[i, :n] = torch.tensor(row.input_ids), torch.tensor(row.labels), 1
    logits = model(input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False).logits[:, :-1]
    wanted = labels[:, 1:].to(device)
    kept = wanted != IGNORED
    logits, wanted, row_of = logits[kept].float(), wanted[kept], kept.nonzero()[:, 0]
    nats = torch.nn.functional.cross_entropy(logits, wanted, reduction="none").double()
    right = (logits.argmax(-1) == wanted).double()
    sums = torch.zeros((3, len(rows)), dtype=torch.float64, device=device)
    for total_of, value in zip(sums, (nats, right, torch.ones_like(right)), strict=True):
        total_of.index_add_(0, row_of, value)
    return [Score(n, int(c), int(t)) for n, c, t in sums.T.tolist()]
