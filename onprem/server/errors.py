"""Errors in OpenAI's shape: message, type, param, code.

A route whose body is wrong may know more that is wrong: it says so by a function in its attribute `also_wrong`.
"""

import asyncio
import sqlite3

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from onprem.server.wording import Problem, problems_of
from onprem.store.full import is_disk_full

TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
MAX_TOLD = 10  # problems of one request spelled out
DISK_FULL = "The server's disk is full; nothing of this request was kept. Ask the operator to make room."


class ApiError(Exception):
    """An answer that is an error.

    Parameters
    ----------
    status : int
        The HTTP status.
    message : str
        What happened, what was expected, what to do.
    param, code : str, optional
        As OpenAI's clients read them.
    """

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code


def body(status: int, message: str, param: str | None = None, code: str | None = None) -> dict:
    """Return the error body."""
    kind = "server_error" if status >= 500 else TYPES.get(status, "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def joined(problems: list[Problem]) -> str:
    """Tell all problems of one request in one message."""
    more = [f"and {len(problems) - MAX_TOLD} more"] if len(problems) > MAX_TOLD else []
    return "; ".join([*(text.rstrip(".") for _, text, _ in problems[:MAX_TOLD]), *more]) + "."


def install(app: FastAPI) -> None:
    """Make every error of `app` look like OpenAI's."""

    @app.exception_handler(ApiError)
    async def on_api_error(request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(body(error.status, error.message, error.param, error.code), error.status)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        message = str(error.detail)
        if error.status_code in (404, 405):
            message = f"Invalid URL ({request.method} {request.url.path})"
        return JSONResponse(body(error.status_code, message), error.status_code, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = problems_of(error.errors(), error.body)
        if also := getattr(request.scope["endpoint"], "also_wrong", None):
            problems += await asyncio.to_thread(also, request, error.body)
        return JSONResponse(body(400, joined(problems), problems[0][0] or None, problems[0][2]), 400)

    @app.exception_handler(OSError)
    @app.exception_handler(sqlite3.OperationalError)
    async def on_system(request: Request, error: Exception) -> JSONResponse:
        if not is_disk_full(error):
            raise error
        return JSONResponse(body(507, DISK_FULL, code="disk_full"), 507)

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        if is_disk_full(error):  # as PostgreSQL says it
            return JSONResponse(body(507, DISK_FULL, code="disk_full"), 507)
        return JSONResponse(
            body(500, f"The server failed on this request ({type(error).__name__}); see its log."), 500
        )
