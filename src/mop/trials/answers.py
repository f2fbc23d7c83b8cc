"""What a model answers to one input, in both formats."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Sequence
from typing import Any

import orjson

from mop.errors import ModelFault, MopError, ServiceFault
from mop.onboarding.contract import TaskInput
from mop.serving.service import Service
from mop_utils.output_rules import check_output

SHOWN_BYTES_MAX = 1024**2
FAULTS_MAX = 20
TOO_LARGE = "This part is larger than 1 MiB and is not shown."
NOT_TOLD = "A try shows the error's name alone: what the model raises and prints is thrown away."


async def answer_of(service: Service, item: dict[str, Any], tasks: Sequence[TaskInput]) -> dict[str, Any]:
    """The answer in MOP's and in the model's format, each with its seconds or its error; labels and broken rules.

    Returns:
        {"mop": {"input", "output", "seconds", "error"}, "model": {"input", "output", "seconds", "error", "not_json"},
        "labels": [{"taxonomy", "task_labels", "predicted", "scores"}], "faults": [text]}.

    Raises:
        MopError: the service itself ended or cannot answer at all.
    """
    mop = await _asked(service.score(item, mop=True))
    model = await _in_model_format(service, item)
    output = mop["output"]
    violations = check_output(output, [task.contract() for task in tasks]) if mop["error"] is None else []
    return {
        "mop": _shown({"input": item} | mop),
        "model": _shown(model),
        "labels": _labels(output, tasks) if mop["error"] is None else [],
        "faults": [violation.message for violation in violations[:FAULTS_MAX]],
    }


async def _in_model_format(service: Service, item: dict[str, Any]) -> dict[str, Any]:
    """The input after the model's own converter, and the answer to it."""
    nothing = {"input": None, "output": None, "seconds": None, "error": None, "not_json": ""}
    try:
        converted = await service.model_input(item)
    except (ModelFault, ServiceFault) as error:
        return nothing | {"error": _told(error)}
    if converted.body is None:
        return nothing | {"not_json": converted.not_json}
    model_input = orjson.loads(converted.body)
    # a list is taken for a batch, so an input that is one goes as a batch of one
    is_list = isinstance(model_input, list)
    asked = await _asked(service.score([model_input] if is_list else model_input, mop=False))
    if is_list and isinstance(asked["output"], list) and len(asked["output"]) == 1:
        asked["output"] = asked["output"][0]
    return nothing | {"input": model_input} | asked


async def _asked(question: Awaitable[Any]) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        output = await question
    except (ModelFault, ServiceFault) as error:
        return {"output": None, "seconds": None, "error": _told(error)}
    return {"output": output, "seconds": time.perf_counter() - began, "error": None}


def _told(error: MopError) -> dict[str, str]:
    return {"name": error.name, "title": error.title, "message": NOT_TOLD}


def _labels(output: Any, tasks: Sequence[TaskInput]) -> list[dict[str, Any]]:
    """Of each taxonomy in the output the labels that are 1, and the scores; the output may be anything."""
    if not isinstance(output, dict):
        return []
    predicted, scores = output.get("predicted_labels"), output.get("confidence_scores")
    by_name = {task.customized_name: task for task in tasks}
    found = []
    for name, labels in (predicted if isinstance(predicted, dict) else {}).items():
        if not isinstance(labels, dict):
            continue
        of_name = scores.get(name) if isinstance(scores, dict) else None
        positive = [label for label, value in labels.items() if value == 1]
        task = by_name.get(name)
        if task is not None and task.label_type == "Ordinal":
            positive = positive[-1:]  # the predicted level is the last of the run of ones
        found.append(
            {
                "taxonomy": name,
                "predicted": positive,
                "scores": of_name if isinstance(of_name, dict) else {},
                "is_connected": task is not None,
            }
        )
    return found


def _shown(part: dict[str, Any]) -> dict[str, Any]:
    """The part with what is too large to look at replaced."""
    return {name: TOO_LARGE if len(orjson.dumps(value)) > SHOWN_BYTES_MAX else value for name, value in part.items()}
