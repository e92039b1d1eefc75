"""A real finished loop in a store of its own, the UI on it, and a headless Chromium to look at it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1000",
)


@pytest.fixture(scope="session")
def chromium():
    """Paths of the browser and its driver; skips where one is not installed."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (browser and driver):
        pytest.skip("no chromium and chromedriver here (Debian: apt install chromium chromium-driver)")
    return browser, driver


@pytest.fixture(scope="session")
def environment():
    out = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "MLFLOW_"))}
    return out | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="session")
def demo_folder(chromium, environment, tmp_path_factory):
    """A folder in whose mlruns/ the demonstration's loop has ended."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "mlruns").mkdir()
    words = [sys.executable, "-m", "experiments", "demo"]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def ui_link(demo_folder, environment, until):
    """The link that `tracker ui` prints: the ready-made comparison of the newest loop."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "tracker.cli", "ui", "--port", str(port)]
    process = subprocess.Popen(
        words, cwd=demo_folder, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        link = next((w for line in process.stdout for w in line.split() if "viewStateShareKey" in w), None)
        assert link, "tracker ui printed no link"
        until(lambda: _answers(port))
        yield link
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # a group of its own: the UI and its helpers, nothing else
        process.wait(30)


def _answers(port):
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer,
    ):
        return answer.status == 200


@pytest.fixture(scope="session")
def browser(chromium, tmp_path_factory):
    """A fresh headless Chromium."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium[0]
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(chromium[1]))
    driver.set_page_load_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def until():
    """Wait until a function of no arguments says something true, and return that."""

    def _until(what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = what()
            if found:
                return found
            time.sleep(0.5)
        raise AssertionError(f"nothing after {seconds} s: {what.__doc__ or what}")

    return _until
