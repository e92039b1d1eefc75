"""Trains LoRA adapters of a language model at every setting of a grid, one run for each batch size and learning rate."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from experiments.benchmark.generate.train import Design, write

Example = tuple[list[int], int]  # tokens, and where the answer starts
DESIGN = Design(
    epochs=(1, 2, 3, 4, 5), batches=(8, 2), multipliers=(0.1, 0.33, 1.0, 3.3, 10.0), base_rate=3e-4
)
ADAPTERS = {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}
CLIP = 1.0  # norm of the gradient
IGNORED = -100  # label of what is no answer
TOGETHER = 12  # examples that are evaluated at once


def encode(tokenizer: Any, rows: list[tuple[str, str]], longest: int) -> list[Example]:
    """Every row in the model's chat template, without a system prompt; those whose answer lies beyond `longest` are left out."""
    out = []
    for prompt, answer in rows:
        asked = [{"role": "system", "content": ""}, {"role": "user", "content": prompt}]
        head = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(
            [*asked, {"role": "assistant", "content": answer}], tokenize=False
        )
        start = len(tokenizer(head)["input_ids"])
        tokens = tokenizer(whole)["input_ids"][:longest]
        if start < len(tokens):
            out.append((tokens, start))
    return out


def table(folder: Path, train: list[Example], valid: list[Example], design: Design, path: Path) -> None:
    """Train at every setting and write `path`."""
    head = {
        "task": path.name.split(".")[0],
        "n_train": len(train),
        "n_valid": len(valid),
        "train_tokens": sum(len(t) - s for t, s in train),
        "schedule": "constant",
        "base_loss": evaluate(AutoModelForCausalLM.from_pretrained(folder), valid),
    }

    def runs(batch: int, epochs: int) -> dict[str, Any]:
        done = [run(folder, train, valid, design, batch, epochs, m) for m in design.multipliers]
        series = {
            name: [(s, np.array([d[name][i][1] for d in done])) for i, (s, _) in enumerate(done[0][name])]
            for name in done[0]
        }
        return {"spe": math.ceil(len(train) / batch), "valid": [], **series}

    write(path, head, runs, design)


def run(
    folder: Path,
    train: list[Example],
    valid: list[Example],
    design: Design,
    batch: int,
    epochs: int,
    multiplier: float,
) -> dict[str, list[tuple[int, float]]]:
    """Train once; training losses by step and validation losses by epoch."""
    torch.manual_seed(design.seed)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(folder), LoraConfig(**ADAPTERS))
    model.train()  # it is loaded for use, without the dropout of training
    tuned = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(tuned, lr=design.base_rate * multiplier, weight_decay=0.0)
    rng, step = np.random.default_rng([design.seed, batch]), 0
    out: dict[str, list[tuple[int, float]]] = {"train": [], "full": []}
    for _ in range(epochs):
        order = rng.permutation(len(train))
        for i in range(0, len(train), batch):
            loss = model(**collate([train[j] for j in order[i : i + batch]])).loss
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tuned, CLIP)
            optimiser.step()
            step += 1
            out["train"].append((step, loss.item()))
        out["full"].append((step, evaluate(model, valid)))
    print(f"  batch {batch}, multiplier {multiplier:g}: {[round(v, 3) for _, v in out['full']]}", flush=True)
    return out


def collate(examples: list[Example]) -> dict[str, torch.Tensor]:
    """Padded tokens, their mask and their labels [batch, length]: the answers alone are learned."""
    shape = len(examples), max(len(t) for t, _ in examples)
    tokens, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    labels = torch.full(shape, IGNORED)
    for i, (t, start) in enumerate(examples):
        tokens[i, : len(t)] = torch.tensor(t)
        mask[i, : len(t)] = 1
        labels[i, start : len(t)] = torch.tensor(t[start:])
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}


@torch.no_grad()
def evaluate(model: Any, examples: list[Example]) -> float:
    """Loss per answer token, in nats, over all examples."""
    model.eval()
    total, count = 0.0, 0
    for i in range(0, len(examples), TOGETHER):
        some = collate(examples[i : i + TOGETHER])
        answers = int((some["labels"][:, 1:] != IGNORED).sum())
        total, count = total + model(**some).loss.item() * answers, count + answers
    model.train()
    return total / count
