"""`Idempotency-Key`: what creates something may be sent again, and creates it once.

The answer is written in the transaction that creates: either both stand or neither. A second call with the same key,
body and access token gets the same answer, for 24 hours; with another one it is refused. What was refused is not kept:
it created nothing, and is tried anew.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI
from ninja.operation import Operation, PathView

from mop.accounts.access import Caller, caller_of
from mop.accounts.sealing import seal, unseal
from mop.api.models import KEPT, KEY_MAX, IdempotentAnswer
from mop.errors import IdempotencyKeyReusedError, ValidationFailedError

HEADER = "Idempotency-Key"
CREATED = 201
PURPOSE = "idempotent answers"
AGAIN = "Idempotency-Replayed"


def creates(operation: Operation) -> bool:
    """Whether an operation takes idempotency keys: it answers 201."""
    return CREATED in operation.response_models and not operation.is_async


def accept_keys(api: NinjaAPI) -> None:
    """Let every operation that creates something accept keys. Call it when all routers are added."""
    for _, router in api._routers:  # noqa: SLF001 - ninja lists its operations nowhere else
        views: list[PathView] = list(router.path_operations.values())
        for view in views:
            for operation in view.operations:
                if creates(operation):
                    operation.view_func = _once(api, operation, operation.view_func)


def _once(api: NinjaAPI, operation: Operation, view: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get(HEADER)
        if key is None:
            return view(request, *args, **kwargs)
        _check(key)
        caller = caller_of(request)
        user, digest = caller.user, _digest(request, caller)
        if (given := _given(user.pk, key, digest)) is not None:
            return given
        try:
            with transaction.atomic():
                # a request with the same key at the same time waits here, and then fails
                row = IdempotentAnswer.objects.create(user=user, key=key, request=digest)
                result = view(request, *args, **kwargs)
                operation.api = api  # the one that ninja calls may be a copy of this one
                temporary = api.create_temporal_response(request)
                # as ninja itself makes it; an operation that creates something streams nothing
                response = cast("HttpResponse", operation._result_to_response(request, result, temporary))  # noqa: SLF001
                row.status, row.body = response.status_code, seal(response.content.decode(), purpose=PURPOSE)
                row.save(update_fields=["status", "body"])
        except IntegrityError:
            if (given := _given(user.pk, key, digest)) is None:
                raise
            return given
        return response

    return answer


def _given(user_id: int, key: str, digest: str) -> HttpResponse | None:
    """The answer that was given under this key; None where there is none that holds.

    Raises:
        IdempotencyKeyReusedError: it was the answer to another request.
    """
    row = IdempotentAnswer.objects.filter(user_id=user_id, key=key).first()
    if row is None:
        return None
    if row.created_at < timezone.now() - KEPT:
        row.delete()
        return None
    if row.request != digest:
        raise IdempotencyKeyReusedError(f"The key {key} was used for another request.")
    body = unseal(row.body, purpose=PURPOSE)
    if body is None:  # sealed by another secret key
        raise IdempotencyKeyReusedError(f"The answer under the key {key} cannot be read any more.")
    response = HttpResponse(body, status=row.status, content_type="application/json; charset=utf-8")
    response[AGAIN] = "true"
    return response


def _check(key: str) -> None:
    if not (0 < len(key) <= KEY_MAX and key.isascii() and key.isprintable()):
        message = f"Give 1 to {KEY_MAX} printable ASCII characters, such as a UUID."
        raise ValidationFailedError(f"{HEADER}: {message}", fields={HEADER: [message]})


def _digest(request: HttpRequest, caller: Caller) -> str:
    """What was asked, and by which token: an answer may hold a secret that another token may not have."""
    by = str(caller.token.pk) if caller.token else "session"
    whole = b"\n".join((by.encode(), str(request.method).encode(), request.get_full_path().encode(), request.body))
    return hashlib.sha256(whole).hexdigest()
