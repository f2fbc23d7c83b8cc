"""The proof of the converters for Azure AI Content Safety: a real request of each modality through the model.

They are optional in a model, so that nothing fails and nobody is warned where they are missing. A release of the
version to an AACS service needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from mop.errors import ModelFault, RequestDeadlineError, RequestTooLargeError
from mop.onboarding.probes import probes_for

FIELDS = {"Text": "text", "Image": "image"}
"""The field of a request, by modality; Azure AI Content Safety has no others."""
REASON_MAX = 1000


class Analyzer(Protocol):
    """What is proved: something that answers requests of Azure AI Content Safety."""

    async def acs_findings(self, item: Mapping[str, str]) -> Any:
        """What the model finds in `{"text": text}` or `{"image": base64}`."""
        ...


async def prove_converters(
    service: Analyzer, modalities: Iterable[str], *, log: Callable[[str], None]
) -> Mapping[str, str]:
    """Send every input of MOP's own of each modality as a request of Azure AI Content Safety.

    Args:
        service: it answers these inputs in MOP's format.
        modalities: of the connected tasks; those that Azure AI Content Safety does not have are left out.
        log: takes a line per modality.

    Returns:
        Of each modality why the converters did not answer; empty where they did.
    """
    found = {}
    for modality in FIELDS:
        if modality in set(modalities):
            found[modality] = await _reason(service, modality)
            log(f"converters for Azure AI Content Safety, {modality}: {found[modality] or 'they answer'}")
    return found


async def _reason(service: Analyzer, modality: str) -> str:
    field = FIELDS[modality]
    for probe in probes_for(modality):
        try:
            await service.acs_findings({field: probe.item[field]})
        except (ModelFault, RequestDeadlineError, RequestTooLargeError) as error:
            return f"On the {modality} input '{probe.name}': {error.message}"[:REASON_MAX]
    return ""
