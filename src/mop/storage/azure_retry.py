"""When a request to Azure is made again, and after which pause: one rule for listings, reads and tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.storage.blob import LocationMode

from mop.storage.config import RetryPolicy

_ASK_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_FINAL = {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED}


def is_passing(status: int) -> bool:
    """Whether an answer with this status may be another one soon."""
    return status in _ASK_AGAIN or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _FINAL)


def pause_s(policy: RetryPolicy, failures: int, headers: Mapping[str, str] | None = None) -> float | None:
    """Seconds to wait before the next try, or None to give up.

    Args:
        policy: how often and how long.
        failures: tries that failed in a row, 1 or more.
        headers: those of the answer, where one came; a Retry-After is waited for, longer than allowed it is final.
    """
    if failures > policy.attempts:
        return None
    own: float = policy.first_backoff_s * 2 ** (failures - 1)
    asked = _retry_after_s(headers or {})
    if asked is None:
        return own
    return max(own, asked) if asked <= policy.retry_after_max_s else None


class ListingRetry(AsyncHTTPPolicy[Any, Any]):
    """In place of the SDK's policy, which waits up to 84 s, ignores Retry-After and takes 429 for an answer."""

    def __init__(self, policy: RetryPolicy) -> None:
        super().__init__()
        self._policy = policy

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send until the answer is not a passing fault, or the tries are used up."""
        for option in (
            "hosts",
            "location_mode",
            "retry_to_secondary",
        ):  # of the SDK's own policy; the transport does not know them
            request.context.options.pop(option, None)
        failures = 0
        while True:
            headers: Mapping[str, str] | None = None
            failed: AzureError | None = None
            try:
                response: PipelineResponse[Any, Any] = await self.next.send(request)
            except AzureError as error:
                failed = error
            else:
                response.http_response.location_mode = LocationMode.PRIMARY  # the SDK's paging reads it
                if not is_passing(response.http_response.status_code):
                    return response
                headers = response.http_response.headers
            failures += 1
            pause = pause_s(self._policy, failures, headers)
            if pause is not None:
                await asyncio.sleep(pause)
            elif failed is not None:
                raise failed
            else:
                return response


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """What the answer asks for: seconds or a date; nonsense is no wish."""
    value = (headers.get("Retry-After") or "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
