"""The OpenAPI description: titles, examples, and the problems that every operation may answer."""

from __future__ import annotations

import functools
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.docs import ABS_TPL_PATH, Swagger
from ninja.openapi.schema import OpenAPISchema

from mop.api.examples import EXAMPLES
from mop.api.idempotency import CREATED, HEADER
from mop.api.models import KEY_MAX
from mop.api.problems import CONTENT_TYPE, Problem, page_of
from mop.errors import CATALOGUE, MopError

MEANINGS = {
    400: "The request cannot be read.",
    401: "Nobody is signed in, or the token does not hold.",
    403: "The caller, or their token, may not do this.",
    404: "There is no such object, or the caller may not see it.",
    409: "The state of things does not allow it.",
    412: "Somebody edited it after the caller read it (`If-Match`).",
    413: "The body is over 5 MiB.",
    422: "Fields break a rule; `fields` maps each to its messages.",
    429: "Too much too fast; wait as long as `Retry-After` says.",
    500: "MOP failed; its log says why.",
    503: "A cause outside, such as storage, does not answer; try again later.",
    507: "The disk of the installation is full.",
}
_ALWAYS = (400, 401, 403, 422, 429, 500, 503, 507)
_WRITING = (409, 413)


class DocumentationPage(Swagger):
    """With the portal's own static files: ninja, where it is no app of Django, takes those of a public server."""

    template_cdn = str(ABS_TPL_PATH / "swagger.html")


class DocumentedAPI(NinjaAPI):
    """A NinjaAPI whose description declares problem+json once and refers to it from each operation."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._descriptions: dict[str, OpenAPISchema] = {}

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The description, made once: it takes most of a second, and anybody may ask for it."""
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        if prefix not in self._descriptions:
            self._descriptions[prefix] = self._described(prefix)
        return self._descriptions[prefix]

    def _described(self, prefix: str) -> OpenAPISchema:
        """What ninja describes, and what it leaves out: every answer but the good one."""
        schema = super().get_openapi_schema(path_prefix=prefix)
        components = schema["components"]
        schemas = components.setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        for name, example in EXAMPLES.items():
            if name in schemas:
                schemas[name]["examples"] = [example]
        components["responses"] = {f"Problem{status}": _response(status) for status in MEANINGS}
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
    if CREATED in answers:
        operation.setdefault("parameters", []).append(_key_parameter())


def _first_sentence(text: str) -> str:
    """The title of an operation: the first sentence of its description."""
    return " ".join(text.split()).partition(". ")[0].rstrip(".")


def _response(status: int) -> dict[str, Any]:
    """Every error of the catalogue that has the status, each with an example."""
    errors = errors_of(status)
    names = ", ".join(f"`{error.__name__}`" for error in errors)
    examples = {error.__name__: {"summary": error.title, "value": _example(error)} for error in errors}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    return {"description": f"{MEANINGS[status]} `name` is one of {names}.", "content": {CONTENT_TYPE: content}}


def errors_of(status: int) -> list[type[MopError]]:
    """The errors of the catalogue with a status, by name; one without a title of its own only groups others."""
    known: list[type[MopError]] = [*CATALOGUE.values(), MopError]
    found = [error for error in known if error.http_status == status and "title" in vars(error)]
    return sorted(found, key=lambda error: error.__name__)


def _example(error: type[MopError]) -> dict[str, Any]:
    return {**error(f"{error.title}.").to_problem(), "type": page_of(error.__name__)}


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
