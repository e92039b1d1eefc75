"""Takes an upload into the data folder: hashed, within limits, checked, and whole before it has its name."""

import hashlib
import os
import time
from typing import BinaryIO

from onprem import ids
from onprem.formats import check_file
from onprem.server.context import Context
from onprem.server.errors import ApiError
from onprem.store import files as file_rows

CHUNK = 2**20


def receive(
    context: Context, tenant: str, source: BinaryIO, filename: str, purpose: str, expires_after: int | None
) -> dict:
    """Store the content; return the file's row.

    Raises
    ------
    ApiError
        If it is too large, the tenant's room is used up, or its rows cannot be trained on.
    OSError
        If the disk is full; nothing is left of the file then.
    """
    file_id, now = ids.new("file"), int(time.time())
    path = context.folder.file(file_id)
    partial = path.with_suffix(".part")
    try:
        size, digest = _copy(source, partial, context.limits.file_bytes)
        report = _check(partial, filename) if purpose == "fine-tune" else None
        partial.rename(path)
        row = {
            "id": file_id, "tenant": tenant, "filename": os.path.basename(filename)[:255] or "file", "bytes": size,
            "purpose": purpose, "sha256": digest, "format": report and report.format,
            "n_examples": report and report.n_examples,
            "created_at": now, "expires_at": now + expires_after if expires_after else None,
        }  # fmt: skip
        added = file_rows.add(context.db, row, context.limits.tenant_bytes)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        partial.unlink(missing_ok=True)
    if added is None:
        path.unlink()
        text = f"Your files would take more than {context.limits.tenant_bytes} bytes. Delete some first."
        raise ApiError(413, text, param="file", code="storage_limit_exceeded")
    return added


def _copy(source: BinaryIO, target, limit: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as out:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > limit:
                text = f"The file is larger than this server's limit of {limit} bytes. Split it."
                raise ApiError(413, text, param="file", code="file_too_large")
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return size, digest.hexdigest()


def _check(path, filename: str):
    report = check_file(path)
    if report.n_bad or not report.n_examples:
        raise ApiError(400, report.message(ids.shown(filename)), param="file", code="invalid_file_format")
    return report
