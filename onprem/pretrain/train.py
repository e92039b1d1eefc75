"""The pretraining loop: next-token prediction on packed chats, Muon and AdamW, linear decay to 0, one thread.

With one thread on one kind of CPU a seed gives the same weights again. It knows nothing of files: see `export`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from .corpus import Chat
from .tokenizer import END, MAX_LENGTH, PAD


@dataclass(frozen=True)
class Plan:
    """What a pretraining run is asked to do."""

    steps: int = 2600
    seed: int = 0
    batch: int = 8  # blocks
    block: int = 256  # tokens
    hidden: int = 128
    layers: int = 3
    heads: int = 4
    inner: int = 384
    muon_rate: float = 0.02  # for the layers' matrices: the usual default of Muon
    adam_rate: float = 3e-3  # for embeddings and norms
    warmup: int = 100  # steps
    report_every: int = 100  # steps


@dataclass
class Result:
    """The model and the figures for its card."""

    model: LlamaForCausalLM
    parameters: int
    tokens: int  # seen in training, repeats counted
    epochs: float
    seconds: float
    train_loss: float  # nats per token, mean of the last tenth of the steps
    valid_loss: float  # nats per token
    history: list[tuple[int, float]] = field(default_factory=list)


def split(chats: list[Chat], seed: int, held_out: float = 0.01) -> tuple[list[Chat], list[Chat]]:
    """Shuffle the chats and hold out a share of them."""
    order = torch.randperm(len(chats), generator=torch.Generator().manual_seed(seed)).tolist()
    cut = max(1, round(held_out * len(chats)))
    return [chats[i] for i in order[cut:]], [chats[i] for i in order[:cut]]


def tokens_of(chats: list[Chat], tokenizer: PreTrainedTokenizerFast) -> torch.Tensor:
    """Write all chats one after another, as the chat template writes them, into one row of token ids."""
    texts = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
    rows = tokenizer(texts, verbose=False)[
        "input_ids"
    ]  # a chat may be longer than the model's window: it is cut later
    return torch.tensor([token for row in rows for token in row])


def new_model(plan: Plan, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Build the untrained model from the plan's seed."""
    torch.manual_seed(plan.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.hidden,
        intermediate_size=plan.inner,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        max_position_embeddings=MAX_LENGTH,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids(END),
        pad_token_id=tokenizer.convert_tokens_to_ids(PAD),
    )
    return LlamaForCausalLM(config)


def pretrain(
    plan: Plan, train: torch.Tensor, valid: torch.Tensor, model: LlamaForCausalLM, tell: Callable = print
) -> Result:
    """Train `model` in place on the row of token ids `train`; `tell` gets a line now and then."""
    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(plan.seed)
    optimizers = _optimizers(plan, model)
    losses, history, started = [], [], time.monotonic()
    for step in range(1, plan.steps + 1):
        share = min(step / plan.warmup, (plan.steps - step + 1) / (plan.steps - plan.warmup + 1), 1.0)
        for optimizer, rate in optimizers:
            optimizer.param_groups[0]["lr"] = rate * share
        losses.append(_step(model, _batch(train, plan, draw), [optimizer for optimizer, _ in optimizers]))
        if step % plan.report_every == 0:
            recent = sum(losses[-plan.report_every :]) / plan.report_every
            history.append((step, recent))
            tell(f"step {step}/{plan.steps}  loss {recent:.4f}  {time.monotonic() - started:.0f} s")
    tail = losses[-max(1, plan.steps // 10) :]
    seen = plan.steps * plan.batch * plan.block
    return Result(
        model=model,
        parameters=sum(p.numel() for p in model.parameters()),
        tokens=seen,
        epochs=seen / len(train),
        seconds=time.monotonic() - started,
        train_loss=sum(tail) / len(tail),
        valid_loss=loss_on(model, valid, plan.block),
        history=history,
    )


def loss_on(model: LlamaForCausalLM, row: torch.Tensor, block: int) -> float:
    """Return the mean nats per token over the row, block by block; the short rest at its end is left out."""
    model.eval()
    blocks = row[: len(row) // block * block].view(-1, block)
    with torch.inference_mode():
        losses = [model(input_ids=part, labels=part).loss.item() * len(part) for part in blocks.split(32)]
    model.train()
    return sum(losses) / len(blocks)


def _batch(row: torch.Tensor, plan: Plan, draw: torch.Generator) -> torch.Tensor:
    starts = torch.randint(len(row) - plan.block, (plan.batch,), generator=draw)
    return torch.stack([row[start : start + plan.block] for start in starts.tolist()])


def _step(model: LlamaForCausalLM, batch: torch.Tensor, optimizers: list) -> float:
    with torch.autocast(
        "cpu", dtype=torch.bfloat16
    ):  # twice the speed where the CPU has bf16; weights stay fp32
        loss = model(input_ids=batch, labels=batch).loss
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return loss.item()


def _optimizers(plan: Plan, model: LlamaForCausalLM) -> list[tuple[torch.optim.Optimizer, float]]:
    """Muon for the layers' matrices, which it trains in fewer steps than AdamW; AdamW for the rest."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        (torch.optim.Muon(matrices, lr=plan.muon_rate, weight_decay=0.01), plan.muon_rate),
        (torch.optim.AdamW(others, lr=plan.adam_rate, betas=(0.9, 0.95), weight_decay=0.0), plan.adam_rate),
    ]
