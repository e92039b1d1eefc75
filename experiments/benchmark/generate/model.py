"""A tiny byte-level transformer, trained at many learning rates at once.

Every parameter has a leading dimension: one copy per learning rate, all fed the same batches. That makes the matrices
large enough for one core to be busy, and the runs of a table exact twins of each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

VOCABULARY = 258  # bytes, end of text, padding
END, PAD = 256, 257


@dataclass(frozen=True)
class Shape:
    """The model's sizes; the default has 0.26 million parameters."""

    width: int = 96
    layers: int = 2
    heads: int = 4
    context: int = 256


def new_parameters(shape: Shape, seed: int) -> dict[str, torch.Tensor]:
    """Parameters of one copy, [1, ...] each."""
    g = torch.Generator().manual_seed(seed)
    d = shape.width

    def normal(*size: int, sd: float) -> torch.Tensor:
        return torch.randn(1, *size, generator=g) * sd

    out = {"embed": normal(VOCABULARY, d, sd=0.1), "place": normal(shape.context, d, sd=0.02)}
    for i in range(shape.layers):
        out[f"{i}.qkv"] = normal(d, 3 * d, sd=d**-0.5)
        out[f"{i}.out"] = normal(d, d, sd=(d * 2 * shape.layers) ** -0.5)
        out[f"{i}.up"] = normal(d, 4 * d, sd=d**-0.5)
        out[f"{i}.down"] = normal(4 * d, d, sd=(4 * d * 2 * shape.layers) ** -0.5)
        out[f"{i}.norm1"], out[f"{i}.norm2"] = torch.ones(1, d), torch.ones(1, d)
    out["norm"] = torch.ones(1, d)
    return out


def add_adapters(p: dict[str, torch.Tensor], shape: Shape, rank: int, seed: int) -> dict[str, torch.Tensor]:
    """Low-rank adapters on attention and feed-forward, the only parameters that LoRA trains."""
    g = torch.Generator().manual_seed(seed)
    out = {}
    for name in [f"{i}.{m}" for i in range(shape.layers) for m in ("qkv", "out", "up", "down")]:
        rows, columns = p[name].shape[1:]
        out[name + ".a"] = torch.randn(1, rows, rank, generator=g) * rows**-0.5
        out[name + ".b"] = torch.zeros(1, rank, columns)
    return out


def logits(p: dict[str, torch.Tensor], tokens: torch.Tensor, shape: Shape) -> torch.Tensor:
    """Next-token logits [copies, batch, length, VOCABULARY] of `tokens` [batch, length]."""
    k = p["embed"].shape[0]
    b, t = tokens.shape
    x = p["embed"][:, tokens] + p["place"][:, None, :t]
    for i in range(shape.layers):
        h = _norm(x, p[f"{i}.norm1"])
        q, key, v = (
            _linear(p, f"{i}.qkv", h).view(k * b, t, 3, shape.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        )
        h = F.scaled_dot_product_attention(q, key, v, is_causal=True)
        x = x + _linear(p, f"{i}.out", h.transpose(1, 2).reshape(k, b, t, -1))
        x = x + _linear(p, f"{i}.down", F.gelu(_linear(p, f"{i}.up", _norm(x, p[f"{i}.norm2"]))))
    x = _norm(x, p["norm"])
    return torch.bmm(x.reshape(k, b * t, -1), p["embed"].transpose(1, 2)).view(k, b, t, -1)


def losses(
    p: dict[str, torch.Tensor], tokens: torch.Tensor, mask: torch.Tensor, shape: Shape
) -> torch.Tensor:
    """Summed loss [copies] over the tokens that `mask` [batch, length - 1] marks as answers."""
    out = logits(p, tokens[:, :-1], shape)
    rows, columns = mask.nonzero(as_tuple=True)
    chosen = out[:, rows, columns]
    target = tokens[:, 1:][rows, columns].expand(chosen.shape[0], -1)
    return F.cross_entropy(chosen.flatten(0, 1), target.flatten(), reduction="none").view_as(target).sum(1)


def _linear(p: dict[str, torch.Tensor], name: str, x: torch.Tensor) -> torch.Tensor:
    k, b, t, d = x.shape
    flat = x.reshape(k, b * t, d)
    out = torch.bmm(flat, p[name])
    if name + ".a" in p:
        out = out + 2.0 * torch.bmm(torch.bmm(flat, p[name + ".a"]), p[name + ".b"])
    return out.view(k, b, t, -1)


def _norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight[:, None, None]


class AdamW:
    """AdamW for stacked copies: a rate per copy, gradients clipped at norm 1 per copy."""

    def __init__(self, p: dict[str, torch.Tensor], decay: float = 0.0):
        self.p, self.decay, self.t = p, decay, 0
        self.m = {n: torch.zeros_like(v) for n, v in p.items()}
        self.v = {n: torch.zeros_like(v) for n, v in p.items()}

    @torch.no_grad()
    def step(self, grads: dict[str, torch.Tensor], rates: torch.Tensor) -> None:
        """Move every copy by its own rate; `rates` [copies]."""
        self.t += 1
        norm = torch.sqrt(sum(g.flatten(1).pow(2).sum(1) for g in grads.values()))
        clip = torch.clamp(1.0 / (norm + 1e-6), max=1.0)
        c1, c2 = 1 - 0.9**self.t, 1 - 0.999**self.t
        for n, w in self.p.items():
            wide = (-1, *[1] * (w.dim() - 1))
            g = grads[n] * clip.view(wide)
            self.m[n].mul_(0.9).add_(g, alpha=0.1)
            self.v[n].mul_(0.999).addcmul_(g, g, value=0.001)
            rate = rates.view(wide)
            w.sub_(rate * self.decay * w)
            w.sub_(rate / c1 * self.m[n] / (torch.sqrt(self.v[n] / c2) + 1e-8))


def rate_factor(schedule: str, step: int, total: int) -> float:
    """The share of the peak rate at `step` (from 0) of `total`."""
    if schedule == "constant":
        return 1.0
    if schedule == "linear":
        return 1.0 - step / total
    warm = max(1, round(0.05 * total))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))
