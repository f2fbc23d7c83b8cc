"""The OpenAPI description: titles, examples, and the problems that every operation may answer."""

from __future__ import annotations

import functools
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from mop.api.examples import EXAMPLES
from mop.api.idempotency import CREATED, HEADER
from mop.api.models import KEY_MAX
from mop.api.problems import CONTENT_TYPE, Problem

PROBLEMS = {
    400: ("InvalidRequestError", "The request can not be read."),
    401: ("NotAuthenticatedError", "Nobody is signed in, or the token does not hold."),
    403: ("NotAllowedError", "The caller, or their token, may not do this."),
    404: ("NotFoundError", "There is no such object, or the caller may not see it."),
    409: ("ConflictError", "The state of things does not allow it."),
    412: ("EditConflictError", "Somebody edited it after the caller read it (`If-Match`)."),
    413: ("RequestTooLargeError", "The body is over 5 MiB."),
    422: ("ValidationFailedError", "Fields break a rule; `fields` maps each to its messages."),
    429: ("TooManyRequestsError", "Too much too fast; wait as long as `Retry-After` says."),
    503: ("OutsideFault", "A cause outside, such as storage, does not answer; try again later."),
    507: ("DiskFullError", "The disk of the installation is full."),
}
_ALWAYS = (400, 401, 403, 422, 429, 503, 507)
_WRITING = (409, 413)


class DocumentedAPI(NinjaAPI):
    """A NinjaAPI whose description declares problem+json once and refers to it from each operation."""

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """The description; ninja itself leaves out every answer but the good one."""
        schema = super().get_openapi_schema(**kwargs)
        components = schema["components"]
        schemas = components.setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        for name, example in EXAMPLES.items():
            if name in schemas:
                schemas[name]["examples"] = [example]
        components["responses"] = {"Problem": _response("What went wrong and what to do about it.")} | {
            f"Problem{status}": _response(f"{meaning} `name` is `{name}` or a kin of it.")
            for status, (name, meaning) in PROBLEMS.items()
        }
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                _describe(operation, path=path, method=method)
        return schema


def _describe(operation: dict[str, Any], *, path: str, method: str) -> None:
    text = (operation.get("description") or "").strip()
    operation["summary"] = _first_sentence(text) or operation["summary"]
    statuses = [*_ALWAYS, *(_WRITING if method != "get" else ())]
    statuses += [404] if "{" in path or method != "get" else []
    statuses += [412] if method == "patch" else []
    answers = operation["responses"]
    for status in sorted(statuses):
        answers.setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    answers["4XX"] = {"$ref": "#/components/responses/Problem"}
    if CREATED in answers:
        operation.setdefault("parameters", []).append(_key_parameter())


def _first_sentence(text: str) -> str:
    """The title of an operation: the first sentence of its description."""
    return " ".join(text.split()).partition(". ")[0].rstrip(".")


def _response(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


@functools.cache
def _key_parameter() -> dict[str, Any]:
    return {
        "in": "header",
        "name": HEADER,
        "required": False,
        "description": "What is sent again with the same key and body gets the same answer for 24 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX, "pattern": "^[!-~]+$"},
        "example": "7f9c6a52-6a0e-4b0a-9f0b-2c8d0b5f6d11",
    }
