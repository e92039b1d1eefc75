"""Whether a job fits into memory, told before it starts rather than by the system's killer.

Counted are the weights (2 bytes each where LoRA leaves them as they are on a GPU with bf16, else 4), and for what is
trained its gradients and Adam's two moments, 4 bytes each; activations and logits are kept small by the micro-batch, and
get a share of their own.
"""

from onprem.examine import free_memory
from onprem.training import gpu, ranks
from onprem.training.errors import JobError
from onprem.training.plan import LOGIT_BYTES

LORA_SHARE = (
    0.02  # of the parameters, at rank 16 on every linear layer: 1 to 2 % in models from 0.1 to 8 billion
)
ACTIVATION_SHARE = 0.25  # of all the rest: seen with a micro-batch of 8 rows of 512 tokens


def needed(n_params: int, lora: dict | None) -> int:
    """Return the bytes that training takes, roughly."""
    trained = n_params if lora is None else LORA_SHARE * n_params * lora["r"] / 16
    at_rest = 4 if lora is None else gpu.dtype_at_rest().itemsize
    state = at_rest * n_params + 12 * trained
    processes = ranks.world_size() if ranks.shares_the_model() else 1
    return int(state * (1 + ACTIVATION_SHARE) / processes)


def available() -> int | None:
    """Return the free bytes of the GPU, or of main memory; None where the system does not tell."""
    if gpu.present():
        return gpu.memory()[0]
    return free_memory()


def check(n_params: int, lora: dict | None) -> None:
    """Refuse a job that cannot fit.

    Raises
    ------
    JobError
        With both figures and what would help.
    """
    need, free = needed(n_params, lora), available()
    if free is None or need + LOGIT_BYTES // 4 <= free:
        return
    text = f"Training {n_params / 1e6:.0f} million parameters takes about {need / 2**30:.1f} GB, but {free / 2**30:.1f} GB are free."
    advice = " Take a smaller model." if lora else ' Ask for LoRA ("lora": true), or take a smaller model.'
    raise JobError("model", text + advice, code="insufficient_memory")
