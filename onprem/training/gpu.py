"""The GPU that a process trains on, where there is one: which, how large, in what precision.

A process keeps to one GPU. Shown several, the Trainer would share each batch out among them (DataParallel), and a job's
batches would be larger than was asked for; to train on several GPUs, a launcher starts a process for each.
"""

import os

import torch

VISIBLE = "CUDA_VISIBLE_DEVICES"


def take_one(slot: int) -> None:
    """Show this process one GPU alone, before it has touched any: that of its place among the server's workers.

    A process that a launcher started as one of several has been given its own. Counting does not start CUDA, as asking
    whether it is available does: the driver reads the variable once, when it is started.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return
    named = os.environ.get(VISIBLE)
    names = named.split(",") if named else [str(i) for i in range(torch.cuda.device_count())]
    if names:
        os.environ[VISIBLE] = names[slot % len(names)].strip()


def present() -> bool:
    """Tell whether there is a GPU."""
    return torch.cuda.is_available()


def has_bf16() -> bool:
    """Tell whether it computes in bf16 by itself: emulated, bf16 is slower than fp32."""
    return present() and torch.cuda.is_bf16_supported(including_emulation=False)


def dtype_at_rest() -> torch.dtype:
    """Return the precision for weights that are not trained; those that are keep fp32."""
    return torch.bfloat16 if has_bf16() else torch.float32


def memory() -> tuple[int, int]:
    """Return the free and all bytes of this process's GPU."""
    return torch.cuda.mem_get_info(int(os.environ.get("LOCAL_RANK", "0")))
