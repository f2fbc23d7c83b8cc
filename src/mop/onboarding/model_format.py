"""The proof of the model's own format, the default of `POST /score`, with the inputs of MOP.

The inputs go through the model's own converter, as a caller who sends them in model format would have to. A format that
JSON does not hold breaks no rule of MOP, whose own format works; but callers of the default format get errors, so that
the owner is warned.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mop.errors import InvalidModelOutputError, RequestTooLargeError
from mop.onboarding.probes import Probe
from mop.onboarding.scoring import Scorer, naming

MOP_ONLY = "/score answers with X-MOP-Format: mop only"


@dataclass
class _Seen:
    """Names of inputs, by what they showed."""

    unsent: dict[str, list[str]] = field(default_factory=dict)
    unanswered: dict[str, list[str]] = field(default_factory=dict)


async def prove_model_format(
    service: Scorer, modality: str, probes: Sequence[Probe], *, sample_answered: bool, log: Callable[[str], None]
) -> list[str]:
    """Score each input in model format, and all of them as one batch.

    Args:
        service: it answers these inputs in MOP's format.
        modality: of the inputs, for messages.
        probes: the inputs, in MOP's format.
        sample_answered: the owner's sample was answered in model format. It shows that `inference` takes JSON, even
            where the converter gives something else.
        log: takes a line per step.

    Returns:
        Warnings: which inputs the model does not answer in its own format over HTTP, and why.

    Raises:
        ModelFault: the model fails on an input that it answers in MOP's format.
    """
    seen = _Seen()
    items = []
    for probe in probes:
        log(f"sending {modality} input in model format: {probe.name}")
        what = f"the {modality} input '{probe.name}' in model format"
        converted = await naming(what, service.model_input(probe.item))
        if converted.body is None:
            seen.unsent.setdefault(converted.not_json, []).append(probe.name)
            continue
        item = json.loads(converted.body)
        try:
            await naming(what, service.score(item, mop=False))
        except InvalidModelOutputError as error:
            reason = error.message.removeprefix(f"On {what}: ")
            seen.unanswered.setdefault(reason, []).append(probe.name)
        except RequestTooLargeError as error:
            seen.unsent.setdefault(error.message, []).append(probe.name)
        else:
            items.append(item)
    if items and not seen.unanswered:
        await _prove_batch(service, modality, items, log)
    return [*_unanswered(modality, seen), *([] if sample_answered else _unsent(modality, seen))]


async def _prove_batch(service: Scorer, modality: str, items: Sequence[Any], log: Callable[[str], None]) -> None:
    what = f"{len(items)} {modality} inputs as one batch in model format"
    log(f"sending {what}")
    try:
        outputs = await naming(what, service.score(items, mop=False))
    except RequestTooLargeError as error:
        log(f"not proved: {error.message}")
        return
    if not isinstance(outputs, list) or len(outputs) != len(items):
        raise InvalidModelOutputError(f"The answer to {what} is not a list with one output per item.", place=what)


def _unanswered(modality: str, seen: _Seen) -> list[str]:
    return [
        f"{MOP_ONLY} for {modality} inputs ({_listed(names)}): in model format it answers an error. {reason} "
        "Return plain dictionaries, lists, texts and finite numbers from inference and inference_batch."
        for reason, names in seen.unanswered.items()
    ]


def _unsent(modality: str, seen: _Seen) -> list[str]:
    return [
        f"{MOP_ONLY} for {modality} inputs ({_listed(names)}): what convert_mop_input_to_model_input returns for them "
        f"is not what a caller can send as JSON ({reason.rstrip('.')}). Return plain dictionaries, lists, texts and "
        "finite numbers from it, or add sample post data that shows the format that inference takes."
        for reason, names in seen.unsent.items()
    ]


def _listed(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
