"""Tables of every logger: Keras, Lightning, Weights & Biases, spreadsheets and model cards."""

from __future__ import annotations

import json
import math

import history_files as files
import pytest
from history_files import write

from tracker.readers import ReadError, read
from tracker.readers.source import parse_table

KERAS_FORMS = {
    "CSVLogger": ("history.csv", files.KERAS_CSV),
    "semicolons": ("history.csv", files.KERAS_CSV.replace(",", ";")),
    "decimal commas": ("history.csv", files.KERAS_CSV.replace(",", ";").replace(".", ",")),
    "JSON": ("history.json", json.dumps(files.KERAS_HISTORY)),
    "data frame's JSON": (
        "h.json",
        json.dumps({k: dict(enumerate(v)) for k, v in files.KERAS_HISTORY.items()}),
    ),
    "data frame's CSV": ("h.csv", ",loss,val_loss\n0,2.0,2.1\n1,1.5,1.8\n2,nan,1.9\n"),
}


@pytest.mark.parametrize(("name", "text"), KERAS_FORMS.values(), ids=KERAS_FORMS)
def test_keras_history(tmp_path, name, text):
    [record] = read(write(tmp_path, name, text))
    assert record["train_loss"][:2] == [[1, 2.0], [2, 1.5]]
    assert math.isnan(record["train_loss"][2][1])
    assert record["full_valid_loss"] == [[1, 2.1], [2, 1.8], [3, 1.9]]
    assert (record["hyperparameters"]["n_epochs"], record["steps_per_epoch"]) == (3, 1)


def test_a_comma_is_a_decimal_point_where_semicolons_part_the_cells(tmp_path):
    text = "step;train_loss;valid_loss;note\n1;1,5; 1,6 ;a,b\n2;1,4e0;-1;1,2,3\n3;1.3;1,45;\n"
    [record] = read(write(tmp_path, "result.csv", text))
    assert record["train_loss"] == [[1, 1.5], [2, 1.4], [3, 1.3]]
    assert record["valid_loss"] == [[1, 1.6], [3, 1.45]]
    table = parse_table(text)
    assert (table.cells[0][3], table.cells[1][3]) == ("a,b", "1,2,3"), "no numbers"


def test_lightnings_row_of_a_test_is_no_further_epoch(tmp_path):
    """`trainer.test` after fitting logs the epoch that would come next."""
    rows = "".join(f"{e},{e * 2 + 1},{2 - 0.1 * e},{2.1 - 0.1 * e},\n" for e in range(4))
    [record] = read(
        write(tmp_path, "metrics.csv", f"epoch,step,train_loss,val_loss,test_loss\n{rows}4,8,,,1.9\n")
    )
    assert record["hyperparameters"]["n_epochs"] == 4
    assert record["steps_per_epoch"] == 2


def test_lightning(tmp_path):
    (tmp_path / "hparams.yaml").write_text("batch_size: 16\nmax_epochs: 2\nmodel_name: bert\n")
    [record] = read(write(tmp_path, "metrics.csv", files.LIGHTNING_CSV))
    assert record["train_loss"] == [
        [10, 2.0],
        [20, 1.8],
        [30, 1.6],
        [40, 1.4],
    ]  # Lightning's step 9 is the 10th
    assert record["base_valid_loss"] == 3.0
    assert record["full_valid_loss"] == [[20, 1.9], [40, 1.5]]
    assert record["hyperparameters"] == {"n_epochs": 2, "batch_size": 16, "learning_rate": 0.001}
    assert (record["steps_per_epoch"], record["model"]) == (20, "bert")


def test_log_history_saved_as_csv(tmp_path):
    text = ",loss,grad_norm,learning_rate,epoch,step,eval_loss\n0,2.0,1.0,1e-4,0.5,10,\n1,1.5,1.0,5e-5,1.0,20,\n2,,,,1.0,20,1.6\n"
    [record] = read(write(tmp_path, "log.csv", text))
    assert (record["train_loss"], record["full_valid_loss"]) == ([[10, 2.0], [20, 1.5]], [[20, 1.6]])
    assert record["steps_per_epoch"] == 20


def test_wandb_history(tmp_path):
    [record] = read(write(tmp_path, "wandb_history.csv", files.WANDB_HISTORY))
    assert record["train_loss"][:2] == [[10, 2.0], [20, 1.5]]  # the optimiser's steps, not W&B's log calls
    assert record["full_valid_loss"] == [[20, 1.6]]
    assert (record["created_at"], record["steps_per_epoch"]) == (1760000000.5, 20)


def test_wandb_panel_gives_one_record_a_run(tmp_path):
    first, second = read(write(tmp_path, "wandb_export.csv", files.WANDB_PANEL))
    assert (first["id"], second["id"]) == ("run - a", "b")
    assert first["train_loss"] == [[10, 2.0], [20, 1.5], [30, 1.2]]
    assert second["train_loss"] == [[10, 2.2], [30, 1.9]]


def test_wandb_panel_over_epochs(tmp_path):
    text = '"epoch","a - _step","a - _step__MIN","a - train/loss","a - eval/loss"\n0.5,3,3,2.0,\n1.0,6,6,1.5,1.75\n'
    [record] = read(write(tmp_path, "wandb_export.csv", text))
    assert (record["train_loss"], record["full_valid_loss"]) == ([[0.5, 2.0], [1, 1.5]], [[1, 1.75]])
    assert record["steps_per_epoch"] == 1


PLAIN = {
    "notebook": "Step,Training Loss,Validation Loss\n10,2.0,2.2\n20,No log,1.9\n30,1.2,nan\n",
    "Markdown": "# card\n\n| Step | Training Loss | Validation Loss |\n|:---:|:---:|---:|\n"
    "| 10 | 2.0 | 2.2 |\n| 20 | No log | 1.9 |\n| 30 | 1.2 | nan |\n\ntext\n",
    "spreadsheet": "iteration;train_loss;val_loss\n10;2.0;2.2\n20;;1.9\n30;1.2;NaN\n",
}


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_plain_tables(tmp_path, text):
    [record] = read(write(tmp_path, "table.csv", text))
    assert record["train_loss"] == [[10, 2.0], [30, 1.2]]
    assert record["full_valid_loss"][:2] == [[10, 2.2], [20, 1.9]]
    assert math.isnan(record["full_valid_loss"][2][1])


@pytest.mark.parametrize(
    ("text", "base", "steps"),
    [
        ("Epoch,Training Loss,Validation Loss\n1,2.0,2.1\n2,1.5,1.8\n", None, [1, 2]),
        ("Epoch,Training Loss,Validation Loss\n0,2.0,2.1\n1,1.5,1.8\n", None, [1, 2]),  # counted from 0
        ("Epoch,Training Loss,Validation Loss\n0,No log,3.0\n1,1.5,1.8\n", 3, [1]),  # before training
    ],
)
def test_plain_tables_over_epochs(tmp_path, text, base, steps):
    [record] = read(write(tmp_path, "table.csv", text))
    assert record.get("base_valid_loss") == base
    assert [step for step, _ in record["full_valid_loss"]] == steps
    assert record["steps_per_epoch"] == 1


def test_columns_that_say_train_and_val_alone_are_losses_by_step(tmp_path):
    path = write(tmp_path, "my.csv", "iter,loss,val\n10,1.42,1.58\n20,1.0,1.39\n")
    [record] = read(path)
    assert (record["train_loss"], record["full_valid_loss"]) == (
        [[10, 1.42], [20, 1.0]],
        [[10, 1.58], [20, 1.39]],
    )
    assert record["hyperparameters"] == {}


def test_a_history_of_wandb_tells_the_rate_that_was_set_and_the_epochs(tmp_path):
    rows = [
        f"{i},{5 * i + 5},{(i + 1) / 5},{5e-5 * (1 - (5 * i + 5) / 100):.6g},{2 - i / 20}" for i in range(20)
    ]
    text = "_step,train/global_step,train/epoch,train/learning_rate,train/loss\n" + "\n".join(rows)
    [record] = read(write(tmp_path, "history.csv", text))
    assert record["hyperparameters"] == {"n_epochs": 4, "learning_rate": 5e-5}


@pytest.mark.parametrize(
    ("header", "rows", "taken"),
    [
        ("step,train,val", "10,0.5,0.48\n20,0.8,0.7\n30,0.93,0.69\n", False),
        ("epoch,val", "1,50\n2,80\n3,93\n", False),
        ("step,train,val", "10,0.9,0.6\n20,0.5,0.7\n30,0.1,0.9\n", True),  # training falls: losses
        ("step,train,val", "10,2.5,2.4\n20,2.6,2.6\n", True),  # no accuracy is above 1
        ("step,train loss,val", "10,0.1,0.2\n20,0.2,0.3\n", True),
    ],
)
def test_columns_of_train_and_val_are_losses_where_they_can_be_nothing_else(tmp_path, header, rows, taken):
    path = write(tmp_path, "my.csv", f"{header}\n{rows}")
    if taken:
        assert read(path)[0]["full_valid_loss"]
        return
    with pytest.raises(ReadError, match=r"'val' hold, and what rises may be an accuracy; name the columns"):
        read(path)


def test_a_result_file_that_an_editor_wrote_as_utf_16_keeps_batches_apart_from_the_whole_set(tmp_path):
    rows = "".join(
        f"{i},{2 / i},{2.1 / i if i % 2 else ''},{2.2 / i if i % 4 == 0 else ''}\n" for i in range(1, 9)
    )
    text = f"step,train_loss,valid_loss,full_valid_loss\n{rows}"
    path = tmp_path / "result.csv"
    path.write_text(text, encoding="utf-16")
    [record] = read(path)
    assert [s for s, _ in record["valid_loss"]] == [1, 3, 5, 7]
    assert [s for s, _ in record["full_valid_loss"]] == [4, 8]
