"""Fine-tunes at every setting of a grid and writes the table, one line a setting, as it goes."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.benchmark.generate.model import (
    END,
    PAD,
    AdamW,
    Shape,
    add_adapters,
    losses,
    new_parameters,
    rate_factor,
)

Rows = list[tuple[str, str]]  # prompt, answer


@dataclass(frozen=True)
class Design:
    """The grid and the way of training of one table."""

    epochs: tuple[int, ...] = (1, 2, 3, 5, 8, 12)
    batches: tuple[int, ...] = (4, 8, 16, 32)
    multipliers: tuple[float, ...] = tuple(0.05 * 2**i for i in range(8))
    schedule: str = (
        "constant"  # constant: shorter runs are prefixes; linear, cosine: a run for each number of epochs
    )
    base_rate: float = 1e-3  # learning rate at multiplier 1
    rank: int | None = None  # of LoRA adapters; None: all parameters are trained
    seed: int = 0
    shape: Shape = field(default_factory=Shape)


def encode(rows: Rows, context: int) -> list[tuple[list[int], int]]:
    """Token lists, and where the answer starts."""
    out = []
    for prompt, answer in rows:
        head = [*list(prompt.encode())[-context // 2 :], 10]
        out.append(((head + list(answer.encode()) + [END])[:context], len(head)))
    return out


def collate(examples: list[tuple[list[int], int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded tokens [batch, length] and the mask of answer tokens [batch, length - 1]."""
    length = max(len(t) for t, _ in examples)
    tokens = torch.full((len(examples), length), PAD)
    mask = torch.zeros(len(examples), length - 1, dtype=torch.bool)
    for i, (t, start) in enumerate(examples):
        tokens[i, : len(t)] = torch.tensor(t)
        mask[i, start - 1 : len(t) - 1] = True
    return tokens, mask


def pretrain(text: bytes, shape: Shape, steps: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """A base model that has read `text`."""
    p = new_parameters(shape, seed)
    for w in p.values():
        w.requires_grad_(True)
    optimiser, rng = AdamW(p, decay=0.01), np.random.default_rng(seed)
    data, length = torch.tensor(list(text)), min(128, shape.context)
    for step in range(steps):
        at = rng.integers(0, len(data) - length - 1, 32)
        tokens = torch.stack([data[a : a + length] for a in at])
        loss = losses(p, tokens, torch.ones(32, length - 1, dtype=torch.bool), shape).sum() / (
            32 * (length - 1)
        )
        grads = dict(zip(p, torch.autograd.grad(loss, list(p.values())), strict=True))
        optimiser.step(grads, torch.tensor([2e-3 * rate_factor("cosine", step, steps)]))
        if step % 200 == 0:
            print(f"  pretraining step {step}: {loss.item():.3f} nats per byte", flush=True)
    return {n: w.detach() for n, w in p.items()}


@torch.no_grad()
def evaluate(p: dict[str, torch.Tensor], examples: list, shape: Shape) -> np.ndarray:
    """Loss per answer token [copies] over all examples."""
    total, count = 0.0, 0
    for i in range(0, len(examples), 50):
        tokens, mask = collate(examples[i : i + 50])
        total, count = total + losses(p, tokens, mask, shape).double(), count + int(mask.sum())
    return (total / count).numpy()


def run(base: dict, train: list, valid: list, design: Design, batch: int, epochs: int) -> dict[str, Any]:
    """Train all multipliers together; returns steps per epoch and the three series, values [steps, copies]."""
    k, shape = len(design.multipliers), design.shape
    frozen = {n: w.expand(k, *w.shape[1:]) for n, w in base.items()}
    tuned = add_adapters(base, shape, design.rank, 1) if design.rank else base
    tuned = {n: w.expand(k, *w.shape[1:]).clone().requires_grad_(True) for n, w in tuned.items()}
    optimiser, rng = AdamW(tuned), np.random.default_rng([design.seed, batch])
    rates = design.base_rate * torch.tensor(design.multipliers)
    per_epoch = math.ceil(len(train) / batch)
    total, step = per_epoch * epochs, 0
    probe = max(1, per_epoch // 4)
    series: dict[str, list] = {"train": [], "valid": [], "full": []}
    for _ in range(epochs):
        order = rng.permutation(len(train))
        for i in range(0, len(train), batch):
            tokens, mask = collate([train[j] for j in order[i : i + batch]])
            loss = losses(frozen | tuned, tokens, mask, shape) / mask.sum()
            grads = dict(zip(tuned, torch.autograd.grad(loss.sum(), list(tuned.values())), strict=True))
            optimiser.step(grads, rates * rate_factor(design.schedule, step, total))
            step += 1
            series["train"].append((step, loss.detach().numpy()))
            if step % probe == 0:
                some = [valid[j] for j in rng.integers(0, len(valid), 8)]
                series["valid"].append((step, evaluate(frozen | tuned, some, shape)))
        series["full"].append((step, evaluate(frozen | tuned, valid, shape)))
    return {"spe": per_epoch, **series}


def table(name: str, base: dict, rows: Rows, valid_rows: Rows, design: Design, path: Path) -> None:
    """Fine-tune at every setting and write `path`."""
    train, valid = encode(rows, design.shape.context), encode(valid_rows, design.shape.context)
    head = {
        "task": name,
        "n_train": len(train),
        "n_valid": len(valid),
        "train_tokens": sum(len(t) - s for t, s in train),
        "schedule": design.schedule,
        "base_loss": float(evaluate(base, valid, design.shape)[0]),
    }
    write(path, head, partial(run, base, train, valid, design), design)


def write(
    path: Path, head: dict[str, Any], runs: Callable[[int, int], dict[str, Any]], design: Design
) -> None:
    """Write the table that starts with `head`; `runs(batch, epochs)` trains all multipliers, as `run` does."""
    lines = [head]
    for batch in design.batches:
        lengths = (max(design.epochs),) if design.schedule == "constant" else design.epochs
        for length in lengths:
            done = runs(batch, length)
            some = design.epochs if design.schedule == "constant" else (length,)
            lines += [_line(done, design, batch, e, c) for e in some for c in range(len(design.multipliers))]
    with gzip.open(path, "wt") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)


def _line(done: dict, design: Design, batch: int, epochs: int, copy: int) -> dict[str, Any]:
    last = done["spe"] * epochs

    def series(name: str) -> list[list[float | None]]:
        points = [(s, float(v[copy])) for s, v in done[name] if s <= last]
        return [[s, round(v, 5) if math.isfinite(v) else None] for s, v in points]

    train = series("train")
    thin = [train[i] for i in sorted(set(np.linspace(0, len(train) - 1, 160).round().astype(int)))]
    full = series("full")
    return {
        "n_epochs": epochs,
        "batch_size": batch,
        "lrm": round(design.multipliers[copy], 6),
        "train": thin,
        "valid": series("valid"),
        "full": full,
        "spe": done["spe"],
        "final": full[-1][1],
    }
