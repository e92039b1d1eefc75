"""What every route works with: the store, the workers, the limits; and who is asking."""

import hashlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from onprem.server.errors import ApiError
from onprem.store import Database, DataFolder
from onprem.workers.pool import TrainingPool
from onprem.workers.sampler import Sampler

ANYONE = "personal"  # the one tenant of a server without keys


@dataclass(frozen=True)
class Limits:
    """What one request or tenant may take."""

    file_bytes: int = 512 * 2**20  # OpenAI's limit for a fine-tuning file
    tenant_bytes: int = 20 * 2**30
    body_bytes: int = 4 * 2**20  # of a request that is no upload
    live_jobs: int = 100  # queued, running or paused ones of a tenant


@dataclass(frozen=True)
class Context:
    """The server's parts."""

    db: Database
    folder: DataFolder
    pool: TrainingPool
    sampler: Sampler
    limits: Limits
    keys_required: bool


def digest_of(key: str) -> str:
    """Return what is stored of a key. Keys are 32 random bytes, so a plain hash cannot be guessed back."""
    return hashlib.sha256(key.encode()).hexdigest()


def tenant_of(request: Request) -> str:
    """Return who is asking, from the bearer key; refuse an unknown one where keys are in use."""
    context: Context = request.app.state.context
    # Revoked keys count too: taking back the last one, perhaps a leaked one, must not open the server to all.
    in_use = context.keys_required or context.db.one("select 1 from keys")
    if not in_use:
        return ANYONE
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    # Looked up by its hash: how long that takes tells nothing of any key.
    row = context.db.one(
        "select tenant from keys where digest = ? and revoked_at is null", digest_of(key.strip())
    )
    if scheme.lower() != "bearer" or row is None:
        text = "Incorrect API key provided. Ask the operator of this server for one (`onprem keys add`)."
        raise ApiError(401, text, code="invalid_api_key")
    return row["tenant"]


def context_of(request: Request) -> Context:
    """Return the server's parts."""
    return request.app.state.context


Tenant = Annotated[str, Depends(tenant_of)]
Ctx = Annotated[Context, Depends(context_of)]
