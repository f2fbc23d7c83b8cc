"""The typed Python client of MOP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mop_client.errors import (
    ApiError,
    BundleFailedError,
    ClientError,
    ConflictError,
    InvalidError,
    NoCredentialsError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    ServerError,
    TooManyRequestsError,
    UnreachableError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from mop_client.client import Client

__all__ = [
    "ApiError",
    "BundleFailedError",
    "Client",
    "ClientError",
    "ConflictError",
    "InvalidError",
    "NoCredentialsError",
    "NotAllowedError",
    "NotFoundError",
    "NotSignedInError",
    "ServerError",
    "TooManyRequestsError",
    "UnreachableError",
    "WaitTimeoutError",
]


def __getattr__(name: str) -> Any:
    # httpx is imported for requests to a server, not by commands that send none
    if name == "Client":
        from mop_client.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
