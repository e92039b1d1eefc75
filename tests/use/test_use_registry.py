"""Listing, promoting and comparing, on a store of three jobs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tracker.cli import main
from tracker.jobrecords import records
from tracker.mlflow_store import MlflowStore
from tracker.runs import reader
from tracker.use.target import base_of, find_target


def answer(capsys, *words):
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_models_and_checkpoints_best_first(shared_store, capsys):
    found = answer(capsys, "models", "--tracking-uri", shared_store)
    assert [(e["kind"], e["step"], e["loss"]) for e in found] == [
        ("checkpoint", 20, 1.2),
        ("model", 30, 1.4),
        ("model", 20, 1.5),
        ("checkpoint", 10, 1.8),
        ("checkpoint", 10, 2.0),
    ]
    assert {e["experiment"] for e in found} == {"haiku"}
    assert found[0]["model"] == "ft:base-1:org::def:ckpt-2"


def test_models_of_an_empty_store(tmp_path, capsys):
    assert main(["models", "--tracking-uri", f"sqlite:///{tmp_path}/none.db"]) == 0
    assert "No tuned models yet" in capsys.readouterr().out


class TestPromote:
    def version(self, store, name, alias):
        found = MlflowStore(store).call("get_model_version_by_alias", name, alias)
        return found.version, found.tags

    def test_a_run(self, shared_store, run_ids, capsys):
        done = answer(capsys, "promote", run_ids[1], "--tracking-uri", shared_store, "--name", "bot")
        assert (done["name"], done["model"]) == ("bot", "ft:base-1:org::abc")
        version, tags = self.version(shared_store, "bot", "champion")
        assert version == done["version"]
        assert (tags["model"], tags["base_model"], tags["full_valid_loss"]) == (
            "ft:base-1:org::abc",
            "base-1",
            "1.5",
        )

    def test_again_makes_no_second_version(self, shared_store, run_ids, capsys):
        words = ("promote", run_ids[1], "--tracking-uri", shared_store, "--name", "again")
        assert answer(capsys, *words)["version"] == answer(capsys, *words, "--alias", "other")["version"]

    def test_a_checkpoint_takes_the_alias_over(self, shared_store, run_ids, capsys):
        words = ("--tracking-uri", shared_store, "--name", "both")
        first = answer(capsys, "promote", run_ids[1], *words)
        second = answer(capsys, "promote", run_ids[2], *words, "--checkpoint", "20")
        assert second["version"] != first["version"]
        assert self.version(shared_store, "both", "champion")[1]["model"] == "ft:base-1:org::def:ckpt-2"

    @pytest.mark.parametrize("words", [("nothing",), ("ftjob-3",), ("ftjob-1", "--checkpoint", "7")])
    def test_what_cannot_be_promoted(self, shared_store, capsys, words):
        assert main(["promote", *words, "--tracking-uri", shared_store]) == 2
        assert capsys.readouterr().err


class TestCompare:
    def test_differences(self, shared_store, run_ids, capsys):
        found = answer(capsys, "compare", run_ids[1], run_ids[2], "--tracking-uri", shared_store)
        rows = {row["what"]: row for row in found["rows"]}
        assert rows["n_epochs"]["values"] == ["3", "5"]
        assert rows["batch_size"]["same"]
        assert rows["best_full_valid_loss"]["values"] == [1.5, 1.2]

    def test_the_table_shows_what_differs(self, shared_store, capsys):
        assert main(["compare", "ftjob-1", "ftjob-3", "--tracking-uri", shared_store]) == 0
        out = capsys.readouterr().out
        assert "learning_rate_multiplier" in out
        assert "batch_size" not in out
        assert "same in all" in out

    def test_all_unknown_names_at_once(self, shared_store, capsys):
        assert main(["compare", "nope", "ftjob-1", "nix", "--tracking-uri", shared_store]) == 2
        err = capsys.readouterr().err
        assert "nope is no run" in err
        assert "nix is no run" in err

    def test_one_run_is_too_few(self, shared_store, capsys):
        assert main(["compare", "ftjob-1", "--tracking-uri", shared_store]) == 2
        assert "name two at least" in capsys.readouterr().err


def test_targets(shared_store, run_ids):
    for name in (run_ids[1], "ftjob-1", "ft:base-1:org::abc"):
        target = find_target(name, shared_store)
        assert (target.model, target.base, target.run_id) == ("ft:base-1:org::abc", "base-1", run_ids[1])
    other = find_target("ft:gpt-4o-mini:org::z", shared_store)
    assert (other.base, other.run_id) == ("gpt-4o-mini", None)


@pytest.mark.parametrize(("model", "base"), [("ft:a:b::c", "a"), ("a", None), ("a:b:c", None), ("ft:", None)])
def test_base_of(model, base):
    assert base_of(model) == base


def test_both_ways_of_reading_a_store_tell_the_same_checkpoints(shared_store, run_ids):
    by_sql, by_mlflow = reader(shared_store), MlflowStore(shared_store)
    ids = list(run_ids.values())
    assert by_sql.checkpoints(ids) == by_mlflow.checkpoints(ids)
    assert [step for step, _ in by_sql.checkpoints(ids)[run_ids[2]]] == [10, 20, 30]


def test_records_name_their_checkpoints(shared_store):
    found = {
        record["id"]: record.get("checkpoints")
        for record in records(experiment="haiku", tracking_uri=shared_store)
    }
    assert found["ftjob-1"][-1] == {"step": 20, "model": "ft:base-1:org::abc"}
    assert found["ftjob-3"] is None


def test_a_reader_that_goes_ends_a_listing_quietly(shared_store):
    words = [sys.executable, "-m", "tracker.cli", "models", "--tracking-uri", shared_store]
    gone, end = os.pipe()
    os.close(gone)
    done = subprocess.run(words, stdout=end, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(end)
    assert (done.returncode, done.stderr) == (0, "")
