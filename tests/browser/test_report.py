"""The advisor's HTML report, opened in a real browser: readable wide and narrow, by light and by dark."""

import pytest

from advisor import tell
from advisor.diagnosis import diagnose
from advisor.measure import measure
from advisor.nouns import Advice, HyperParameters, Job, Keep, Proposal

pytestmark = pytest.mark.browser

LEGIBLE = 9  # pixels of a letter's height, ascent to descent, below which a chart's words cannot be read
FULL = {1: (2.2, 2.0, 1.9), 2: (2.2, 2.0, 1.9, 1.8, 1.7), 3: (2.0, 1.6, 1.7, 2.0, 2.4)}


def record(number, losses, rate):
    return {
        "id": f"ftjob-{number}", "status": "succeeded", "created_at": number, "model": "embedded-tiny", "base_valid_loss": 3.0,
        "hyperparameters": {"n_epochs": len(losses), "batch_size": 8, "learning_rate_multiplier": rate}, "steps_per_epoch": 10,
        "train_loss": [[s, 1.0 + 2.0 / s] for s in range(1, 10 * len(losses) + 1)],
        "full_valid_loss": [[10 * (i + 1), loss] for i, loss in enumerate(losses)],
        "train_file": {"path": "a/rather/long/path/to/the/training/file/of/this/project/train.jsonl"},
    }  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The report on three jobs, the last of them overfitted, as a file's address."""
    jobs = [record(i, losses, 4.0 if i == 3 else 1.0) for i, losses in FULL.items()]
    proposal = Proposal(HyperParameters(2, 8, 2.0), ("FT201",), "about 1.6 at the end of epoch 2")
    advice = Advice(diagnose(measure(Job.from_record(jobs[-1]))), (proposal,), keep=Keep("ftjob-3", 20))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(tell.html(advice, jobs))
    return path.as_uri()


def show(browser, page, width, scheme="light"):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(page)


@pytest.mark.parametrize("width", [1280, 768, 400])
def test_the_page_fits_and_its_charts_can_be_read(browser, page, width):
    show(browser, page, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    heights = browser.execute_script(
        "return [...document.querySelectorAll('svg.chart text')].map(t => t.getBoundingClientRect().height).filter(h => h > 0)"
    )
    assert len(heights) > 40
    assert min(heights) >= LEGIBLE
    charts = browser.execute_script(
        "return [...document.querySelectorAll('svg.chart')].filter(c => c.getBoundingClientRect().width > 0).length"
    )
    assert charts == 7, "curves, comparison, two paths and three knobs, each once"


def test_it_follows_the_readers_dark_mode(browser, page):
    seen = {}
    for scheme in ("light", "dark"):
        show(browser, page, 1280, scheme)
        seen[scheme] = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert seen["light"] != seen["dark"]


def test_it_asks_nobody_for_anything_and_reports_no_error(browser, page):
    show(browser, page, 1280)
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert loaded == []
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
