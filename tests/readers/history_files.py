"""Writers of realistic history files: what each trainer puts on disk for one made-up run."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path


def loss_at(step: float) -> float:
    """A falling curve, so that no two points of a file are alike."""
    return round(2.4 * math.exp(-step / 40) + 0.6, 4)


def trainer_state(path: Path, *, epochs=3, per_epoch=50, log_every=10, evals=True, **state) -> Path:
    rows = []
    for step in range(log_every, epochs * per_epoch + 1, log_every):
        rate = 5e-5 * (1 - step / (epochs * per_epoch))
        rows.append(
            {
                "epoch": step / per_epoch,
                "grad_norm": 1.1,
                "learning_rate": rate,
                "loss": loss_at(step),
                "step": step,
            }
        )
        if evals and step % per_epoch == 0:
            rows.append(
                {
                    "epoch": step / per_epoch,
                    "eval_loss": loss_at(step) + 0.1,
                    "eval_runtime": 1.0,
                    "step": step,
                }
            )
    total = epochs * per_epoch
    rows.append({"epoch": float(epochs), "step": total, "total_flos": 1e12, "train_loss": 1.2, "train_runtime": 60.0,
                 "train_samples_per_second": 20.0, "train_steps_per_second": 2.5})  # fmt: skip
    content = {"best_metric": None, "epoch": float(epochs), "eval_steps": 50, "global_step": total, "log_history": rows,
               "logging_steps": log_every, "max_steps": total, "num_train_epochs": epochs, "train_batch_size": 4}  # fmt: skip
    path.write_text(json.dumps(content | state))
    return path


OPENAI_CSV = (
    "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
    "1,2.31,0.51,2.4,0.5\n2,2.2,0.52,,\n3,1.9,0.6,-1,-1\n4,nan,0.61,2.0,0.55\n"
)
AZURE_CSV = (
    "step,train_loss,train_mean_token_accuracy,valid_loss,validation/valid_mean_token_accuracy,"
    "full_valid_loss,full_valid_mean_token_accuracy\n1,2.31,0.51,2.4,0.5,,\n2,1.9,0.6,2.0,0.55,2.1,0.54\n"
)
GPT3_CSV = (
    "step,elapsed_tokens,elapsed_examples,training_loss,training_sequence_accuracy,training_token_accuracy,"
    "validation_loss,validation_sequence_accuracy,validation_token_accuracy\n"
    "1,265,1,0.19,0.0,0.75,0.21,0.0,0.7\n2,538,2,0.17,0.0,0.8,,,\n"
)


def as_base64(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()  # with line ends every 76 characters


def trainer_log(path: Path) -> Path:
    """LLaMA-Factory: null placeholders, an eval line, a resumed run's repeated step, and a line cut off at the end."""
    lines = [
        {
            "current_steps": 10,
            "total_steps": 40,
            "loss": 2.0,
            "eval_loss": None,
            "lr": 1e-4,
            "epoch": 0.5,
            "percentage": 25.0,
        },
        {
            "current_steps": 20,
            "total_steps": 40,
            "loss": 1.5,
            "lr": 5e-5,
            "epoch": 1.0,
            "elapsed_time": "0:00:09",
        },
        {"current_steps": 20, "total_steps": 40, "eval_loss": 1.6, "epoch": 1.0},
        {"current_steps": 20, "total_steps": 40, "loss": 1.4, "lr": 5e-5, "epoch": 1.0},
        {"current_steps": 40, "total_steps": 40, "loss": 1.2, "lr": 0.0, "epoch": 2.0},
        {"current_steps": 40, "total_steps": 40, "eval_loss": 1.4, "epoch": 2.0},
        {"current_steps": 40, "total_steps": 40, "epoch": 2.0, "percentage": 100.0, "total_tokens": 81920},
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines) + '\n{"current_st')
    return path


AXOLOTL_LOG = """\
[2026-01-01 10:00:00,000] [INFO] [axolotl.cli.config] config:
{
  "base_model": "meta-llama/Llama-3.2-1B",
  "learning_rate": 0.0002,
  "micro_batch_size": 2,
  "gradient_accumulation_steps": 4,
  "num_epochs": 2.0,
  "lr_scheduler": "cosine"
}
  0%|          | 0/40 [00:00<?, ?it/s]
 25%|##5       | 10/40 [00:05<00:15,  2.0it/s]
{'loss': 2.0, 'grad_norm': 1.2, 'learning_rate': 0.0002, 'epoch': 0.5}
 50%|#####     | 20/40 [00:10<00:10,  2.0it/s]
{'loss': '1.5', 'grad_norm': '0.9', 'learning_rate': '0.0001', 'epoch': '1'}
  0%|          | 0/7 [00:00<?, ?it/s]
100%|##########| 7/7 [00:01<00:00,  7.0it/s]
{'eval_loss': 1.6, 'eval_runtime': 1.0, 'epoch': 1.0}
 75%|#######5  | 30/40 [00:16<00:05,  2.0it/s]
{'loss': nan, 'grad_norm': nan, 'learning_rate': 5e-05, 'epoch': 1.5}
100%|##########| 40/40 [00:21<00:00,  2.0it/s]
{'loss': 1.2, 'grad_norm': 0.7, 'learning_rate': 1e-05, 'epoch': 2.0}
{'eval_loss': 1.4, 'eval_runtime': 1.0, 'epoch': 2.0}
{'train_runtime': 21.0, 'train_samples_per_second': 15.2, 'train_steps_per_second': 1.9, 'train_loss': 1.5, 'epoch': 2.0}
"""

KERAS_CSV = "epoch,accuracy,learning_rate,loss,val_accuracy,val_loss\n0,0.5,0.001,2.0,0.5,2.1\n1,0.6,0.001,1.5,0.6,1.8\n2,0.7,0.001,nan,0.6,1.9\n"
KERAS_HISTORY = {"loss": [2.0, 1.5, math.nan], "val_loss": [2.1, 1.8, 1.9], "accuracy": [0.5, 0.6, 0.7]}

LIGHTNING_CSV = (
    "epoch,lr-AdamW,step,train_loss_epoch,train_loss_step,val_loss\n"
    "0,,0,,,3.0\n,0.001,9,,,\n0,,9,,2.0,\n0,,19,,1.8,\n0,,19,,,1.9\n0,,19,1.9,,\n"
    "1,,29,,1.6,\n1,,39,,1.4,\n1,,39,,,1.5\n1,,39,1.5,,\n"
)

WANDB_HISTORY = (
    ",_step,_runtime,_timestamp,train/loss,train/epoch,train/global_step,train/learning_rate,eval/loss\n"
    "0,0,1.0,1760000000.5,2.0,0.5,10,0.0001,\n1,1,2.0,1760000005.5,1.5,1.0,20,5e-05,\n"
    "2,2,2.5,1760000006.5,,1.0,20,,1.6\n3,3,4.0,1760000009.5,NaN,1.5,30,2e-05,\n"
)
WANDB_PANEL = (
    '"train/global_step","run - a - train/loss","run - a - train/loss__MIN","run - a - train/loss__MAX",'
    '"b - train/loss","b - train/loss__MIN","b - train/loss__MAX"\n'
    '"10","2.0","2.0","2.0","2.2","2.2","2.2"\n"20","1.5","1.5","1.5","","",""\n"30","1.2","1.2","1.2","1.9","1.9","1.9"\n'
)


AZURE_ROWS = AZURE_CSV + "3,1.25,0.66,1.75,0.61,,\n4,1.125,0.71,1.625,0.64,1.5,0.62\n"


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


def losses(record, key):
    return [value for _, value in record[key]]
