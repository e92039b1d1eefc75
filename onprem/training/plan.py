"""What a worker makes of a job's resolved hyperparameters on its machine: micro-batch, precision, full or LoRA."""

from dataclasses import dataclass

from onprem.training import gpu
from onprem.training.errors import JobError

LOGIT_BYTES = 2**30  # a micro-batch's logits, gradients included, stay below this
GPU_SHARE = 0.25  # on a GPU: below this share of its memory


@dataclass(frozen=True)
class Plan:
    """How to train one job."""

    method: str  # supervised or dpo
    n_epochs: int
    batch_size: int  # examples an optimizer step
    micro_batch: int  # examples a forward pass; divides batch_size
    learning_rate: float  # peak; falls linearly to 0
    max_length: int  # tokens
    seed: int
    lora: dict | None  # r, alpha, dropout; None trains all weights
    packing: bool
    too_long: str  # truncate or refuse
    beta: float  # DPO's
    weight_decay: float
    warmup_ratio: float
    bf16: bool
    gradient_checkpointing: bool  # activations computed twice, for room on a GPU

    @classmethod
    def of(cls, job: dict, vocab_size: int, longest: int, processes: int = 1) -> "Plan":
        """Plan `job`, whose longest row has `longest` tokens, for as many processes.

        Raises
        ------
        JobError
            If the batch cannot be shared evenly.
        """
        hp = job["hyperparameters"]
        method = job["method"]["type"]
        batch = hp["batch_size"]
        if batch % processes:
            text = f"batch_size {batch} cannot be shared evenly by this server's {processes} processes a job."
            raise JobError("batch_size", text + f" Take a multiple of {processes}.")
        return cls(
            method=method, n_epochs=hp["n_epochs"], batch_size=batch,
            micro_batch=micro_batch(batch // processes, longest * (2 if method == "dpo" else 1), vocab_size),
            learning_rate=hp["learning_rate"], max_length=hp["max_length"], seed=job["seed"],
            lora=hp["lora"], packing=hp["packing"], too_long=hp["too_long"], beta=hp.get("beta", 0.1),
            weight_decay=hp["weight_decay"], warmup_ratio=hp["warmup_ratio"],
            bf16=gpu.has_bf16(), gradient_checkpointing=gpu.present(),
        )  # fmt: skip


def micro_batch(batch_size: int, longest: int, vocab_size: int) -> int:
    """Return the largest divisor of the batch whose logits and their gradients fit."""
    room = LOGIT_BYTES
    if gpu.present():
        room = max(room, int(GPU_SHARE * gpu.memory()[1]))
    per_example = 3 * 4 * longest * vocab_size  # logits, log-probabilities and a gradient, 4 bytes each
    divisors = [d for d in range(1, batch_size + 1) if batch_size % d == 0]
    return max([d for d in divisors if d * per_example <= room], default=1)
