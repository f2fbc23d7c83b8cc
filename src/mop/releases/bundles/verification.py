"""Whether a bundle is what it says: signature and digests, artifact, environment, gates, numbers, model card.

Works on the file alone. Nothing here needs a server, a database, settings or a network.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mop.releases.bundles.archive import BundleError, Readable
from mop.releases.bundles.enclosed import (
    EVALUATIONS,
    FINDINGS,
    GATES,
    LOAD_TESTS,
    Enclosed,
    EnclosedEvaluation,
    EnclosedFindings,
    EnclosedGates,
    EnclosedLoadTest,
)
from mop.releases.bundles.environment import environment_faults
from mop.releases.bundles.manifest import BundleManifest
from mop.releases.bundles.reading import OpenBundle, Told, read_bundle
from mop.releases.cards.document import Card
from mop.releases.cards.html import to_html
from mop.releases.cards.markdown import to_markdown
from mop.releases.gates.verdicts import Result, conclude_all

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

CARD = "card/card"
_CLOSE = 1e-9
# what documents of another form raise, in JSON, in packed counts and in types
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, zlib.error)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: `signature`, `parts`, `artifact`, `environment`, `gates`, `numbers`, `card`.
        holds: whether nothing is wrong.
        detail: what was found, for people.
    """

    name: str
    holds: bool
    detail: str


@dataclass(frozen=True)
class Verified:
    """What became of a bundle.

    Attributes:
        manifest: None where the bundle was refused before it could be trusted.
        checks: in their order; the last one fails where the bundle was refused.
        sha256: of the file; empty where it was refused.
    """

    manifest: BundleManifest | None
    checks: tuple[Check, ...]
    sha256: str = ""
    size: int = 0

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        of: dict[str, Any] = {}
        if self.manifest is not None:
            of = {
                "model": self.manifest.model,
                "version": self.manifest.version,
                "revision_id": self.manifest.revision_id,
                "artifact_digest": self.manifest.artifact_digest,
                "release": None if self.manifest.release is None else asdict(self.manifest.release),
                "made_by": self.manifest.made_by,
                "parts": len(self.manifest.parts),
            }
        return {
            "holds": self.holds,
            "bundle": of or None,
            "sha256": self.sha256,
            "size": self.size,
            "checks": [asdict(check) for check in self.checks],
        }


def verify(
    file: Readable, keys: Sequence[ec.EllipticCurvePublicKey], *, total: int | None = None, told: Told | None = None
) -> Verified:
    """Verify a bundle; see `read_bundle` for the arguments."""
    try:
        bundle = read_bundle(file, keys, total=total, told=told)
    except BundleError as error:
        return Verified(None, (Check("signature and parts", holds=False, detail=f"Refused: {error}."),))
    manifest = bundle.manifest
    checks = [
        Check("signature", holds=True, detail=f"by the key {bundle.key[:16]}"),
        Check("parts", holds=True, detail=f"{len(manifest.parts):,} parts, {bundle.size:,} bytes, each as signed"),
    ]
    for name, check in _CHECKS.items():
        try:
            faults, detail = check(bundle)
        except _UNREADABLE as error:
            faults, detail = [f"its documents cannot be read ({type(error).__name__})"], ""
        checks.append(Check(name, holds=not faults, detail=_shown(faults) if faults else detail))
    return Verified(manifest, tuple(checks), bundle.sha256, bundle.size)


def _shown(faults: Sequence[str]) -> str:
    more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""  # noqa: PLR2004 - as many as a line holds
    return "; ".join(faults[:3]) + more


_Found = tuple[list[str], str]


def _artifact(bundle: OpenBundle) -> _Found:
    artifact, stated = bundle.manifest.artifact, bundle.manifest.artifact_digest
    faults = [] if artifact.digest == stated else [f"the files have the digest {artifact.digest}, not {stated}"]
    faults += [
        f"{one.dataset} was measured with another artifact"
        for one in _enclosed(bundle).evaluations
        if one.digests["artifact"] != stated
    ]
    return faults, f"{len(artifact.files):,} files, digest {stated[:16]}"


def _environment(bundle: OpenBundle) -> _Found:
    return environment_faults(bundle.documents, bundle.manifest)


def _gates(bundle: OpenBundle) -> _Found:
    enclosed = _enclosed(bundle)
    judged = enclosed.judge_again()
    faults = [f"{row.row.condition} comes out as {row.result}" for row in judged if row.differs]
    stated = enclosed.gates.document.result
    again = conclude_all(row.result for row in judged) if judged else Result.PASS
    if again != stated:
        faults.append(f"together they come out as {again}, not {stated}")
    taken = sum(row.is_stated for row in judged)
    detail = f"{len(judged)} conditions, {stated}"
    return faults, detail + (f"; values of {taken} are taken from the report" if taken else "")


def _numbers(bundle: OpenBundle) -> _Found:
    evaluations = _enclosed(bundle).evaluations
    faults = []
    for one in evaluations:
        value, interval = one.headline_again()
        ends = None if interval is None else (interval.low, interval.high)
        if not _equal(value, one.headline) or not _equal_ends(ends, one.interval):
            faults.append(f"{one.dataset} has the headline {value}, not {one.headline}")
        if one.result.matrix.total != one.rows:
            faults.append(f"{one.dataset} counts {one.result.matrix.total} rows, not {one.rows}")
    return faults, f"{len(evaluations)} results, headlines computed from their confusion matrices"


def _card(bundle: OpenBundle) -> _Found:
    document = json.loads(bundle.documents[f"{CARD}.json"])
    card = Card.from_dict(document)
    faults = []
    if (card.model, card.version, card.artifact_digest) != (
        bundle.manifest.model,
        bundle.manifest.version,
        bundle.manifest.artifact_digest,
    ):
        faults.append("it is of another version")
    results = {(one.task, one.dataset): one for one in _enclosed(bundle).evaluations}
    for shown in card.results:
        measured = results.get((shown.task, shown.dataset))
        if measured is None or not _equal(shown.headline.value, measured.headline_again()[0]):
            faults.append(f"its number for {shown.dataset} is not that of the evidence")
    for ending, render in (("md", to_markdown), ("html", to_html)):
        if bundle.documents[f"{CARD}.{ending}"] != render(card).encode():
            faults.append(f"card.{ending} says something else than card.json")
    return faults, "numbers and texts are those of the evidence"


def _enclosed(bundle: OpenBundle) -> Enclosed:
    documents = bundle.documents

    def each(folder: str) -> Iterator[dict[str, Any]]:
        return (json.loads(documents[path]) for path in sorted(documents) if path.startswith(folder))

    findings = documents.get(FINDINGS)
    return Enclosed(
        EnclosedGates.from_dict(json.loads(documents[GATES])),
        tuple(EnclosedEvaluation(**one) for one in each(EVALUATIONS)),
        tuple(EnclosedLoadTest(**one) for one in each(LOAD_TESTS)),
        EnclosedFindings(**json.loads(findings)) if findings else None,
    )


def _equal(found: float | None, stated: float | None) -> bool:
    if found is None or stated is None:
        return found is stated
    return abs(found - stated) <= _CLOSE


def _equal_ends(found: Sequence[float] | None, stated: Sequence[float] | None) -> bool:
    if found is None or stated is None:
        return found is stated
    return all(_equal(one, other) for one, other in zip(found, stated, strict=True))


_CHECKS: dict[str, Callable[[OpenBundle], _Found]] = {
    "artifact": _artifact,
    "environment": _environment,
    "gates": _gates,
    "numbers": _numbers,
    "card": _card,
}
