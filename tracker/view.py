"""The ready-made comparison page of MLflow's UI, for an experiment or a loop: train solid, valid dashed, our columns.

A view is a JSON state kept in an experiment tag and opened by its name in the address. The state's form is MLflow's own
and undocumented (seen in 3.15 to 3.18): a version that does not know it shows a message and its ordinary page.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from tracker.errors import InputError
from tracker.runs import reader
from tracker.store import found_uri
from tracker.tuning import KIND_TAG, Loop, find_loop

#: Pairs of metrics on one chart, by section. MLflow draws the first metric solid and the second dashed.
SECTIONS = {
    "Loss: train solid, valid dashed": [("train_loss", "valid_loss"), ("train_loss", "full_valid_loss")],
    "Token accuracy: train solid, valid dashed": [
        ("train_mean_token_accuracy", "valid_mean_token_accuracy"),
        ("train_mean_token_accuracy", "full_valid_mean_token_accuracy"),
    ],
}

COLUMNS = [
    "metrics.`best_full_valid_loss`",
    "metrics.`full_valid_loss`",
    "metrics.`base_valid_loss`",
    "params.`n_epochs`",
    "params.`batch_size`",
    "params.`learning_rate_multiplier`",
    "params.`learning_rate`",
    "metrics.`trained_tokens`",
    "metrics.`cost_usd`",
    "tags.`job.status`",
    "tags.`advisor.diagnosis`",
    "tags.`advisor.next`",
]

#: Fixed, so that the same view gives the same tag: views are not dated by when they were looked at.
CREATED_MS = 1_760_000_000_000

#: Runs shown at once: more lines cannot be told apart.
RUNS = 10

ADDRESS = "http://127.0.0.1:5000"


def view_link(what: str | Loop, tracking_uri: str | None = None, address: str | None = None) -> str:
    """Return the address of the comparison page, after storing its view in MLflow.

    Parameters
    ----------
    what
        A :class:`tracker.tuning.Loop`, or the name of a loop or of an experiment.
    address
        Where MLflow's UI answers; a store that is a server is its own.

    Raises
    ------
    InputError
        Where neither a loop nor an experiment has the name.
    """
    from tracker.mlflow_store import MlflowStore

    uri = tracking_uri or found_uri()
    loop = what if isinstance(what, Loop) else find_loop(what, tracking_uri=uri)
    name = loop.experiment if loop else str(what)
    store = MlflowStore(uri)
    experiment = store.client.get_experiment_by_name(name)
    if experiment is None:
        names = sorted({row.experiment for row in reader(uri).runs()})
        raise InputError(
            f"No loop and no experiment is called {name!r} in {uri}; there are: {', '.join(names) or 'none'}."
        )
    view_id = f"loop-{loop.run_id[:12]}" if loop else "jobs"
    store.set_experiment_tag(
        experiment.experiment_id, f"mlflow.sharedViewState.{view_id}", tag(state(loop), loop)
    )
    host = address or (uri if uri.startswith("http") else ADDRESS)
    return (
        f"{host.rstrip('/')}/#/experiments/{experiment.experiment_id}/runs"
        f"?viewStateShareKey={view_id}&compareRunsMode=CHART&workflowType=machine_learning"
    )


def tag(view: dict[str, Any], loop: Loop | None) -> str:
    """Return the value of the experiment tag that holds a view."""
    packed = "deflate;" + base64.b64encode(zlib.compress(json.dumps(view).encode(), 9)).decode()
    name = f"Loop {loop.name}" if loop else "Fine-tuning jobs"
    return json.dumps({"name": name, "createdAt": CREATED_MS, "updatedAt": CREATED_MS, "state": packed})


def state(loop: Loop | None) -> dict[str, Any]:
    """Return the view's state: a loop's children, or all jobs of the experiment, best first."""
    chosen = f"tags.`mlflow.parentRunId` = '{loop.run_id}'" if loop else f"tags.`{KIND_TAG}` != 'loop'"
    charts, sections = [], []
    for number, (title, groups) in enumerate(SECTIONS.items()):
        sections.append(_section(f"s{number}", title))
        charts += [_line(f"s{number}-{at}", f"s{number}", list(group)) for at, group in enumerate(groups)]
    sections += [
        _section("s-runs", "Settings side by side"),
        _section("s-model", "Model metrics", generated=True),
    ]
    charts.append(_difference("s-runs"))
    return {
        "searchFilter": chosen if loop else "",
        "orderByKey": "metrics.`best_full_valid_loss`",
        "orderByAsc": True,
        "selectedColumns": COLUMNS,
        "compareRunCharts": charts,
        "compareRunSections": sections,
        "isAccordionReordered": False,
        "hideEmptyCharts": True,
        "runsHiddenMode": "SHOW_ALL",
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
    }


def _section(uuid: str, name: str, generated: bool = False) -> dict[str, Any]:
    return {
        "uuid": uuid,
        "name": name,
        "display": True,
        "isReordered": False,
        "deleted": False,
        "isGenerated": generated,
        # Two wide charts beside each other: MLflow's three columns of 360 pixels make thumbnails of curves.
        "columns": 2,
        "cardHeight": 400,
    }


def _line(uuid: str, section: str, metrics: list[str]) -> dict[str, Any]:
    return {
        "type": "LINE",
        "uuid": uuid,
        "runsCountToCompare": RUNS,
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
        "displayName": " vs ".join(metrics),
        "metricKey": metrics[0],
        "selectedMetricKeys": metrics,
        "lineSmoothness": 0,
        "xAxisScaleType": "linear",
        # After the first steps a loss on a linear scale is one flat line.
        "scaleType": "log" if metrics[0].endswith("loss") else "linear",
        "displayPoints": False,  # points would hide which line is dashed
        "range": {},
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "ignoreOutliers": False,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }


def _difference(section: str) -> dict[str, Any]:
    return {
        "type": "DIFFERENCE",
        "uuid": "difference",
        "runsCountToCompare": RUNS,
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
        "chartName": "What differs between the runs",
        "compareGroups": ["Model metrics", "Parameters"],
        "showChangeFromBaseline": True,
        "showDifferencesOnly": True,
        "baselineColumnUuid": "",
    }
