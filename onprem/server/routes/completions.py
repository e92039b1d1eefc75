"""/v1/chat/completions and /v1/completions, whole or as a stream of server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse

from onprem.server.answers import Chat, Shape, Text, usage
from onprem.server.completion_schemas import ChatCreate, Sampling, TextCreate
from onprem.server.context import Context, Ctx, Tenant
from onprem.server.errors import ApiError, body
from onprem.server.routes.models import find
from onprem.workers.inference import SamplerError

router = APIRouter(prefix="/v1")

STATUS = {
    "context_length_exceeded": 400, "model_not_found": 404, "worker_died": 503, "invalid_prompt": 400,
    "too_many_tokens": 400, "model_broken": 400,
}  # fmt: skip
NOBODY = 499  # nobody reads this answer; it is for the metrics, as nginx's


@router.post("/chat/completions", response_model=None)
async def chat(
    request: Request, body: ChatCreate, context: Ctx, tenant: Tenant
) -> JSONResponse | StreamingResponse:
    """Answer a chat."""
    return await _answer(request, body, Chat(body.model), context, tenant)


@router.post("/completions", response_model=None)
async def complete(
    request: Request, body: TextCreate, context: Ctx, tenant: Tenant
) -> JSONResponse | StreamingResponse:
    """Continue a text."""
    return await _answer(request, body, Text(body.model), context, tenant)


async def _answer(request: Request, asked: Sampling, shape: Shape, context: Context, tenant: str):
    model = find(context, tenant, asked.model)
    pieces = context.sampler.ask({"path": model["path"], **asked.request()})
    if asked.stream:
        first = await _while_wanted(
            request, anext(pieces)
        )  # an error before the first piece is still a plain answer
        return StreamingResponse(_events(first, pieces, shape, asked), media_type="text/event-stream")
    collected = await _while_wanted(request, _collect(pieces))
    return JSONResponse(shape.answer(collected[:-1], collected[-1]))


async def _collect(pieces: AsyncIterator[dict]) -> list[dict]:
    return [piece async for piece in pieces]


async def _while_wanted(request: Request, asking: Awaitable) -> Any:
    """Return what the worker says, or end the asking when the client goes: others wait for the worker."""
    said, gone = asyncio.ensure_future(asking), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({said, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not said.done():
            raise ApiError(NOBODY, "The client went away.", code="client_gone")
        return said.result()
    except SamplerError as error:
        raise ApiError(STATUS.get(error.code, 500), str(error), code=error.code) from None
    finally:
        said.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    """Return when the client has closed the connection; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(
    first: dict, pieces: AsyncIterator[dict], shape: Shape, asked: Sampling
) -> AsyncIterator[str]:
    extra = {"usage": None} if asked.wants_usage else {}
    begun: set[int] = set()
    try:
        async for piece in _chain(first, pieces):
            if "done" in piece:
                if asked.wants_usage:
                    yield _sse(shape.chunk([], usage=usage(piece)))
            else:
                if isinstance(shape, Chat) and piece["index"] not in begun:
                    begun.add(piece["index"])
                    yield _sse(shape.chunk([_opening(piece["index"])], **extra))
                if piece["text"] or "finish_reason" in piece or "logprobs" in piece:
                    yield from_piece(shape, piece, extra)
    except SamplerError as error:
        yield _sse(body(STATUS.get(error.code, 500), str(error), code=error.code))
    yield "data: [DONE]\n\n"


def from_piece(shape: Shape, piece: dict, extra: dict) -> str:
    """Return the event that tells one piece."""
    return _sse(shape.chunk([shape.piece(piece)], **extra))


def _opening(index: int) -> dict:
    delta = {"role": "assistant", "content": "", "refusal": None}
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}


async def _chain(first: dict, rest: AsyncIterator[dict]) -> AsyncIterator[dict]:
    yield first
    async for piece in rest:
        yield piece


def _sse(data: dict) -> str:
    return f"data: {json.dumps(data)}\n\n"
