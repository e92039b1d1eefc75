"""Puts the server together."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from onprem import registry as models
from onprem.server import errors
from onprem.server.context import Context, Limits
from onprem.server.creation import validate
from onprem.server.observe import Gate, RequestMetrics
from onprem.server.routes import completions, files, health, jobs
from onprem.server.routes import models as model_routes
from onprem.store import DataFolder, open_database
from onprem.store import files as file_rows
from onprem.store.jobs import decode
from onprem.workers.pool import TrainingPool
from onprem.workers.sampler import Sampler

log = logging.getLogger("onprem.server")

TAKE_OVER_SECONDS = 10.0  # between looks for jobs of other front ends that died
SWEEP_SECONDS = 600.0  # between looks for expired files; they are hidden at once


def create_app(
    folder: DataFolder,
    *,
    limits: Limits | None = None,
    workers: int = 1,
    threads: int = 1,
    keys_required: bool = False,
    command: str | None = None,
) -> FastAPI:
    """Build the application on a data folder.

    Parameters
    ----------
    folder : DataFolder
        Where all is kept.
    limits : Limits, optional
        What requests and tenants may take.
    workers, threads : int
        Training workers, and torch threads of each.
    keys_required : bool
        Refuse requests without a known key even while there is none: for addresses beyond loopback.
    command : str, optional
        A launcher's command line that each job is handed to.
    """
    limits = limits or Limits()
    db = open_database(folder)
    models.add_embedded(db)
    context = Context(
        db,
        folder,
        TrainingPool(db, folder, workers, threads, command),
        Sampler(folder, threads),
        limits,
        keys_required,
    )
    # No /docs: those pages fetch scripts from other hosts. /openapi.json is there for tools.
    app = FastAPI(
        title="onprem", version="1", lifespan=_lifespan, redirect_slashes=False, docs_url=None, redoc_url=None
    )  # fmt: skip
    app.state.context = context
    app.state.registry = CollectorRegistry()
    health.StoreMetrics(context, app.state.registry)
    errors.install(app)
    for routes in (files, jobs, model_routes, completions, health):
        app.include_router(routes.router)
    app.add_middleware(
        Gate, metrics=RequestMetrics(app.state.registry), file_bytes=limits.file_bytes,
        body_bytes=limits.body_bytes, loopback_only=not keys_required,
    )  # fmt: skip
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    context.pool.recover()
    for job in context.db.all("select * from jobs where status = 'validating_files'"):
        await asyncio.to_thread(validate, context, decode(job))
    if context.db.one("select 1 from jobs where status = 'queued'"):
        context.pool.poke()
        context.sampler.warm()
    chores = [asyncio.create_task(_every(SWEEP_SECONDS, _sweep, context))]
    if context.db.shared:
        chores.append(asyncio.create_task(_every(TAKE_OVER_SECONDS, _take_over, context)))
    yield
    for chore in chores:
        chore.cancel()
    await context.sampler.stop()
    await context.pool.stop()


async def _take_over(context: Context) -> None:
    """Put jobs of front ends that are gone back into the queue."""
    await asyncio.to_thread(context.pool.recover)
    if context.db.one("select 1 from jobs where status = 'queued'"):
        context.pool.poke()


async def _sweep(context: Context) -> None:
    await asyncio.to_thread(file_rows.sweep, context.db, context.folder)


async def _every(seconds: float, chore: Callable[[Context], Awaitable[None]], context: Context) -> None:
    """Do a chore now and again for ever: what goes wrong once, such as a database that restarts, is logged."""
    while True:
        try:
            await chore(context)
        except Exception as error:
            log.error("%s: %s; tried again in %g s", chore.__name__, type(error).__name__, seconds)
        await asyncio.sleep(seconds)
