"""Errors of the wire contract: `{"error": {"code", "message", "target"}}` and the header x-ms-error-code.

No message repeats anything of the content that was sent.
"""

from __future__ import annotations

from http import HTTPStatus

import orjson

from mop.errors import (
    HostLostError,
    InvalidRequestError,
    MopError,
    NotAuthenticatedError,
    QueueFullError,
    RequestDeadlineError,
    RequestTooLargeError,
    ServiceNotReadyError,
    TooManyConnectionsError,
)

INVALID_BODY = "InvalidRequestBody"
INVALID_NAME = "InvalidResourceName"
NOT_FOUND = "ResourceNotFound"
INTERNAL = "InternalError"
BUSY = "ServerBusy"
TOO_MANY = "TooManyRequests"
DENIED = "401"  # so the service itself calls it

_BUSY = (ServiceNotReadyError, TooManyConnectionsError, RequestDeadlineError, HostLostError)


class WireError(Exception):
    """An answer that is an error.

    Attributes:
        target: the part of the request that is wrong, where there is one.
        retry_after_s: when to ask again, where that can help.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        *,
        target: str = "",
        retry_after_s: int | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.retry_after_s = retry_after_s
        self.headers = headers

    def body(self) -> bytes:
        """The answer's JSON."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.target:
            error["target"] = self.target
        return orjson.dumps({"error": error | {"details": []}})

    def all_headers(self) -> list[tuple[bytes, bytes]]:
        """The answer's headers."""
        headers = [(b"x-ms-error-code", self.code.encode()), *self.headers]
        if self.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % self.retry_after_s))
        return headers


def invalid(message: str, target: str = "") -> WireError:
    """The body is not what the contract asks for."""
    return WireError(HTTPStatus.BAD_REQUEST, INVALID_BODY, message, target=target)


def not_found(message: str) -> WireError:
    return WireError(HTTPStatus.NOT_FOUND, NOT_FOUND, message)


def busy(message: str) -> WireError:
    """Nothing is wrong with the request; another try may succeed."""
    return WireError(HTTPStatus.SERVICE_UNAVAILABLE, BUSY, message, retry_after_s=1)


def internal() -> WireError:
    """What happened is told to the operator alone."""
    message = "The request could not be analyzed. The request id of this answer helps the operator to find out why."
    return WireError(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL, message)


def of_model(error: MopError) -> WireError:
    """What a caller is told when a model did not answer."""
    if isinstance(error, QueueFullError):
        message = "Too many requests wait for an answer."
        return WireError(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, message, retry_after_s=1)
    if isinstance(error, _BUSY):
        return busy("A model cannot answer at present.")
    return internal()


def of_transport(error: MopError) -> WireError:
    """What a caller is told whose request was refused before it was read."""
    if isinstance(error, RequestTooLargeError):
        return WireError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, INVALID_BODY, error.message)
    if isinstance(error, NotAuthenticatedError):
        return WireError(HTTPStatus.UNAUTHORIZED, DENIED, error.message)
    if isinstance(error, InvalidRequestError):
        return invalid(error.message)
    return of_model(error)
