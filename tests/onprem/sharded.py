"""Two processes that share one model's weights out among them (FSDP, on CPUs): run by torchrun from a test.

The first prints what is told of the base model and of a step that ends an epoch.
"""

import json
import sys
from types import SimpleNamespace

from onprem_server import chat_rows
from torch import distributed
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from onprem.registry import EMBEDDED
from onprem.training import ranks
from onprem.training.evaluate import evaluate
from onprem.training.loading import load_model, load_tokenizer
from onprem.training.reporter import Reporter
from onprem.training.rows_to_tokens import RowTokenizer


class Record:
    """A job that is wanted until it was asked about often enough; the first process alone may ask."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def status(self) -> str:
        assert ranks.is_first()
        self.patience -= 1
        return "running" if self.patience >= 0 else "cancelled"


def main(patience: int) -> None:
    distributed.init_process_group("gloo")
    model, tokenizer = load_model(EMBEDDED), load_tokenizer(EMBEDDED)
    for layer in model.model.layers:
        fully_shard(layer)
    fully_shard(model)
    assert isinstance(next(model.parameters()), DTensor)
    rows = RowTokenizer(tokenizer, 512)
    examples = [rows.example(i, json.loads(line)) for i, line in enumerate(chat_rows(9).splitlines())]
    task = SimpleNamespace(
        plan=SimpleNamespace(seed=0, batch_size=4), accuracy="mean_token_accuracy", train_figures={},
        scores=lambda model, picked, stop=lambda: False: evaluate(
            model, [examples[i] for i in picked], tokenizer.pad_token_id, batch_tokens=64, stop=stop
        ),
    )  # fmt: skip
    told = []
    log = SimpleNamespace(put=lambda message, data, finish: told.append(data))
    reporter = Reporter(
        log,
        task,
        Record(patience),
        steps_per_epoch=2,
        total_steps=4,
        n_valid=9,
        shutdown=lambda: False,
        owes_base_loss=True,
    )
    reporter.on_train_begin(None, SimpleNamespace(global_step=0), SimpleNamespace(), model=model)
    state = SimpleNamespace(global_step=2, log_history=[])
    reporter.on_log(None, state, SimpleNamespace(), logs={"loss": 1.0}, model=model)
    distributed.barrier()
    if ranks.is_first():
        print(json.dumps(told))
    else:
        assert not told


if __name__ == "__main__":
    main(int(sys.argv[1]))
