"""The environment that was measured, as a bundle holds it: a lock file, and the bill of materials.

environment/lock.json          Python, pip and every package with its exact version
environment/requirements.txt   the same for pip and uv; private wheels by their path in the bundle
environment/sbom.cdx.json      CycloneDX, as MOP gives it out
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from mop.releases.bundles.manifest import ARTIFACT, BundleManifest

LOCK = "environment/lock.json"
REQUIREMENTS = "environment/requirements.txt"
SBOM = "environment/sbom.cdx.json"
_PRIVATE = f"{ARTIFACT}privatepkgs/"


@dataclass(frozen=True)
class LockedPackage:
    """A package of the environment; `is_private`: from a wheel of the model's folder."""

    name: str
    version: str
    is_private: bool


@dataclass(frozen=True)
class EnvironmentLock:
    """What was installed when the version was measured.

    Attributes:
        key: names the environment: the same requirements on the same installation give the same.
        digest: of its files; empty where it is not known.
    """

    python: str
    pip: str
    key: str
    digest: str
    packages: tuple[LockedPackage, ...]

    def to_json(self) -> bytes:
        """The JSON form."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"

    def to_requirements(self, wheels: tuple[str, ...]) -> bytes:
        """The lines for pip and uv.

        Args:
            wheels: paths of the private wheels in the bundle.
        """
        lines = [f"# Python {self.python}, pip {self.pip}", *(f"../{wheel}" for wheel in wheels)]
        lines += [f"{one.name}=={one.version}" for one in self.packages if not one.is_private]
        return ("\n".join(lines) + "\n").encode()


def private_wheels(manifest: BundleManifest) -> tuple[str, ...]:
    """Paths of the private wheels in a bundle."""
    return tuple(part.path for part in manifest.parts if part.path.startswith(_PRIVATE))


def environment_faults(documents: Mapping[str, bytes], manifest: BundleManifest) -> tuple[list[str], str]:
    """Where lock, requirements and bill of materials of a bundle contradict each other; and what they hold."""
    if not manifest.environment_key:
        return [], "no environment was built"
    data = json.loads(documents[LOCK])
    lock = EnvironmentLock(**{**data, "packages": tuple(LockedPackage(**one) for one in data["packages"])})
    bill = json.loads(documents[SBOM])
    faults = []
    if lock.key != manifest.environment_key:
        faults.append("the lock file is of another environment")
    if documents[REQUIREMENTS] != lock.to_requirements(private_wheels(manifest)):
        faults.append("requirements.txt says something else than the lock file")
    if {(one["name"], one["version"]) for one in bill["components"]} != {
        (one.name, one.version) for one in lock.packages
    }:
        faults.append("the SBOM lists other packages than the lock file")
    digests = [one["value"] for one in bill["metadata"]["component"]["properties"]]
    if digests != [f"sha256:{manifest.artifact_digest}"]:
        faults.append("the SBOM is of another artifact")
    return faults, f"Python {lock.python}, {len(lock.packages)} packages"
