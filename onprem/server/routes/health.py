"""/healthz and /metrics."""

import shutil

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from onprem.server.context import Context, Ctx, Tenant

router = APIRouter()


@router.get("/healthz")
def healthz(context: Ctx) -> dict:
    """Tell that the server answers and its store can be read."""
    context.db.one("select 1")
    return {"status": "ok", "training_workers": len(context.pool.workers)}


@router.get("/metrics", response_class=Response)
def metrics(request: Request, tenant: Tenant) -> Response:
    """Return Prometheus metrics; no names of tenants, files or models."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)


class StoreMetrics:
    """Gauges read from the store at each scrape.

    Parameters
    ----------
    context : Context
        The server's parts.
    """

    def __init__(self, context: Context, registry: CollectorRegistry) -> None:
        self.context = context
        registry.register(self)

    def collect(self):
        """Yield the gauges."""
        jobs = GaugeMetricFamily("onprem_jobs", "Jobs by status.", labels=["status"])
        for row in self.context.db.all("select status, count(*) as n from jobs group by status"):
            jobs.add_metric([row["status"]], row["n"])
        yield jobs
        tokens = self.context.db.one("select coalesce(sum(trained_tokens), 0) as n from jobs")["n"]
        yield GaugeMetricFamily("onprem_trained_tokens", "Tokens of succeeded jobs.", value=tokens)
        held = self.context.db.one("select coalesce(sum(bytes), 0) as n from files")["n"]
        yield GaugeMetricFamily("onprem_file_bytes", "Bytes that files take.", value=held)
        free = shutil.disk_usage(self.context.folder.root).free
        yield GaugeMetricFamily("onprem_disk_free_bytes", "Bytes left on the data folder's disk.", value=free)
        yield GaugeMetricFamily(
            "onprem_training_workers", "Training workers that run.", value=len(self.context.pool.workers)
        )
