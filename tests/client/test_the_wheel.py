"""mop-client installed from its wheel alone: it onboards a model, and its commands work without a server's package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from environments.packages import PackageIndex, pip_wheel
from support.factories import make_model, make_team, make_token, make_user
from support.installation import running_installation
from support.model_folders import write_model

REPOSITORY = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
GUIDE = (REPOSITORY / "docs" / "client.md").read_text(encoding="utf-8")
SCRIPTS = {found[1]: found[2] for found in re.finditer(r"```python\n# (\w+\.py).*\n((?:.*\n)*?)```", GUIDE)}

pytestmark = [pytest.mark.index, pytest.mark.xdist_group("client-wheel")]


def run(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MOP_", "PYTHON"))}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = run(UV, "build", "--wheel", "--out-dir", folder, REPOSITORY / "packages" / "mop-client", cwd=folder)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def environment(wheel: Path) -> Path:
    """A fresh environment with the wheel, its dependencies, and nothing of the checkout."""
    folder = wheel.parent / "environment"
    assert run(UV, "venv", "--python", sys.executable, folder, cwd=wheel.parent).returncode == 0
    python = folder / "bin" / "python"
    done = run(UV, "pip", "install", "--python", python, f"{wheel}[requirements]", cwd=wheel.parent)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_wheel_is_pure_and_holds_the_pipeline_s_readers(wheel: Path):
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        shipped = archive.read("mop_client/_pipeline/mop/errors.py")
    assert shipped == (REPOSITORY / "src" / "mop" / "errors.py").read_bytes()
    assert "mop_client/py.typed" in names
    assert "mop_client/templates/inference.py.txt" in names
    assert not [name for name in names if name.startswith("mop/")]


@pytest.mark.parametrize("system", ["windows", "macos", "linux"])
def test_its_dependencies_resolve_on_every_system(system: str, wheel: Path, tmp_path: Path):
    (tmp_path / "wanted.in").write_text(f"{wheel}[requirements]\n")
    done = run(
        UV, "pip", "compile", "--quiet", "--python-platform", system, "--python-version", "3.9",
        "--only-binary", ":all:", tmp_path / "wanted.in", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_scripts_of_the_guide_are_typed(environment: Path, tmp_path: Path):
    assert set(SCRIPTS) == {"onboard.py", "public.py", "careful.py", "scores.py", "broken.py", "pull.py"}
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    python = environment / "bin" / "python"
    done = run(
        sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "--cache-dir", tmp_path / "cache",
        *sorted(SCRIPTS), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.sandbox
def test_it_creates_watches_and_publishes_a_model(environment: Path, tmp_path: Path):
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    python = environment / "bin" / "python"
    assert run(python, "-c", "import mop.cli", cwd=tmp_path).returncode != 0
    index = PackageIndex()
    index.add(pip_wheel())
    try:
        with running_installation(package_index=index.url, advisories="imported") as mop:
            mop.start_worker()
            folder = write_model(mop.folders / "published")
            wrapper = folder / "src" / "inference.py"  # the script names no taxonomy: the task has it
            wrapper.write_text(wrapper.read_text(encoding="utf-8").replace('"bad words"', '"Hate"'), encoding="utf-8")
            token = str(mop.api.headers["Authorization"]).removeprefix("Bearer ")
            signed_in = {"MOP_URL": f"http://127.0.0.1:{mop.port}", "MOP_TOKEN": token}
            done = run(python, "onboard.py", folder.as_uri(), "bad words", cwd=tmp_path, **signed_in)
            assert done.returncode == 0, done.stdout + done.stderr
            lines = done.stdout.splitlines()
            statuses = [line.split()[2] for line in lines[:-1]]
            assert (statuses[0], statuses[-1], lines[-1]) == ("created", "verified", "is public")
            assert len(statuses) == len(set(statuses))
            scores = run(python, "scores.py", *lines[0].split()[:2], cwd=tmp_path, **signed_in)
            assert (scores.returncode, scores.stdout) == (0, ""), scores.stderr  # no dataset is approved
            listed = run(python, "public.py", cwd=tmp_path, **signed_in)
            assert lines[0].split()[0] in listed.stdout
            missing = run(python, "careful.py", "no-such-model", cwd=tmp_path, **signed_in)
            assert "there is no such model" in missing.stdout
    finally:
        index.close()


def oldest_python() -> str:
    """The oldest Python that the client promises, where this machine has it."""
    versions = sorted((Path.home() / ".pyenv" / "versions").glob("3.9.*/bin/python"))
    return str(versions[0]) if versions else shutil.which("python3.9") or sys.executable


@pytest.fixture(scope="session")
def oldest(wheel: Path) -> Path:
    """An environment of the oldest Python with the wheel alone."""
    folder = wheel.parent / "oldest"
    assert run(UV, "venv", "--python", oldest_python(), folder, cwd=wheel.parent).returncode == 0
    installed = run(UV, "pip", "install", "--python", folder, f"{wheel}[requirements]", cwd=wheel.parent)
    assert installed.returncode == 0, installed.stderr
    return folder / "bin" / "mop"


def test_its_commands_work_without_a_server_s_package_on_the_oldest_python(oldest: Path, tmp_path: Path):
    made = run(oldest, "init", "folder", "--python", "3.11", "--json", cwd=tmp_path)
    assert json.loads(made.stdout)["files"], made.stderr
    (tmp_path / "folder" / "src" / "requirements.txt").write_text("mop-utils>=3.0\npackaging==25.0\n")
    found = run(oldest, "requirements", "folder", "--json", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["packages"] == ["packaging==25.0"]
    # every command with all its options, as that Python reads them
    read = "from mop_client.commands import command_tree; print(*command_tree().commands)"
    every = run(oldest.with_name("python"), "-c", read, cwd=tmp_path)
    assert {"dataset", "evaluation", "gate", "service", "dsat"} <= {*every.stdout.split()}, every.stderr


@pytest.mark.second_tier
def test_its_commands_talk_to_a_server_without_a_server_s_package_on_the_oldest_python(
    oldest: Path, tmp_path: Path, live_server: LiveServer, engine_database: str
):
    user = make_user("ada", teams=(make_team("Search"),))
    make_model("toxicity", owner=user, team=user.teams.get(name="Search"))
    signed_in = {"MOP_URL": live_server.url, "MOP_TOKEN": make_token(user), "XDG_CONFIG_HOME": str(tmp_path)}
    listed = run(oldest, "model", "list", "--json", cwd=tmp_path, **signed_in)
    assert (listed.returncode, [one["name"] for one in json.loads(listed.stdout)]) == (0, ["toxicity"]), listed.stderr
    shown = run(oldest, "model", "show", "toxicity", cwd=tmp_path, **signed_in)
    assert (shown.returncode, "team Search, owners ada" in shown.stdout) == (3, True), shown.stderr
    missing = run(oldest, "model", "show", "toxicty", cwd=tmp_path, **signed_in)
    assert missing.returncode == 64
    assert "NotFoundError" in missing.stderr
    assert "Did you mean toxicity?" in missing.stderr
    assert "Search" in run(oldest, "team", "show", "Search", cwd=tmp_path, **signed_in).stdout
    refused = run(oldest, "user", "list", cwd=tmp_path, **signed_in)
    assert (refused.returncode, "NotAllowedError" in refused.stderr) == (64, True)
    helps = run(oldest, "model", "create", "--help", cwd=tmp_path).stdout
    assert "--workers" in helps
    assert "_MOP_COMPLETE" in run(oldest, "completion", "bash", cwd=tmp_path).stdout
