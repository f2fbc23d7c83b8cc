"""Reading bodies: strict JSON, and nothing that a database refuses later."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest
from ninja.parser import Parser

from mop.errors import InvalidRequestError

DEPTH_MAX = 64


class StrictParser(Parser):
    """JSON without NaN, NUL characters and unpaired surrogates, nested 64 deep at most."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """The body's object.

        Raises:
            InvalidRequestError: the body is not strict JSON.
        """
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError as error:
            raise InvalidRequestError(f"The body is not JSON: {error}.") from error
        _check(body, DEPTH_MAX)
        return body  # type: ignore[no-any-return] # the schema checks the shape


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise InvalidRequestError(f"The body is nested more than {DEPTH_MAX} deep.")
    if isinstance(value, str) and "\0" in value:
        raise InvalidRequestError("The body holds a NUL character.")
    if isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth - 1)
            _check(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)
