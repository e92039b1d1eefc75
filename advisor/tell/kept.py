"""Which model to keep, in a sentence. Knows what was chosen and chooses nothing."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.nouns import Advice, Job
from advisor.propose.keeping import kept_loss
from advisor.propose.peers import peers_of_newest
from advisor.propose.series import diverged, finite, validation
from advisor.tell import words
from advisor.tell.learned import gain_so_far, told_loss

UNTOLD = "Cannot be told, as no job has logged a validation loss: neither the base model nor a tuned one is known to be better."


def keep_sentence(advice: Advice, jobs: Sequence[Job]) -> str:
    """Which model to keep, with its loss."""
    keep = advice.keep
    if keep.job is None:
        return UNTOLD if _none_validated(jobs) else "The base model: no job so far is known to be better."
    job = next((j for j in jobs if j.id == keep.job), None)
    if job is None:
        return f"{keep.job} at step {words.figure(keep.step)}."
    at, batches = kept_loss(job, keep.step)
    loss = f", validation loss {told_loss(at, gain_so_far(jobs))}" if at is not None else ""
    loss += f" (mean of {batches} batches)" if at is not None and batches > 1 else ""
    gone = job.checkpoint_steps and keep.step not in job.checkpoint_steps
    gone_text = f" Its provider lists no checkpoint at that {job.unit}." if gone else ""
    return f"{keep.job} at {job.unit} {words.figure(keep.step)}{loss}.{gone_text}"


def _none_validated(jobs: Sequence[Job]) -> bool:
    """Whether jobs trained, to no bad end as far as is known, and no validation loss says what they are worth."""
    peers = peers_of_newest(jobs)
    if any(len(validation(j, stand_in=False)[1]) for j in peers):
        return False
    return any(len(finite(j.train)[1]) and not diverged(j) for j in peers)
