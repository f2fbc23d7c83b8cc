"""The OpenAPI description, with the problems that every operation may answer."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from mop.api.problems import CONTENT_TYPE, Problem


class DocumentedAPI(NinjaAPI):
    """A NinjaAPI whose description declares problem+json once and refers to it from each operation."""

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """The description; ninja itself leaves out every answer but the good one."""
        schema = super().get_openapi_schema(**kwargs)
        components = schema["components"]
        components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        components["responses"] = {
            "Problem": {
                "description": "What went wrong and what to do about it; `name` is the catalogue's.",
                "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        }
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"]["4XX"] = {"$ref": "#/components/responses/Problem"}
        return schema
