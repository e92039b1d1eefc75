"""The processes that train one job together: the first of them tells and decides, the others follow.

A launcher (torchrun, accelerate, Ray Train) says who is who by RANK and WORLD_SIZE; without one there is one.
"""

import os
from typing import Any

from torch import distributed

from onprem.training import gpu

SHARE = "ONPREM_FSDP"  # set by the launcher
ACCELERATES = "ACCELERATE_USE_FSDP"  # set by `accelerate launch`, whose settings then say how


def world_size() -> int:
    """Return how many processes train this job."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Tell whether this process is the one that writes to the store."""
    return int(os.environ.get("RANK", "0")) == 0


def shares_the_model() -> bool:
    """Tell whether the processes share the weights out among them (FSDP), rather than each holding all of them.

    Accelerate offers that on GPUs alone.
    """
    return (asked_to_share() or _accelerate_shares()) and world_size() > 1 and gpu.present()


def asked_to_share() -> bool:
    """Tell whether the launcher leaves it to this server how the model is shared out."""
    return os.environ.get(SHARE) == "1"


def _accelerate_shares() -> bool:
    return os.environ.get(ACCELERATES, "").lower() in ("1", "true")


def agree(value: Any) -> Any:
    """Return the first process's value in all of them."""
    if world_size() == 1 or not distributed.is_initialized():
        return value
    box = [value]
    distributed.broadcast_object_list(box, src=0)
    return box[0]


def wait() -> None:
    """Return when all processes are here."""
    if world_size() > 1 and distributed.is_initialized():
        distributed.barrier()
