"""Errors in OpenAI's shape: message, type, param, code."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
MAX_TOLD = 10  # problems of one request spelled out


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
        problems = [_problem(e) for e in error.errors()]
        message = "; ".join(text for _, text, _ in problems[:MAX_TOLD])
        if len(problems) > MAX_TOLD:
            message += f"; and {len(problems) - MAX_TOLD} more"
        return JSONResponse(body(400, message, problems[0][0] or None, problems[0][2]), 400)

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse(
            body(500, f"The server failed on this request ({type(error).__name__}); see its log."), 500
        )


def _problem(error: dict) -> tuple[str, str, str]:
    """Turn one of pydantic's findings into (param, text, code), without the value: it may be private text."""
    where = [
        str(part) for part in error["loc"] if part not in ("body", "query", "path") and "[" not in str(part)
    ]
    param = ".".join(where)
    if error["type"] == "extra_forbidden":
        return param, f"Unrecognized request argument supplied: {param}", "unknown_parameter"
    if error["type"] == "missing":
        return param, f"Missing required parameter: '{param}'", "missing_required_parameter"
    if error["type"] == "json_invalid":
        return "", "We could not parse the JSON body of your request. Expected a JSON object.", "invalid_json"
    return param, f"Invalid value for '{param}': {error['msg']}", "invalid_value"
