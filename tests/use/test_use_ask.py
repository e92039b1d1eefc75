"""Eval and chat with the real client against a real server."""

from __future__ import annotations

import json

import pytest
from chatserver import TUNED, ChatServer

from tracker.cli import main
from tracker.errors import TrackerError
from tracker.jobrecords import records
from tracker.runs import reader
from tracker.use.ask import Speaker, as_prompt

ROWS = [("yes", "yes"), ("no", "no"), ("maybe", "never")]  # asked, wanted


@pytest.fixture
def test_file(tmp_path):
    path = tmp_path / "test.jsonl"
    turns = [[{"role": "user", "content": q}, {"role": "assistant", "content": a}] for q, a in ROWS]
    path.write_text("".join(json.dumps({"messages": t}) + "\n" for t in turns))
    return path


def run(server, store, *words):
    return main([*words, "--base-url", server.url, "--tracking-uri", store])


def test_tuned_and_base_side_by_side(shared_store, run_ids, test_file, capsys):
    with ChatServer() as server:
        assert run(server, shared_store, "eval", run_ids[1], str(test_file), "--json") == 0
    result = json.loads(capsys.readouterr().out)
    # the tuned model echoes: 2 of 3 right; the base model always says no: 1 of 3
    assert (result["tuned"]["score"], result["base"]["score"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert result["gain"]["score"] == pytest.approx(1 / 3)
    assert result["gain"]["stderr"] == pytest.approx(1 / 3)  # of 1, 0, 0
    assert (result["tuned"]["model"], result["base"]["model"], result["tuned"]["n"]) == (TUNED, "base-1", 3)


def test_scores_are_logged_without_a_word_of_text(shared_store, run_ids, test_file, capsys):
    with ChatServer() as server:
        run(server, shared_store, "eval", "ftjob-1", str(test_file), "--metric", "f1")
    latest = reader(shared_store).latest([run_ids[1]])[run_ids[1]]
    assert (latest["eval.f1"], latest["eval.base.f1"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    [row] = reader(shared_store).runs(run_ids=[run_ids[1]])
    from pathlib import Path
    from urllib.parse import urlsplit

    lines = (Path(urlsplit(row.artifact_uri).path) / "eval" / "f1.jsonl").read_text()
    assert [json.loads(line)["line"] for line in lines.splitlines()] == [1, 2, 3]
    assert json.loads(lines.splitlines()[0]).keys() == {"line", "tuned", "base"}
    assert not any(word in lines for word in ("yes", "maybe", "never"))
    assert f"run {run_ids[1]}" in capsys.readouterr().out


def test_the_advisors_record_has_the_score(shared_store, run_ids, test_file):
    with ChatServer() as server:
        run(server, shared_store, "eval", run_ids[1], str(test_file), "--metric", "exact_match", "--no-base")
    [record] = records(run_id=run_ids[1], tracking_uri=shared_store)
    assert record["metrics"]["exact_match"] == pytest.approx(2 / 3)


def test_nothing_is_stored_and_answers_repeat(shared_store, test_file):
    with ChatServer() as server:
        run(server, shared_store, "eval", TUNED, str(test_file), "--no-base", "--limit", "1")
        [(path, body)] = server.asked
    assert path == "/v1/chat/completions"
    assert (body["store"], body["temperature"], body["messages"]) == (
        False,
        0,
        [{"role": "user", "content": "yes"}],
    )


def test_a_server_that_does_not_know_store_is_asked_without(shared_store, capsys):
    with ChatServer(refuse_store=True) as server:
        assert run(server, shared_store, "chat", TUNED, "--no-base", "--message", "hello") == 0
        assert ["store" in body for _, body in server.asked] == [True, False]
    assert capsys.readouterr().out == "hello\n"


def test_a_busy_server_is_asked_again(shared_store, capsys):
    with ChatServer(failures=[429, 500]) as server:
        assert run(server, shared_store, "chat", TUNED, "--no-base", "--message", "hello") == 0
        assert len(server.asked) == 3


def test_chat_shows_both(shared_store, capsys):
    with ChatServer() as server:
        assert run(server, shared_store, "chat", TUNED, "--message", "hello", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {TUNED: "hello", "base-1": "no"}


def test_a_conversation_is_remembered_by_each_model(shared_store, capsys, monkeypatch):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("one\n\ntwo\n"))
    with ChatServer() as server:
        assert run(server, shared_store, "chat", TUNED, "--system", "be brief") == 0
        last = {body["model"]: [m["content"] for m in body["messages"]] for _, body in server.asked[2:]}
    assert last == {TUNED: ["be brief", "one", "one", "two"], "base-1": ["be brief", "one", "no", "two"]}


@pytest.mark.parametrize("model", ["babbage-002", "ft:davinci-002:org::x", "plain-base"])
def test_base_models_take_the_completions_route(shared_store, capsys, model):
    with ChatServer() as server:
        assert run(server, shared_store, "chat", model, "--no-base", "--message", "Once") == 0
        path, body = server.asked[-1]
    assert (path, body["prompt"]) == ("/v1/completions", "Once")
    assert "store" not in body
    assert capsys.readouterr().out.strip() == "continued"


def test_a_conversation_as_a_prompt():
    said = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    assert as_prompt(said) == "system: s\n\nuser: u\n\nassistant:"


def test_a_run_without_a_model_is_refused(shared_store, run_ids, test_file, capsys):
    with ChatServer() as server:
        assert run(server, shared_store, "eval", run_ids[3], str(test_file)) == 2
        assert server.asked == []
    assert "its job is failed" in capsys.readouterr().err


def test_a_bad_test_file_is_refused_before_anything_is_asked(shared_store, tmp_path, capsys):
    (tmp_path / "bad.jsonl").write_text('{"messages": []}\nbroken\n')
    with ChatServer() as server:
        assert run(server, shared_store, "eval", TUNED, str(tmp_path / "bad.jsonl")) == 2
        assert server.asked == []
    err = capsys.readouterr().err
    assert "line 1" in err
    assert "line 2" in err


def test_no_examples_are_no_evaluation(shared_store, test_file, capsys):
    with ChatServer() as server:
        assert run(server, shared_store, "eval", TUNED, str(test_file), "--limit", "0") == 2
    assert "limit is 0" in capsys.readouterr().err


def test_a_refusal_for_good_fails(shared_store, test_file):
    with ChatServer(failures=[401]) as server:
        assert run(server, shared_store, "eval", TUNED, str(test_file), "--no-base", "--limit", "1") == 1


def test_a_provider_without_chat_says_so():
    with pytest.raises(TrackerError, match="reads jobs alone"):
        Speaker(object(), "m")


@pytest.mark.parametrize("words", [("eval", "nope"), ("chat", "nope", "--message", "hi")])
def test_a_name_that_means_nothing_is_told_as_such(words, shared_store, test_file, capsys):
    words = [*words, str(test_file)] if words[0] == "eval" else words
    with ChatServer(unknown="nope") as server:
        assert run(server, shared_store, *words) == 2
    err = capsys.readouterr().err
    assert "nope is no run or job in this store" in err
    assert "`tracker models` lists" in err
