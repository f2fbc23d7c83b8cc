"""Failures of the client.

ClientError
├── ApiError                 what the server refused: the catalogue's name, message, hint, place
│   ├── NotSignedInError     401
│   ├── NotAllowedError      403: you see it but may not do this
│   ├── NotFoundError        404: there is none, or you may not see it
│   ├── ConflictError        409 and 412: not possible as things stand
│   ├── InvalidError         400, 413 and 422; `fields` maps each to its messages
│   ├── TooManyRequestsError 429; `retry_after_s`
│   └── ServerError          5xx
├── UnreachableError         the server did not answer, or not as a MOP server does
├── NoCredentialsError       no server or token is known
├── WaitTimeoutError         what was waited for did not come in time
└── BundleFailedError        a bundle could not be made
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Mapping


class ClientError(Exception):
    """Something failed. `hint` says what to do about it, where that is known."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class UnreachableError(ClientError):
    """The server did not answer, or not as a MOP server does."""


class NoCredentialsError(ClientError):
    """No server or token is known."""


class WaitTimeoutError(ClientError):
    """What was waited for did not come in time."""


class BundleFailedError(ClientError):
    """A bundle could not be made."""


class ApiError(ClientError):
    """What the server refused.

    Attributes:
        name: the error's name in MOP's catalogue; it never changes, decide by it.
        status: the HTTP status.
        type: the page that explains it.
        place: file and line, or field, where known.
        also: messages of further rules that failed.
        fields: messages by field.
        retry_after_s: how long to wait, where the server said so.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], *, retry_after_s: int | None = None) -> None:
        super().__init__(
            str(problem.get("message") or problem.get("detail") or f"status {status}"),
            hint=str(problem.get("hint") or ""),
        )
        self.status = status
        self.name = str(problem.get("name") or "")
        self.type = str(problem.get("type") or "")
        self.place = problem.get("place")
        self.also = [str(one) for one in problem.get("also") or ()]
        self.fields = {str(name): list(messages) for name, messages in (problem.get("fields") or {}).items()}
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.message}" if self.name else self.message]
        lines += [f"also: {one}" for one in self.also]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class NotSignedInError(ApiError):
    """The token is missing, unknown, expired or revoked."""


class NotAllowedError(ApiError):
    """You see it but may not do this."""


class NotFoundError(ApiError):
    """There is none, or you may not see it."""


class ConflictError(ApiError):
    """Not possible as things stand."""


class InvalidError(ApiError):
    """A field breaks a rule."""


class TooManyRequestsError(ApiError):
    """Too much too fast."""


class ServerError(ApiError):
    """The installation failed."""


_CLASSES: dict[int, type[ApiError]] = {
    HTTPStatus.BAD_REQUEST: InvalidError,
    HTTPStatus.UNAUTHORIZED: NotSignedInError,
    HTTPStatus.FORBIDDEN: NotAllowedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.PRECONDITION_FAILED: ConflictError,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: InvalidError,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidError,
    HTTPStatus.TOO_MANY_REQUESTS: TooManyRequestsError,
}


def error_of(status: int, problem: Mapping[str, Any], *, retry_after_s: int | None = None) -> ApiError:
    """The error of an answer, as its own class."""
    fallback = ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ApiError
    return _CLASSES.get(status, fallback)(status, problem, retry_after_s=retry_after_s)
