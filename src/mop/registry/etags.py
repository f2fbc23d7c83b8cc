"""The edition of a thing as an ETag: an edit with `If-Match` is refused where somebody edited the thing since."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse

from mop.errors import ValidationFailedError

_EDITION = re.compile(r'\A(?:W/)?"(\d{1,9})"\Z')


def put_etag(response: HttpResponse, thing: Any) -> None:
    """Say in the answer which edition it tells of. What MOP itself changes, such as a status, is no edit."""
    response["ETag"] = f'"{thing.edition}"'


def asked_edition(request: HttpRequest) -> int | None:
    """The edition that the caller saw, from `If-Match`; None where they do not say.

    Raises:
        ValidationFailedError: the header is no ETag of MOP's.
    """
    given = request.headers.get("If-Match", "").strip()
    if given in {"", "*"}:
        return None
    found = _EDITION.match(given)
    if found is None:
        message = "Send the ETag that the answer to GET had."
        raise ValidationFailedError(f"If-Match: {message}", fields={"If-Match": [message]})
    return int(found[1])
