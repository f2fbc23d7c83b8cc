"""The service's description of itself, from which clients are generated: `GET /openapi.json`."""

from __future__ import annotations

from typing import Any

import orjson

from mop.serving.config import ServiceConfig

LARGEST_EXAMPLE_BYTES = 1 << 16
TEXT_EXAMPLE = {"text": "An example."}
IMAGE_EXAMPLE = {"image": "iVBORw0KGgo=", "width": 224, "height": 224}
IMAGE_AND_TEXT_EXAMPLE = {"text": "An example with ##{image_0}.", "images": ["iVBORw0KGgo="]}
OUTPUT_EXAMPLE = {
    "predicted_labels": {"hate": {"no": 0, "yes": 1}},
    "confidence_scores": {"hate": {"no": 0.25, "yes": 0.75}},
}
FORMATS = (
    "`model` (the default): input and output in the model's own format. `mop`: MOP input and MOP output, through the "
    "model's converters. `convert`: a MOP input is answered with the model's input; nothing is inferred. "
    "`acs-text` and `acs-image`: a request of Azure AI Content Safety, through the model's converters for it."
)
SCORE_ERRORS = {
    400: "The body is not JSON, or not an input of this format.",
    413: "The body is over the limit.",
    415: "The body is not sent as JSON, or compressed.",
    429: "The queue is full. `Retry-After` tells in how many seconds there will be room.",
    500: "The model raised an exception, or its output is not valid.",
    502: "The model's process ended while it worked on the request.",
    503: "No model process is ready, too many connections are open, or the service has failed.",
    504: "The model did not answer before the deadline.",
}


def description(config: ServiceConfig) -> bytes:
    """The OpenAPI 3.1 document of a service, as JSON."""
    return orjson.dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": config.name,
                "version": "1",
                "description": "A model service of MOP. Every error is `application/problem+json`.",
            },
            "paths": {
                "/score": {"post": _score(config)},
                "/health": {"get": _asked("health", "Whether the service is alive.", {"status": "alive"})},
                "/ready": {"get": _ready()},
                "/metrics": {"get": _metrics()},
                "/openapi.json": {"get": _asked("describe", "This description.", None)},
            },
            "components": {"schemas": _SCHEMAS},
        }
    )


def _score(config: ServiceConfig) -> dict[str, Any]:
    formats = {"type": "string", "enum": ["model", "mop", "convert", "acs-text", "acs-image"], "default": "model"}
    header = {"name": "X-MOP-Format", "in": "header", "description": FORMATS, "schema": formats}
    return {
        "operationId": "score",
        "summary": "The model's output for an item, or the outputs for a list of items.",
        "parameters": [header],
        "requestBody": {
            "required": True,
            "description": f"At most {config.max_request_bytes} bytes. A list is a list of items.",
            "content": {"application/json": {"schema": _one_or_list("Input"), "examples": _inputs(config)}},
        },
        "responses": {
            "200": {
                "description": "One output, or a list with one output for each item, in order.",
                "content": {"application/json": {"schema": _one_or_list("Output"), "examples": _outputs()}},
            },
            **{str(status): _problem(text) for status, text in SCORE_ERRORS.items()},
        },
    }


def _one_or_list(name: str) -> dict[str, Any]:
    item = {"$ref": f"#/components/schemas/{name}"}
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _inputs(config: ServiceConfig) -> dict[str, Any]:
    examples = {
        "text": _example("Text, with X-MOP-Format: mop", TEXT_EXAMPLE),
        "image": _example("Image, with X-MOP-Format: mop", IMAGE_EXAMPLE),
        "image_and_text": _example("ImageAndText, with X-MOP-Format: mop", IMAGE_AND_TEXT_EXAMPLE),
    }
    if config.sample is None or len(orjson.dumps(config.sample)) > LARGEST_EXAMPLE_BYTES:
        return examples
    # a list would be a list of items
    sample = [config.sample] if isinstance(config.sample, list) else config.sample
    return {"sample": _example("The model owner's sample, in the model's format", sample), **examples}


def _outputs() -> dict[str, Any]:
    return {"mop": _example("With X-MOP-Format: mop", OUTPUT_EXAMPLE)}


def _example(summary: str, value: Any) -> dict[str, Any]:
    return {"summary": summary, "value": value}


def _asked(name: str, summary: str, example: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"type": "object"}}
    if example is not None:
        content["example"] = example
    answer = {"description": summary, "content": {"application/json": content}}
    return {"operationId": name, "summary": summary, "responses": {"200": answer}}


def _ready() -> dict[str, Any]:
    wait = {
        "name": "wait",
        "in": "query",
        "description": "Seconds to wait until it is ready, 30 at most.",
        "schema": {"type": "number", "default": 0},
    }
    operation = _asked("ready", "Whether the model can answer.", {"status": "ready", "processes": 1, "workers": 1})
    errors = {"400": _problem("wait is not a number."), "503": _problem("It cannot; the error tells why.")}
    return {**operation, "parameters": [wait], "responses": {**operation["responses"], **errors}}


def _metrics() -> dict[str, Any]:
    answer = {"description": "Metrics for Prometheus.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {"operationId": "metrics", "summary": "Metrics for Prometheus.", "responses": {"200": answer}}


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


_SCORES = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": {"type": "number"}}}
_TEXT = {"type": "string"}
_SCHEMAS: dict[str, Any] = {
    "Input": {
        "description": "A MOP input with X-MOP-Format: mop or convert; else whatever JSON the model takes.",
        "anyOf": [{"$ref": "#/components/schemas/MopInput"}, {}],
    },
    "Output": {
        "description": "A MOP output with X-MOP-Format: mop, a conversion with convert; else what the model returns.",
        "anyOf": [{"$ref": "#/components/schemas/MopOutput"}, {"$ref": "#/components/schemas/Conversion"}, {}],
    },
    "MopInput": {
        "type": "object",
        "description": "Text: text. Image: image, and its size where known. ImageAndText: text and images.",
        "properties": {
            "text": {**_TEXT, "description": "In ImageAndText ##{image_0} stands for images[0], and so on."},
            "image": {**_TEXT, "contentEncoding": "base64"},
            "width": {"type": "integer"},
            "height": {"type": "integer"},
            "images": {"type": "array", "maxItems": 20, "items": {**_TEXT, "contentEncoding": "base64"}},
        },
        "anyOf": [{"required": ["text"]}, {"required": ["image"]}, {"required": ["images"]}],
    },
    "MopOutput": {
        "type": "object",
        "description": "For each taxonomy the predicted labels (1: predicted, 0: not) and their confidence scores.",
        "properties": {"predicted_labels": _SCORES, "confidence_scores": _SCORES},
        "required": ["predicted_labels", "confidence_scores"],
    },
    "Conversion": {
        "type": "object",
        "description": "The model's input for a MOP input; or why JSON would not give the model the same input.",
        "properties": {"model_input": {}, "not_json": _TEXT},
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457, with the name of the error in MOP's catalogue and what to do about it.",
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "name": _TEXT,
            "message": _TEXT,
            "hint": _TEXT,
            "place": {"type": ["string", "null"]},
            "also": {"type": "array", "items": _TEXT},
        },
        "required": ["type", "title", "status", "name", "message", "hint", "place", "also"],
    },
}
