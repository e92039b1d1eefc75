"""Tables made with a language model: adapters trained at every setting, here those of the shipped tiny model."""

import json
from pathlib import Path

import pytest

from experiments.benchmark.generate.language import main
from experiments.benchmark.surfaces import library
from experiments.benchmark.tables import read

MODEL = Path(__file__).parents[2] / "onprem" / "embedded"


@pytest.fixture
def lora():
    pytest.importorskip("peft")
    pytest.importorskip("torch").set_num_threads(1)
    from experiments.benchmark.generate import lora

    return lora


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    pairs = [{"prompt": f"number {i}", "completion": f"it is {i}"} for i in range(40)]
    path.write_text("\n".join(map(json.dumps, pairs)))
    return path


def test_a_table_is_a_whole_grid_and_training_lowers_the_loss(lora, rows, tmp_path, monkeypatch):
    small = lora.Design((1, 2), (4, 8), (1.0, 10.0), base_rate=1e-3)
    monkeypatch.setattr(lora, "DESIGN", small)
    out = tmp_path / "numbers.jsonl.gz"
    assert main([str(MODEL), str(rows), "--out", str(out), "--examples", "16"]) == 0
    made = read(out)
    assert (made.name, made.meta["n_train"], made.meta["n_valid"]) == ("numbers", 16, 8)
    assert made.space() == {
        "n_epochs": [1, 2],
        "batch_size": [4, 8],
        "learning_rate_multiplier": [1.0, 10.0],
    }
    assert made.best < 0.9 * made.base
    assert made.rows[1, 4, 10.0]["full"] == made.rows[2, 4, 10.0]["full"][:1]
    assert library([made]).surfaces[0].constant


def test_the_loss_is_of_the_answers_alone(lora):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    examples = lora.encode(tokenizer, [("one", "a"), ("two and three", "b c d")], longest=64)
    model = AutoModelForCausalLM.from_pretrained(MODEL).eval()
    alone = []
    for tokens, start in examples:
        with torch.no_grad():
            told = model(torch.tensor([tokens])).logits[0].log_softmax(-1)
        alone += [-told[i - 1, tokens[i]].item() for i in range(start, len(tokens))]
    assert lora.evaluate(model, examples) == pytest.approx(sum(alone) / len(alone), rel=1e-4)


def test_what_cannot_be_read_is_told_together(lora, tmp_path, capsys):
    assert main([str(tmp_path), str(tmp_path / "no.jsonl"), "--out", "t.jsonl.gz"]) == 2
    said = capsys.readouterr().err
    assert "no.jsonl does not exist" in said
    assert "no config.json" in said


def test_where_no_answer_is_within_the_length_it_is_said(lora, rows, tmp_path, capsys):
    out = tmp_path / "t.jsonl.gz"
    assert main([str(MODEL), str(rows), "--out", str(out), "--longest", "1"]) == 2
    assert "0 rows whose answer begins within 1 tokens" in capsys.readouterr().err
    assert not out.exists()


def test_the_first_epoch_trains_as_the_later_ones_do(lora, monkeypatch):
    modes = []

    def peft_model(*made):
        model = adapted(*made)
        model.register_forward_pre_hook(lambda m, _: modes.append({x.training for x in m.modules()}))
        return model

    adapted = lora.get_peft_model
    monkeypatch.setattr(lora, "get_peft_model", peft_model)
    some = [([1, 2, 3, 4], 2)] * 2
    lora.run(MODEL, some, some[:1], lora.DESIGN, batch=2, epochs=2, multiplier=1.0)
    assert modes == [{True}, {False}, {True}, {False}], "training and evaluation, in turns, of every part"
