"""The FastAPI application around a service's routes: problem details, limits, request ids, traces,
metrics.
"""

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from shared.consumer import is_outage
from shared.logs import get_logger, traceparent_now, traceparent_of, without_personal_data
from shared.refusal import FieldFault, Refusal, masked
from shared.serve import strict_json
from shared.serve.sign_in import SignIn

MAX_BODY_BYTES = 1_000_000
MAX_UPLOAD_BYTES = 25_000_000
"""A roster of 100,000 rows in XLSX takes about 12 MB."""

_MAX_FAULTS = 100
"""More than this in one JSON body help nobody."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""A stranger's own words for a method must not each become a series of a metric."""

_log = get_logger(__name__)
_requests = Counter("daozhang_http_requests_total", "HTTP requests", ["method", "route", "status"])
_seconds = Histogram("daozhang_http_request_seconds", "Time to answer", ["method", "route"])


class Fault(BaseModel):
    """One thing that was wrong in the request."""

    where: str = Field(examples=["body/levy_period"])
    value: str = Field(examples=["2024-13"], description="What was sent, masked.")
    reason: str = Field(examples=["a levy period is written YYYY-MM"])
    todo: str = Field(default="", examples=["send 2024-12"])


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:daozhang:problem:levy-period-closed"])
    title: str
    status: int = Field(examples=[409])
    detail: str
    request_id: str
    faults: list[Fault] = []


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text, "content": {"application/problem+json": {}}}
    for status, text in {
        400: "The request cannot be read.",
        401: "No token, or one that is not accepted.",
        403: "The caller's roles do not allow it.",
        404: "It does not exist, or it is another's.",
        409: "It cannot be done in the present state.",
        413: "The body is too large.",
        422: "The payload is malformed, or the idempotency key belongs to another request.",
        503: "A part that is needed does not answer; try again after Retry-After.",
    }.items()
}


def make_app(
    name: str, description: str, routers: Sequence[APIRouter], sign_in: SignIn | None
) -> FastAPI:
    """The application: `routers` under /api/v1, errors as problem details. `sign_in` None:
    documents only.
    """
    app = FastAPI(
        title=name,
        description=description,
        version="1",
        docs_url="/docs",
        redoc_url=None,
        responses=PROBLEMS,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.sign_in = sign_in
    app.state.traffic = Traffic()
    for router in routers:
        app.include_router(router, prefix="/api/v1")
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(DBAPIError, _database_error)
    for outage in (PoolTimeout, OSError, TimeoutError):
        app.add_exception_handler(outage, _unavailable)
    app.add_api_route("/metrics", _metrics, include_in_schema=False)
    app.add_middleware(_Edge)
    return app


def problem(
    request: Request,
    status: int,
    code: str,
    title: str,
    detail: str,
    faults: Sequence[FieldFault] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """One problem as application/problem+json."""
    body = Problem(
        type=f"urn:daozhang:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        request_id=str(request.scope.get("request_id", "")),
        faults=[Fault(where=f.where, value=f.value, reason=f.reason, todo=f.todo) for f in faults],
    )
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if seconds := error.retry_after_seconds or (5 if error.status == 503 else 0):
        headers["Retry-After"] = str(seconds)
    return problem(
        request, error.status, error.code, error.title, error.detail, error.faults, headers
    )


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = []
    for fault in error.errors()[:_MAX_FAULTS]:
        value = fault.get("input")
        shown = (
            masked(value) if isinstance(value, str | int | float | bool) else type(value).__name__
        )
        # A validator's own message may quote what was sent.
        reason = without_personal_data(fault["msg"])
        faults.append(FieldFault("/".join(str(part) for part in fault["loc"]), shown, reason))
    return problem(
        request,
        422,
        "malformed",
        "The payload is malformed",
        f"{len(error.errors())} fields are not as documented.",
        faults,
    )


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(
        error.status_code, "http-error"
    )
    return problem(
        request,
        error.status_code,
        code,
        str(error.detail),
        str(error.detail),
        headers=dict(error.headers or {}),
    )


async def _database_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError)
    if getattr(error.orig, "sqlstate", None) == "55P03":
        return problem(
            request,
            409,
            "still-running",
            "Another request holds it",
            "The same thing is being changed by a request that still runs; try again.",
            headers={"Retry-After": "2"},
        )
    return await (_unavailable(request, error) if is_outage(error) else _unexpected(request, error))


async def _unavailable(request: Request, error: Exception) -> Response:
    _log.warning("request_met_an_outage", error=repr(error)[:300])
    return problem(
        request,
        503,
        "unavailable",
        "Not available just now",
        "A part that is needed does not answer; nothing was done. Try again.",
        headers={"Retry-After": "5"},
    )


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("request_failed", exc_info=error)
    return problem(
        request,
        500,
        "unexpected",
        "Something went wrong on our side",
        "It is logged under the request id; nothing was done.",
    )


async def _metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


_UPLOAD_WEIGHT = 20
"""A file is held whole while it is read: ten of 25 MB beside each other, not two hundred."""


@dataclass
class Traffic:
    """Writing requests answered so far: after each of them there may be something to tell or do.
    And those being answered, at most `limit`: who waits in memory is lost when the process ends.
    """

    limit: int = 200
    writes: int = 0
    in_flight: int = 0

    def admit(self, scope: Scope, headers: Mapping[str, str]) -> int:
        """Counts the request in and gives its weight, to be counted out when it is answered; 0 for
        health and metrics, which must answer when nothing else does. Busy if there is no room.
        """
        if not scope["path"].startswith("/api/"):
            return 0
        weight = _UPLOAD_WEIGHT if _is_upload(headers) else 1
        if self.in_flight and self.in_flight + weight > self.limit:
            raise Busy("More requests are being answered than there is room for; come again.")
        self.in_flight += weight
        return weight


class Busy(Refusal):
    """Nothing was done: as many requests as the service can hold are being answered."""

    code = "busy"
    status = 503
    title = "Too many requests at the same time"


class _Edge:
    """Request id, trace, body limit, strict JSON, response headers, metrics, and the answer to what
    nobody expected, as plain ASGI: BaseHTTPMiddleware breaks cancellation.
    """

    def __init__(self, app: Asgi) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        request_id = headers.get("x-request-id", "")
        if not (0 < len(request_id) <= 100 and request_id.isascii() and request_id.isprintable()):
            request_id = str(uuid.uuid4())
        scope["request_id"] = request_id
        traceparent_now.set(traceparent_of(headers.get("traceparent")))
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status, weight = time.monotonic(), 0, 0
        traffic: Traffic = scope["app"].state.traffic

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"cache-control", b"private, no-cache"),
                ]
            await send(message)

        try:
            weight = traffic.admit(scope, headers)
            await self._app(scope, await _checked(scope, headers, receive), sending)
        except Exception as error:
            if status:
                raise
            answer = await _answer_to(Request(scope), error)
            await answer(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "unrouted")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            traffic.in_flight -= weight
            traffic.writes += method not in _READING
            _requests.labels(method, route, str(status)).inc()
            _seconds.labels(method, route).observe(time.monotonic() - started)


async def _checked(scope: Scope, headers: Mapping[str, str], receive: Receive) -> Receive:
    """The request's body within its limit; a JSON body is read whole, checked, and given again."""
    strict_json.check_address(scope["path"], scope.get("query_string", b""))
    limit = MAX_UPLOAD_BYTES if _is_upload(headers) else MAX_BODY_BYTES
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limit:
        raise _too_large(limit)
    limited = _limited(receive, limit)
    if not strict_json.is_json(headers):
        return limited
    body, more = bytearray(), True
    while more:
        message = await limited()
        if message["type"] == "http.disconnect":
            return receive
        body += message.get("body", b"")
        more = message.get("more_body", False)
    strict_json.check_body(bytes(body))
    return _again(bytes(body), receive)


def _is_upload(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith("multipart/")


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"The body is larger than {limit} bytes.")


def _limited(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def receiving() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise _too_large(limit)
        return message

    return receiving


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the whole body once, and then whatever comes (the disconnect)."""
    given = False

    async def receiving() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


async def _answer_to(request: Request, error: Exception) -> Response:
    """The answer to what was raised outside of every route's own handlers."""
    if isinstance(error, Refusal):
        return await _refused(request, error)
    if isinstance(error, HTTPException):
        return await _http_error(request, error)
    return await _unexpected(request, error)
