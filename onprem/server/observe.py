"""Around every request: an id, the time it took, the metrics; size limits; no pages of other origins.

It never looks into bodies beyond their length.
"""

import time
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onprem import ids
from onprem.server.errors import body

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
FORM_OVERHEAD = 2**20  # a multipart body beyond its file

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class RequestMetrics:
    """Counts and times of requests, by route."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.count = Counter(
            "onprem_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "onprem_request_seconds", "Seconds to the end of the answer.", ["method", "route"],
            buckets=BUCKETS, registry=registry,
        )  # fmt: skip

    def tell(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request."""
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"  # a client may send any word
        self.count.labels(method, route, status).inc()
        self.seconds.labels(method, route).observe(seconds)


class TooLarge(Exception):
    """A body went over its limit while it was read."""


class Gate:
    """ASGI middleware that does all of it.

    Parameters
    ----------
    app : ASGIApp
        What is behind it.
    metrics : RequestMetrics
        Where requests are counted.
    file_bytes, body_bytes : int
        Limits of uploads and of other bodies.
    loopback_only : bool
        Refuse other hosts' names and origins: else a web page could reach a server without keys by way of the
        user's browser.
    """

    def __init__(
        self, app: ASGIApp, metrics: RequestMetrics, file_bytes: int, body_bytes: int, loopback_only: bool
    ):
        self.app, self.metrics = app, metrics
        self.file_bytes, self.body_bytes, self.loopback_only = file_bytes, body_bytes, loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        marks = [(b"x-request-id", ids.new("req").encode()), (b"openai-version", b"2020-10-01")]

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                took = int(1000 * (time.perf_counter() - begun))
                marks.append((b"openai-processing-ms", str(took).encode()))
                message["headers"] = [*message.get("headers", []), *marks]
            await send(message)

        refused = self._refusal(scope, headers)
        try:
            if refused:
                await refused(scope, receive, send_marked)
            else:
                await self._within_limit(scope, receive, send_marked)
        finally:  # a failure of the server comes by as an exception, and counts
            self.metrics.tell(scope, status, time.perf_counter() - begun)

    def _limit(self, scope: Scope) -> int:
        return self.file_bytes + FORM_OVERHEAD if scope["path"] == "/v1/files" else self.body_bytes

    def _refusal(self, scope: Scope, headers: dict) -> JSONResponse | None:
        names = [headers.get("host", ""), headers.get("origin", "")]
        if self.loopback_only and any(name and _host(name) not in LOOPBACK for name in names):
            text = "This server answers only to loopback names (localhost, 127.0.0.1, ::1); other hosts' names and origins are refused."
            return JSONResponse(body(403, text, code="forbidden_origin"), 403)
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._limit(scope):
            return _too_large(self._limit(scope))
        return None

    async def _within_limit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on; once its body is over the limit, whatever comes of it is answered by 413."""
        limit, read, answered = self._limit(scope), 0, False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise TooLarge
            return message

        async def checked(message: Message) -> None:
            nonlocal answered
            if read <= limit:
                await send(message)
            elif not answered:
                answered = True
                await _too_large(limit)(scope, receive, send)

        try:
            await self.app(scope, counted, checked)
        except TooLarge:
            await checked({})


def _too_large(limit: int) -> JSONResponse:
    text = f"The request body is larger than this server's limit of {limit} bytes."
    # Closing is what stops a client that goes on sending.
    return JSONResponse(body(413, text, code="request_too_large"), 413, headers={"connection": "close"})


def _host(name: str) -> str:
    return urlsplit(name if "//" in name else f"//{name}").hostname or ""
