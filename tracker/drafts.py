"""Drafts: runs of submissions whose job is not known. The same request without a key goes on from its own draft.

A draft that another process is still working on belongs to that process: asking twice at once means two jobs.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from dataclasses import asdict

from tracker.jobs import JobRequest
from tracker.runs import Reader, RunRow

#: What was asked for, as a digest; and who asks: "host:process", or nobody any more.
REQUEST_TAG, SUBMITTER_TAG, NOBODY = "job.request", "job.submitter", "nobody"


def fingerprint(host: str, request: JobRequest, digests: list[str]) -> str:
    """Return a digest of everything that makes a request the same request; paths and names of files do not."""
    asked = {k: v for k, v in asdict(request).items() if k not in ("train", "valid", "log_data")}
    asked["experiment"] = request.experiment or request.train.stem
    text = json.dumps([host, digests, asked], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def find(store: Reader, request: str) -> RunRow | None:
    """Return the newest abandoned draft of a request."""
    rows = [row for row in store.runs(tag=(REQUEST_TAG, request)) if "job.id" not in row.tags]
    return next((row for row in reversed(rows) if _abandoned(row.tags.get(SUBMITTER_TAG, NOBODY))), None)


def me() -> str:
    """Return the name of this process among submitters."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _abandoned(submitter: str) -> bool:
    """Whether a submitter works no more; of another machine's nothing is known, so its draft is left alone."""
    if submitter == NOBODY:
        return True
    host, _, process = submitter.rpartition(":")
    if host != socket.gethostname() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it lives, as somebody else's
        return False
    return False
