"""Which loss a job logs, by what its method is called."""

from __future__ import annotations

import re

# What a method is called, by the loss that it logs: cross-entropy, each preference loss, rewards. Adapters, as lora, and
# names that are not known here say nothing of it.
LOSS_OF = {
    name: name for name in ("supervised", "dpo", "ipo", "kto", "orpo", "cpo", "simpo", "reinforcement")
}
LOSS_OF |= {"sft": "supervised", **dict.fromkeys(("grpo", "ppo", "rloo", "rft"), "reinforcement")}


def loss_of(method: str | None) -> str | None:
    """The loss that a method's name tells, as "sft-lora" tells supervised; None where it tells none."""
    parts = re.findall("[a-z]+", (method or "").lower())
    return next((LOSS_OF[part] for part in parts if part in LOSS_OF), None)
