"""Takes an upload into the data folder: hashed, within limits, checked, and whole before it has its name."""

import errno
import hashlib
import os
from typing import BinaryIO

from onprem import ids
from onprem.formats import check_file
from onprem.server.context import Context
from onprem.server.errors import ApiError
from onprem.store import files as file_rows

CHUNK = 2**20


def receive(context: Context, tenant: str, source: BinaryIO, filename: str, purpose: str) -> dict:
    """Store the content; return the file's row, still without dates.

    Raises
    ------
    ApiError
        If it is too large, the tenant's room is used up, the disk is full, or its rows cannot be trained on.
    """
    file_id = ids.new("file")
    path = context.folder.file(file_id)
    partial = path.with_suffix(".part")
    try:
        size, digest = _copy(source, partial, context.limits.file_bytes)
        if file_rows.bytes_held(context.db, tenant) + size > context.limits.tenant_bytes:
            text = f"Your files would take more than {context.limits.tenant_bytes} bytes. Delete some first."
            raise ApiError(413, text, param="file", code="storage_limit_exceeded")
        report = _check(partial, filename) if purpose == "fine-tune" else None
        partial.rename(path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            text = "The server's disk is full; the file was not kept. Ask the operator to make room."
            raise ApiError(507, text, code="disk_full") from None
        raise
    finally:
        partial.unlink(missing_ok=True)
    return {
        "id": file_id, "tenant": tenant, "filename": os.path.basename(filename)[:255] or "file", "bytes": size,
        "purpose": purpose, "sha256": digest, "format": report and report.format,
        "n_examples": report and report.n_examples,
    }  # fmt: skip


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
