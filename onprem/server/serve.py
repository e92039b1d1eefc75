"""Runs the application on uvicorn: one server to a data folder, ready told on standard output."""

import fcntl
import ipaddress
import os
import signal
import socket
import tempfile

import uvicorn

from onprem.server.app import create_app
from onprem.server.context import Limits
from onprem.store import DataFolder
from onprem.store.connect import VARIABLE

CLOSE_SECONDS = 5  # for answers still being sent at shutdown


class UsageError(Exception):
    """The server cannot start as asked; the message says why and what to do."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self.url = url

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            print(f"onprem: ready on {self.url}", flush=True)


def serve(host: str, port: int, folder: DataFolder, *, limits: Limits, **training) -> None:
    """Serve until a signal; SIGTERM and SIGINT let training workers finish their step.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes a free one.
    folder : DataFolder
        Where all is kept.
    limits : Limits
        What requests and tenants may take.
    **training
        `workers`, `threads` and `command`, as `create_app` takes them.

    Raises
    ------
    UsageError
        If the folder is served already, or the address cannot be had.
    """
    with folder.lock.open("w") as lock:
        _alone(lock, folder)
        tempfile.tempdir = str(folder.spool)
        sock = _listen(host, port)
        app = create_app(folder, limits=limits, keys_required=not is_loopback(host), **training)
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{sock.getsockname()[1]}/v1"
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=CLOSE_SECONDS, lifespan="on"
        )
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises its signal again once all is closed
            signal.signal(number, lambda *_: None)
        _Server(config, url).run(sockets=[sock])


def _alone(lock, folder: DataFolder) -> None:
    """Hold the folder's lock, alone; together with others where the store is made for several front ends."""
    kind = fcntl.LOCK_SH if os.environ.get(VARIABLE) else fcntl.LOCK_EX
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError:
        text = f"another server works on {folder.root}; stop it, or give this one its own --data-dir"
        raise UsageError(text) from None


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's delay off: without it each answer waits 40 ms for an ACK.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None
    sock.listen(128)
    return sock
