"""The proof that a running model service answers by contract (PRODUCT section 4, step 5)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mop.errors import CATALOGUE, ModelFault, UserScriptException, ValidationFailedError
from mop.onboarding.model_format import prove_model_format
from mop.onboarding.probes import Probe, probes_for
from mop.onboarding.scoring import Scorer, naming
from mop.serving.model_causes import FIX_THE_LINE
from mop_utils.output_rules import RULE_ORDER, TaskContract, Violation, check_output, check_outputs

SCORE_TOLERANCE = 1e-3
_FIX_THE_LINE = FIX_THE_LINE.partition("%")[0]
ALSO_MAX = 20
MODALITIES = ("Text", "Image", "ImageAndText")


@dataclass(frozen=True)
class TaskInput:
    """A connected task as the contract needs it."""

    taxonomy: str
    customized_name: str
    modality: str
    label_type: str
    labels: tuple[str, ...]

    def contract(self) -> TaskContract:
        """The output rules' view of the task."""
        return TaskContract(
            taxonomy=self.taxonomy, customized_name=self.customized_name, label_type=self.label_type, labels=self.labels
        )


def read_tasks(text: str) -> tuple[TaskInput, ...]:
    """Connected tasks from JSON: `[{"taxonomy", "customized_name", "modality", "label_type", "labels": [...]}]`.

    Raises:
        ValidationFailedError: the text is not such a list; the message names entry and field.
    """
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise ValidationFailedError(f"The tasks are not JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise ValidationFailedError("The tasks must be a JSON list with at least one task.")
    return tuple(_read_task(place, entry) for place, entry in enumerate(entries))


def _read_task(place: int, entry: object) -> TaskInput:
    def wrong(what: str) -> ValidationFailedError:
        return ValidationFailedError(f"Task {place}: {what}", place=f"[{place}]")

    if not isinstance(entry, dict):
        raise wrong("must be an object")
    wanted = {"taxonomy", "customized_name", "modality", "label_type", "labels"}
    if missing := sorted(wanted - set(entry)):
        raise wrong(f"{', '.join(missing)} is missing")
    for name in ("taxonomy", "customized_name", "modality", "label_type"):
        if not isinstance(entry[name], str) or not entry[name]:
            raise wrong(f"{name} must be a text")
    if entry["modality"] not in MODALITIES:
        raise wrong(f"modality must be one of {', '.join(MODALITIES)}, not {entry['modality']!r}")
    if entry["label_type"] not in {"Categorical", "Ordinal"}:
        raise wrong(f"label_type must be Categorical or Ordinal, not {entry['label_type']!r}")
    labels = entry["labels"]
    least = 3 if entry["label_type"] == "Ordinal" else 2
    if not isinstance(labels, list) or not all(isinstance(label, str) and label for label in labels):
        raise wrong("labels must be a list of texts")
    if len(set(labels)) != len(labels) or not least <= len(labels) <= 20:  # noqa: PLR2004 - PRODUCT section 2
        raise wrong(f"labels of a task of type {entry['label_type']} are {least} to 20 different texts")
    return TaskInput(
        taxonomy=entry["taxonomy"],
        customized_name=entry["customized_name"],
        modality=entry["modality"],
        label_type=entry["label_type"],
        labels=tuple(labels),
    )


async def prove_contract(
    service: Scorer, *, tasks: Sequence[TaskInput] | None, sample: Any = None, log: Callable[[str], None]
) -> tuple[str, ...]:
    """Send the sample post data and MOP's own inputs of each connected modality, in MOP's and in the model's format.

    Every answer in MOP's format is held to the rules for outputs; one in the model's format must be JSON.

    Args:
        service: a ready service.
        tasks: connected tasks; None checks everything but taxonomies and labels, in a modality that the model takes.
        sample: the item of `inference()` in model format; None for none.
        log: takes a line per step.

    Returns:
        Warnings: single and batch answers that differ, and what the model does not answer in its own format.

    Raises:
        ModelFault: the first broken rule in PRODUCT's order; the others are in `also`.
    """
    if sample is not None:
        log("sending the sample post data in model format")
        await _answer_sample(service, sample)
    proof = _Proof(service, sample_answered=sample is not None, log=log)
    if tasks is None:
        return await _prove_any_modality(proof)
    warnings: list[str] = []
    for modality in MODALITIES:
        contracts = [task.contract() for task in tasks if task.modality == modality]
        if contracts:
            warnings += await _prove_modality(proof, modality, contracts)
    return tuple(warnings)


async def _answer_sample(service: Scorer, sample: Any) -> None:
    """Whether code or sample is wrong cannot be seen: the hint names both, unless the model's code is known to be."""
    try:
        await naming("the sample post data", service.score(sample, mop=False))
    except UserScriptException as error:
        if error.hint.startswith(_FIX_THE_LINE):
            error.hint += " Or correct the sample post data, if it is no item that inference() takes."
        raise


@dataclass(frozen=True)
class _Proof:
    """What every step of a proof needs."""

    service: Scorer
    sample_answered: bool
    log: Callable[[str], None]


async def _prove_any_modality(proof: _Proof) -> tuple[str, ...]:
    """Without tasks nobody says which modality the model takes: the first one that it does not raise on is held."""
    raised: list[UserScriptException] = []
    for modality in MODALITIES:
        try:
            return tuple(await _prove_modality(proof, modality, ()))
        except UserScriptException as error:
            proof.log(f"the model raises on {modality} inputs: {error.message}")
            raised.append(error)
    raise raised[0]


async def _prove_modality(proof: _Proof, modality: str, contracts: Sequence[TaskContract]) -> list[str]:
    """Both documented formats: MOP's by the rules for outputs, then the model's own."""
    probes = probes_for(modality)
    broken: list[_Broken] = []
    singles = []
    for probe in probes:
        proof.log(f"sending {modality} input: {probe.name}")
        output = await naming(f"the {modality} input '{probe.name}'", proof.service.score(probe.item, mop=True))
        broken += [_Broken(violation, probe.name) for violation in check_output(output, contracts)]
        singles.append(output)
    together = f"all {len(probes)} {modality} inputs as one batch"
    proof.log(f"sending {together}")
    batch = await naming(together, proof.service.score([probe.item for probe in probes], mop=True))
    broken += _broken_in_batch(batch, probes, contracts)
    if broken:
        raise _first(modality, broken)
    warnings = _differences(modality, probes, singles, batch)
    return warnings + await prove_model_format(
        proof.service, modality, probes, sample_answered=proof.sample_answered, log=proof.log
    )


def _broken_in_batch(batch: Any, probes: Sequence[Probe], contracts: Sequence[TaskContract]) -> list[_Broken]:
    if not isinstance(batch, list) or len(batch) != len(probes):
        return [_Broken(violation, None) for violation in check_outputs(batch, len(probes), contracts)]
    return [
        _Broken(violation, f"{probe.name} in a batch")
        for probe, output in zip(probes, batch, strict=True)
        for violation in check_output(output, contracts)
    ]


@dataclass(frozen=True)
class _Broken:
    """A rule that an answer breaks, and the name of the input; None for the batch as a whole."""

    violation: Violation
    input: str | None


def _first(modality: str, broken: Sequence[_Broken]) -> ModelFault:
    """The error of the first broken rule; each fault is told once, with the inputs that show it."""
    inputs: dict[tuple[str, str], list[str]] = {}
    for one in sorted(broken, key=lambda one: RULE_ORDER.index(one.violation.error)):
        shown = inputs.setdefault((one.violation.error, one.violation.message), [])
        if one.input is not None:
            shown.append(one.input)
    messages = [message + _on(modality, names) for (_, message), names in inputs.items()]
    (name, _), names = next(iter(inputs.items()))
    kind = CATALOGUE[name]
    if not issubclass(kind, ModelFault):  # pragma: no cover - the catalogue's test holds this
        raise TypeError(f"{kind.__name__} is no fault of a model")
    place = f"the {modality} input '{names[0]}'" if names else f"all {modality} inputs as one batch"
    return kind(messages[0], place=place, also=messages[1 : 1 + ALSO_MAX])


def _on(modality: str, names: Sequence[str]) -> str:
    if not names:
        return f" ({modality} inputs as one batch)"
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f" ({modality} input: {names[0]}{more})"


def _differences(modality: str, probes: Sequence[Probe], singles: Sequence[Any], batch: Sequence[Any]) -> list[str]:
    """Warnings about inputs whose answer alone is not their answer in a batch."""
    names = [
        probe.name for probe, alone, together in zip(probes, singles, batch, strict=True) if not _same(alone, together)
    ]
    if not names:
        return []
    warning = (
        f"Single and batch answers differ for {modality} inputs: {', '.join(names)}. "
        "Results then depend on load; make inference and inference_batch compute the same."
    )
    return [warning]


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    if isinstance(left, float | int) and isinstance(right, float | int):
        return math.isclose(left, right, rel_tol=0.0, abs_tol=SCORE_TOLERANCE)
    return bool(left == right)
