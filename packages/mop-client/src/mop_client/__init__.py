"""The typed Python client of MOP."""

from __future__ import annotations

from mop_client.client import Client
from mop_client.errors import (
    ApiError,
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

__all__ = [
    "ApiError",
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
