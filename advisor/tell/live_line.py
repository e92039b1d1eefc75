"""A running job in one line."""

from __future__ import annotations

from advisor.diagnosis import LABEL_OF
from advisor.nouns import Diagnosis, Job, Live
from advisor.tell import words

LABEL = dict(LABEL_OF)


def live_line(job: Job, diagnosis: Diagnosis, live: Live) -> str:
    """Step, diagnosis with its reason, and the word to stop where there is one."""
    curve = job.full_valid if len(job.full_valid) else job.train
    step = f"{job.unit} {words.figure(curve.step[-1])}" if len(curve) else "start"
    reasons = [f"{f.rule} {f.reason}" for f in diagnosis.fired if LABEL.get(f.rule) == diagnosis.label]
    stop = [f"stop now: {live.reason}"] if live.stop_now else []
    told = "; ".join([*reasons, *stop])
    return f"advisor: {step}: {words.headline(diagnosis)}{f' ({told})' if told else ''}"
