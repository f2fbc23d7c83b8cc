"""The bill of materials: valid CycloneDX, whole, and the same bytes for the same content."""

from __future__ import annotations

import json
import random
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from packageurl import PackageURL

from mop.environments.installed import Installed, read_installed
from mop.scanning.sbom import Subject, make_sbom, package_url

MODEL = Subject("hate-text", "v1.2.0", "ab" * 32)


def installed(name: str, version: str = "1.0", *requires: str) -> Installed:
    return Installed(name, version, frozenset(requires))


@pytest.fixture(scope="module")
def schema() -> Any:
    """The schema of CycloneDX 1.6, as its Python library brings it."""
    folder = resources.files("cyclonedx.schema").joinpath("_res")
    names = ("bom-1.6", "spdx", "jsf-0.82")
    bill, *others = (json.loads(folder.joinpath(f"{name}.SNAPSHOT.schema.json").read_text()) for name in names)
    # the way in which the first names the others
    addresses = [f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json" for name in names[1:]]
    registry = jsonschema_rs.Registry(list(zip(addresses, others, strict=True)))
    return jsonschema_rs.validator_for(bill, registry=registry, validate_formats=True)


def dependencies(bill: bytes) -> dict[str, list[str]]:
    return {one["ref"]: one["dependsOn"] for one in json.loads(bill)["dependencies"]}


def test_a_bill_is_valid_and_names_model_packages_and_who_asks_for_whom(schema: Any):
    bill = make_sbom(
        MODEL,
        [installed("torch", "2.1.0+cu118", "numpy", "sympy"), installed("numpy", "1.26.4"), installed("pip", "24.0")],
    )
    schema.validate(json.loads(bill))
    read = json.loads(bill)
    assert (read["specVersion"], read["metadata"]["component"]["name"]) == ("1.6", "hate-text")
    assert read["metadata"]["component"]["properties"] == [
        {"name": "mop:artifact-digest", "value": f"sha256:{'ab' * 32}"}
    ]
    torch = "pkg:pypi/torch@2.1.0%2Bcu118"
    assert [(one["name"], one["version"], one["purl"]) for one in read["components"]] == [
        ("numpy", "1.26.4", "pkg:pypi/numpy@1.26.4"),
        ("pip", "24.0", "pkg:pypi/pip@24.0"),
        ("torch", "2.1.0+cu118", torch),
    ]
    assert dependencies(bill) == {
        "mop:hate-text@v1.2.0": ["pkg:pypi/pip@24.0", torch],
        "pkg:pypi/numpy@1.26.4": [],
        "pkg:pypi/pip@24.0": [],
        torch: ["pkg:pypi/numpy@1.26.4"],
    }


def test_equal_content_gives_equal_bytes_in_whatever_order_it_comes():
    packages = [installed(f"p{number}", "1.0", *(f"p{one}" for one in range(number))) for number in range(30)]
    bill = make_sbom(MODEL, packages)
    shuffled = packages * 2
    random.Random(1).shuffle(shuffled)  # noqa: S311 - any other order
    assert make_sbom(MODEL, shuffled) == bill
    other = make_sbom(MODEL, packages[1:])
    assert json.loads(other)["serialNumber"] != json.loads(bill)["serialNumber"]
    assert json.loads(make_sbom(Subject("hate-text", "v1.2.1", "ab" * 32), packages))["serialNumber"] not in {
        json.loads(bill)["serialNumber"],
        json.loads(other)["serialNumber"],
    }


def test_every_package_is_reached_from_the_model_also_through_circles():
    packages = [installed("a", "1", "b"), installed("b", "1", "a"), installed("c", "1", "c"), installed("d", "1", "c")]
    below = dependencies(make_sbom(MODEL, packages))
    reached, waiting = set[str](), ["mop:hate-text@v1.2.0"]
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached.add(one)
            waiting += below[one]
    assert reached == set(below)


@pytest.mark.parametrize("name", ["\x1b[1m", "a b/../c", "ünïcode", "\ud800", "x" * 5000, "@%2F?#"])
def test_what_strangers_call_themselves_leaves_the_bill_valid(name: str, schema: Any):
    bill = make_sbom(Subject(name.encode("utf-8", "replace").decode(), name, "0" * 64), [installed(name, name, name)])
    schema.validate(json.loads(bill))
    assert len(bill) < 20_000


def test_an_environment_without_packages_has_a_bill(schema: Any):
    schema.validate(json.loads(make_sbom(MODEL, [])))


def test_package_urls_are_those_of_the_reference_library():
    for version in ("1.0", "1!2.0", "2.1.0+cu118", "1.0.post1.dev3"):
        assert (
            package_url(installed("zope-interface", version))
            == PackageURL("pypi", None, "zope-interface", version).to_string()
        )


def test_the_bill_of_a_real_environment_is_valid(schema: Any):
    """That of these tests, as it is read from its files."""
    here = Path(pytest.__file__).parents[4]
    packages = read_installed(here)
    bill = make_sbom(MODEL, packages)
    schema.validate(json.loads(bill))
    assert {one["name"] for one in json.loads(bill)["components"]} == {one.name for one in packages}
    below = dependencies(bill)
    (django,) = (reference for reference in below if reference.startswith("pkg:pypi/django@"))
    assert any(reference.startswith("pkg:pypi/sqlparse@") for reference in below[django])
