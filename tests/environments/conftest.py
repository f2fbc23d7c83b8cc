from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from uv import find_uv_bin

from environments.packages import PackageIndex, pip_wheel, wheel
from mop.environments import (
    BuildCommand,
    Environment,
    EnvironmentConfig,
    Interpreter,
    build_mop_utils_wheel,
    ensure_environment,
    find_interpreters,
    no_cage,
)

PYTHON = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture(scope="session")
def interpreters() -> tuple[Interpreter, ...]:
    folders = [Path(sys.base_prefix), Path("/usr/bin"), Path("/usr/local/bin"), Path.home() / ".pyenv" / "versions"]
    return tuple(find_interpreters(folders))


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    index = PackageIndex()
    index.add(pip_wheel(), wheel("tiny", "1.0"), wheel("tiny", "2.0"))
    yield index
    index.close()


@pytest.fixture
def config(tmp_path: Path, index: PackageIndex, interpreters: tuple[Interpreter, ...]) -> EnvironmentConfig:
    build_mop_utils_wheel(tmp_path / "sdk")
    return EnvironmentConfig(
        root=tmp_path / "root",
        uv=Path(find_uv_bin()),
        interpreters=interpreters,
        mop_utils_wheels=tmp_path / "sdk",
        index_url=index.url,
        build_seconds=60,
        index_retries=0,
    )


@dataclass
class Model:
    """A model's src and privatepkgs, and the builds made of it."""

    folder: Path
    config: EnvironmentConfig
    log: list[str] = field(default_factory=list)
    steps: list[BuildCommand] = field(default_factory=list)

    @property
    def src(self) -> Path:
        return self.folder / "src"

    @property
    def wheels(self) -> Path:
        return self.folder / "privatepkgs"

    def cage(self, command: BuildCommand) -> list[str]:
        self.steps.append(command)
        return no_cage(command)

    async def build(self, **changes: object) -> Environment:
        return await ensure_environment(
            self.src,
            self.wheels,
            config=replace(self.config, **changes),
            cage=self.cage,
            prepare_writable=lambda _path: None,
            log=self.log.append,
        )


MakeModel = Callable[..., Model]


@pytest.fixture
def make_model(tmp_path: Path, config: EnvironmentConfig) -> MakeModel:
    count = iter(range(100))

    def make(requirements: str = "tiny==1.0\nmop-utils>=2.0\n", *, python: str = PYTHON, pip: str = "24.0") -> Model:
        model = Model(tmp_path / f"model{next(count)}", config)
        model.src.mkdir(parents=True)
        (model.src / "settings.yml").write_text(f"env:\n  python: {python}\n  pip: {pip}\n", encoding="utf-8")
        (model.src / "requirements.txt").write_text(requirements, encoding="utf-8")
        return model

    return make
