"""The demonstration's server ends with the process that began it, however that process ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

HOLDER = """
import sys, time
from experiments.demo import server
with server() as url:
    print(url, flush=True)
    time.sleep(120)
"""


def answers(url):
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_no_server_is_left_behind(number, tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path)}  # what a killed process leaves is pytest's to remove
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    try:
        url = holder.stdout.readline().strip()
        assert answers(url)
    finally:
        holder.send_signal(number)
        holder.communicate()
    ends = time.monotonic() + 30
    while answers(url) and time.monotonic() < ends:
        time.sleep(0.1)
    assert not answers(url)
