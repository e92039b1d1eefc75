"""The ready-made comparison page."""

from __future__ import annotations

import base64
import json
import zlib
from urllib.parse import parse_qs, urlsplit

import pytest

from tracker.errors import InputError
from tracker.mlflow_store import MlflowStore
from tracker.tuning import KIND_TAG, NAME_TAG
from tracker.view import view_link


@pytest.fixture
def store(uri):
    return MlflowStore(uri)


def state_of(store, link: str) -> tuple[dict, dict]:
    """The view that a link opens, as MLflow's page decodes it."""
    parts = urlsplit(link)
    _, experiment_id, _ = parts.fragment.split("?")[0].strip("/").split("/")
    query = parse_qs(parts.fragment.split("?")[1])
    assert query["workflowType"] == ["machine_learning"]
    assert query["compareRunsMode"] == ["CHART"]
    tag = json.loads(
        store.experiment(experiment_id).tags[f"mlflow.sharedViewState.{query['viewStateShareKey'][0]}"]
    )
    packed = tag["state"].removeprefix("deflate;")
    return tag, json.loads(zlib.decompress(base64.b64decode(packed)))


def test_an_experiments_view_compares_train_and_valid(store, uri):
    store.create_run("mine", "r", {"job.id": "j"}, 0)
    tag, state = state_of(store, view_link("mine", uri))
    assert set(tag) == {"name", "createdAt", "updatedAt", "state"}
    lines = [chart for chart in state["compareRunCharts"] if chart["type"] == "LINE"]
    assert ["train_loss", "valid_loss"] in [chart["selectedMetricKeys"] for chart in lines]
    assert {chart["metricSectionId"] for chart in state["compareRunCharts"]} <= {
        section["uuid"] for section in state["compareRunSections"]
    }
    assert "tags.`advisor.diagnosis`" in state["selectedColumns"]


def test_a_loops_view_shows_its_children_only(store, uri):
    loop_id = store.create_run("mine", "tune", {KIND_TAG: "loop", NAME_TAG: "tune"}, 0)
    child = store.create_run("mine", "1", {"job.id": "j", "mlflow.parentRunId": loop_id}, 1)
    store.create_run("mine", "other", {"job.id": "k"}, 2)
    _, state = state_of(store, view_link("tune", uri))
    experiment = store.experiment_id("mine")
    shown = store.client.search_runs([experiment], state["searchFilter"])
    assert [run.info.run_id for run in shown] == [child]


def test_the_link_points_at_the_server_where_there_is_one(store, uri):
    store.create_run("mine", "r", {}, 0)
    assert view_link("mine", uri, "http://10.0.0.5:7000/").startswith("http://10.0.0.5:7000/#/experiments/")


def test_asking_twice_changes_nothing(store, uri):
    store.create_run("mine", "r", {}, 0)
    first = state_of(store, view_link("mine", uri))
    assert state_of(store, view_link("mine", uri)) == first


def test_the_tag_is_within_mlflows_limit(store, uri):
    store.create_run("mine", "r", {}, 0)
    tag, _ = state_of(store, view_link("mine", uri))
    assert len(json.dumps(tag)) < 20_000


def test_a_name_nobody_has_is_answered_with_those_there_are(store, uri):
    store.create_run("mine", "r", {}, 0)
    with pytest.raises(InputError, match="mine"):
        view_link("theirs", uri)
