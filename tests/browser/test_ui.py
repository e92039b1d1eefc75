"""What a user sees in MLflow after the demonstration: curves to compare, and each job's story."""

import os
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture
def shoot(browser, tmp_path):
    """Save a screenshot; SCREENSHOTS=FOLDER keeps them."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return lambda name: browser.save_screenshot(str(folder / f"{name}.png"))


def tidy(browser):
    """Close MLflow's assistant and the note about shared views, as a user would: they take a third of the page."""
    for name in ("mlflow.assistant.chat_panel.close", "mlflow.experiment_page.shared_view.dismiss"):
        for button in browser.find_elements(By.CSS_SELECTOR, f"button[data-component-id='{name}']"):
            if button.is_displayed():
                button.click()


def visible_curves(browser):
    """The drawn paths that have a size on the page."""
    paths = browser.find_elements(By.CSS_SELECTOR, ".js-plotly-plot path.js-line")
    return [path for path in paths if path.rect["width"] > 50 and path.rect["height"] > 20]


def lines(browser):
    """The curves on the page: (name of the run, is it dashed, number of points) of every line drawn."""
    script = """
        return [...document.querySelectorAll('.js-plotly-plot')].flatMap(plot =>
            (plot.data || []).filter(t => t.x && t.x.length > 1 && String(t.mode || 'lines').includes('line'))
                .map(t => [t.metricKey || t.name, (t.line || {}).dash || 'solid', t.x.length]))"""
    return browser.execute_script(script)


def test_the_comparison_shows_train_solid_and_valid_dashed(browser, ui_link, until, shoot):
    browser.set_window_size(1700, 1000)
    browser.get(ui_link)
    until(lambda: len(lines(browser)) >= 8)
    tidy(browser)
    drawn = lines(browser)
    until(lambda: len(visible_curves(browser)) >= 8)  # four jobs, two losses
    shoot("comparison")
    dashes = {dash for _, dash, _ in drawn}
    assert "solid" in dashes
    assert dashes - {"solid"}  # the validation loss has a dash of its own


def test_a_jobs_page_tells_its_story(browser, ui_link, until, shoot, demo_folder):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{demo_folder}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("demo")
    runs = client.search_runs([experiment.experiment_id], "tags.`advisor.diagnosis` != ''")
    assert len(runs) == 4
    run = runs[0]
    root = ui_link.split("/#/")[0]
    browser.get(
        f"{root}/#/experiments/{experiment.experiment_id}/runs/{run.info.run_id}?workflowType=machine_learning"
    )
    diagnosis = run.data.tags["advisor.diagnosis"]
    until(
        lambda: (
            diagnosis.replace("_", " ") in browser.find_element(By.TAG_NAME, "body").text.replace("_", " ")
        )
    )
    shoot("job")


def test_the_loops_page_has_the_table(browser, ui_link, until, shoot, demo_folder):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{demo_folder}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("demo")
    (loop,) = client.search_runs([experiment.experiment_id], "tags.`loop.ended` != ''")
    root = ui_link.split("/#/")[0]
    browser.get(
        f"{root}/#/experiments/{experiment.experiment_id}/runs/{loop.info.run_id}?workflowType=machine_learning"
    )
    until(lambda: "Keep job" in browser.find_element(By.TAG_NAME, "body").text)
    tidy(browser)
    shoot("loop")
