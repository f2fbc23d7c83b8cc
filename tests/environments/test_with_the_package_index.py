"""A few small builds from the configured package index: what our own little index cannot prove."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest

from environments.conftest import MakeModel, Model
from mop.environments import Interpreter
from mop.errors import EnvironmentBuildError, RequirementsFileError

pytestmark = pytest.mark.index


def on_the_index(model: Model) -> Model:
    certificates = os.environ.get("SSL_CERT_FILE")
    model.config = replace(
        model.config, index_url=os.environ.get("UV_DEFAULT_INDEX"), index_retries=3, build_seconds=120
    )
    if certificates:
        model.config = replace(model.config, certificates=model.config.root.parent.joinpath(certificates))
    return model


def needs_python(minor: str, interpreters: tuple[Interpreter, ...]) -> None:
    if not any(one.version.startswith(f"{minor}.") for one in interpreters):
        pytest.skip(f"this host has no Python {minor}")


async def test_python_3_10_as_written_with_the_pip_of_the_settings(
    make_model: MakeModel, interpreters: tuple[Interpreter, ...]
) -> None:
    needs_python("3.10", interpreters)
    environment = await on_the_index(make_model("six==1.16.0", python="3.10", pip="22.3.1")).build()
    assert environment.python_version.startswith("3.10.")
    assert environment.packages == ("mop-utils==3.0.0", "pip==22.3.1", "six==1.16.0")
    told = subprocess.run(  # noqa: ASYNC221 - a pip that prints its version
        [environment.path / "bin" / "pip", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert told.startswith("pip 22.3.1 from ")


async def test_a_package_that_nobody_published_names_its_line(make_model: MakeModel) -> None:
    model = on_the_index(make_model("six==1.16.0\nmop-test-package-that-nobody-published"))
    with pytest.raises(RequirementsFileError) as caught:
        await model.build()
    assert caught.value.place == "src/requirements.txt:2"


async def test_an_old_numpy_on_a_new_python_says_that_it_has_no_wheel(
    make_model: MakeModel, interpreters: tuple[Interpreter, ...]
) -> None:
    needs_python("3.12", interpreters)
    with pytest.raises(EnvironmentBuildError, match=r"numpy 1\.19\.0 has no wheel for Python 3\.12") as caught:
        await on_the_index(make_model("numpy==1.19.0", python="3.12")).build()
    assert caught.value.place == "src/requirements.txt:1"


@pytest.mark.slow
async def test_the_public_mop_utils_2_0_installs(make_model: MakeModel, interpreters: tuple[Interpreter, ...]) -> None:
    needs_python("3.10", interpreters)
    environment = await on_the_index(make_model("mop-utils==2.0", python="3.10", pip="22.3.1")).build()
    assert "mop-utils==2.0" in environment.packages
