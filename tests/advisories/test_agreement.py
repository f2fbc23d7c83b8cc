"""MOP, online and with imported advisories, says of every package version what pip-audit says, and what is true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from packaging.version import Version
from pip_audit._service.interface import ResolvedDependency
from pip_audit._service.osv import OsvService as PipAudit

from mop.advisories.osv_service import OsvService
from mop.advisories.selectors import audit
from mop.advisories.services import import_advisories
from mop.scanning.dependencies.audit import Audit, audit_packages
from mop.scanning.dependencies.packages import Package
from support.factories import ACTOR
from support.osv import Osv, World, make_world, osv, write_export

Found = set[tuple[str, str, str]]
WORLDS = 25
seeds = st.integers(min_value=1, max_value=10_000)
agreeing = examples(
    max_examples=WORLDS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def service() -> Iterator[Osv]:
    with osv(make_world(0)) as running:
        yield running


def packages(world: World) -> list[Package]:
    return [Package(name, version) for name, some in world.versions.items() for version in some]


def by_pip_audit(service: Osv, folder: Path) -> Found:
    asking = PipAudit(folder, timeout=30, osv_url=f"{service.url}/v1/query")
    found = set()
    for package in packages(service.world):
        _, results = asking.query(ResolvedDependency(package.name, Version(package.version)))
        names = {name for one in results for name in (one.id, *one.aliases)}
        found |= {(package.name, package.version, name) for name in names & service.world.records.keys()}
    return found


def told(world: World, audited: Audit) -> Found:
    of_path = {f"environment:{package.name}-{package.version}": package for package in packages(world)}
    return {
        (of_path[finding.path].name, of_path[finding.path].version, name)
        for finding in audited.findings
        for name in {finding.details["identifier"], *finding.details["aliases"]} & world.records.keys()
    }


def truth(world: World) -> Found:
    return {
        (name, version, identifier)
        for (name, version), held in world.truth.items()
        for identifier in held
        if "withdrawn" not in world.records[identifier]
    }


@pytest.mark.django_db
def test_mop_agrees_with_pip_audit_on_hundreds_of_package_versions(service: Osv, tmp_path: Path, settings):
    settings.MOP_ADVISORIES = "imported"
    audited: list[int] = []
    vulnerable: list[int] = []

    @agreeing
    @given(seeds)
    def agree(seed: int) -> None:
        world = service.world = make_world(seed, repositories=False)  # pip-audit 2.10 ends in a KeyError over them
        service.page = seed % 3
        expected = by_pip_audit(service, tmp_path / "cache")
        assert expected == truth(world)  # else the service of this test tells nonsense
        answers = OsvService(service.url).ask(packages(world))
        assert answers.unanswered == {}
        online = audit_packages(packages(world), advisories=answers.advisories, source="osv", dated=None)
        export = write_export(tmp_path / "all.zip", list(world.records.values()))
        import_advisories(actor=ACTOR, file=export, force=True)
        imported = audit(packages(world))
        assert told(world, online) == expected
        assert told(world, imported) == expected
        assert (online.not_audited, imported.not_audited) == ((), ())
        audited.append(len(packages(world)))
        vulnerable.append(len({(name, version) for name, version, _ in expected}))

    agree()
    assert sum(audited) >= 1000
    assert 0 < sum(vulnerable) < sum(audited)
