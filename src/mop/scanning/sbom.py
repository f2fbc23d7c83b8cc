"""The bill of materials of a model: CycloneDX 1.6 JSON (https://cyclonedx.org), the same bytes for the same content."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

_SERIALS = uuid.uuid5(uuid.NAMESPACE_DNS, "sbom.mop.invalid")
_TEXT_LENGTH_MAX = 300


class Distribution(Protocol):
    """An installed distribution, as `mop.environments.installed` reads it."""

    @property
    def name(self) -> str:
        """Canonical name."""

    @property
    def version(self) -> str:
        """As its metadata says it."""

    @property
    def requires(self) -> Collection[str]:
        """Canonical names that it asks for, those of its extras included."""


@dataclass(frozen=True)
class Subject:
    """The model that the bill is of.

    Attributes:
        name: the model's name.
        version: the revision's.
        artifact_digest: SHA-256 of the folder's manifest, hexadecimal.
    """

    name: str
    version: str
    artifact_digest: str


def make_sbom(subject: Subject, distributions: Iterable[Distribution]) -> bytes:
    """The bill of a model and the distributions of its environment.

    It holds no time and nothing of the host, and its serial number is made from its content: equal bills, equal bytes.
    """
    packages = {package_url(one): one for one in distributions}
    components = {reference: packages[reference] for reference in sorted(packages)}
    root = f"mop:{quote(_text(subject.name), safe='')}@{quote(_text(subject.version), safe='')}"
    edges = _edges(components)
    bill: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "mop"}]},
            "component": {
                "type": "machine-learning-model",
                "bom-ref": root,
                "name": _text(subject.name),
                "version": _text(subject.version),
                "properties": [{"name": "mop:artifact-digest", "value": f"sha256:{subject.artifact_digest}"}],
            },
        },
        "components": [_component(reference, one) for reference, one in components.items()],
        "dependencies": [
            {"ref": root, "dependsOn": _roots(edges)},
            *({"ref": reference, "dependsOn": below} for reference, below in edges.items()),
        ],
    }
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(_SERIALS, _dumped(bill))}"
    return f"{_dumped(bill)}\n".encode()


def package_url(distribution: Distribution) -> str:
    """The purl of a PyPI package (https://github.com/package-url/purl-spec)."""
    name, version = _text(distribution.name), _text(distribution.version)
    return f"pkg:pypi/{quote(name, safe='')}@{quote(version, safe='')}"


def _component(reference: str, one: Distribution) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": reference,
        "name": _text(one.name),
        "version": _text(one.version),
        "purl": reference,
    }


def _edges(components: Mapping[str, Distribution]) -> dict[str, list[str]]:
    """What each distribution asks for, as far as it is installed."""
    by_name: dict[str, list[str]] = {}
    for reference, one in components.items():
        by_name.setdefault(one.name, []).append(reference)
    return {
        reference: sorted(below for name in one.requires for below in by_name.get(name, ()) if below != reference)
        for reference, one in components.items()
    }


def _roots(edges: Mapping[str, list[str]]) -> list[str]:
    """Distributions that nobody asks for; of a circle that hangs on none of them, the first."""
    asked = {below for children in edges.values() for below in children}
    roots = [reference for reference in edges if reference not in asked]
    reached: set[str] = set()
    for reference in [*roots, *edges]:
        if reference in reached:
            continue
        if reference not in roots:
            roots.append(reference)
        waiting = [reference]
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached.add(one)
                waiting += edges[one]
    return sorted(roots)


def _text(text: str) -> str:
    """The text without control characters and half characters, shortened: names come from strangers' metadata."""
    whole = text.encode("utf-8", "replace").decode()
    return "".join(character if character.isprintable() else "?" for character in whole)[:_TEXT_LENGTH_MAX]


def _dumped(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
