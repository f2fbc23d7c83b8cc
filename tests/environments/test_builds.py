from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import pytest

from environments.conftest import MakeModel, Model
from environments.packages import PackageIndex, pip_wheel, sdist, wheel, write
from mop.errors import (
    EnvironmentBuildError,
    PackageIndexUnavailableError,
    PlatformCredentialError,
    RequirementsFileError,
)


def run(python: Path, code: str) -> str:
    return output([str(python), "-I", "-c", code])


def output(argv: list[str]) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def compiled(environment: Path) -> list[Path]:
    return list(environment.glob("lib/python3.*/site-packages/*/__pycache__/*.pyc"))


def writable_for_others(environment: Path) -> list[Path]:
    return [path for path in environment.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]


def processes_below(folder: Path) -> dict[int, str]:
    """Command lines of the live processes that work below a folder, by their ids."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


async def test_an_environment_holds_pip_requirements_and_our_mop_utils(make_model: MakeModel) -> None:
    environment = await make_model("tiny==1.0\r\n", pip="24.0").build()
    assert environment.packages == ("mop-utils==3.0.0", "pip==24.0", "tiny==1.0")
    assert environment.pip_version == "24.0"
    assert not environment.reused
    assert run(environment.python, "import tiny; print(tiny.version)") == "1.0"
    assert run(environment.python, "import sys; print('%d.%d.%d' % sys.version_info[:3])") == environment.python_version
    assert any("MOP's own 3.0.0 is installed" in note for note in environment.notes)


async def test_the_same_content_is_reused_whatever_the_order_of_its_lines(
    make_model: MakeModel, index: PackageIndex
) -> None:
    first = await make_model("tiny==1.0\nmop-utils>=2.0  # ours\n").build()
    index.status = HTTPStatus.SERVICE_UNAVAILABLE
    second = await make_model("# a comment\nmop_utils >= 2.0\nTiny == 1.0\n").build()
    assert second.reused
    assert second.key == first.key
    assert second.packages == first.packages


async def test_what_is_installed_is_compiled_and_not_writable_for_others(make_model: MakeModel) -> None:
    environment = await make_model().build()
    cached = run(environment.python, "import tiny; print(tiny.__cached__)")
    assert cached in {str(path) for path in compiled(environment.path)}
    assert writable_for_others(environment.path) == []


async def test_builds_of_one_key_at_once_build_once(make_model: MakeModel) -> None:
    models = [make_model() for _ in range(3)]
    environments = await asyncio.gather(*(model.build() for model in models))
    assert sorted(one.reused for one in environments) == [False, True, True]
    assert sum("waits for another build of the same environment" in model.log for model in models) == 2


async def test_a_scripts_package_works_after_the_environment_moved_to_its_place(
    make_model: MakeModel, index: PackageIndex
) -> None:
    index.add(
        wheel(
            "hello",
            "1.0",
            files={
                "hello.py": "def main(): print('hello')\n",
                "hello-1.0.dist-info/entry_points.txt": "[console_scripts]\nhello = hello:main\n",
            },
        )
    )
    environment = await make_model("hello").build()
    assert output([str(environment.path / "bin" / "hello")]) == "hello"


# mop-utils -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["mop-utils", "mop-utils>=2.0", "mop_utils~=3.0", ""])
async def test_mop_utils_is_ours_where_the_requirements_allow_it(
    make_model: MakeModel, index: PackageIndex, line: str
) -> None:
    index.add(wheel("mop-utils", "2.0"), wheel("mop-utils", "3.9"))
    assert "mop-utils==3.0.0" in (await make_model(line).build()).packages


async def test_a_pinned_public_mop_utils_gets_that_release(make_model: MakeModel, index: PackageIndex) -> None:
    index.add(wheel("mop-utils", "2.0", requires=("tiny<2",)))
    environment = await make_model("mop-utils==2.0").build()
    assert environment.packages == ("mop-utils==2.0", "pip==24.0", "tiny==1.0")
    assert any("public release" in note for note in environment.notes)


# private wheels --------------------------------------------------------------------------------------------


async def test_a_private_wheel_is_installed_with_what_it_requires(make_model: MakeModel) -> None:
    model = make_model("")
    write(model.wheels, wheel("secret-sauce", "0.1", requires=("tiny>=2",)))
    environment = await model.build()
    assert {"secret-sauce==0.1", "tiny==2.0"} <= set(environment.packages)
    assert not any("public package" in note for note in environment.notes)


async def test_a_private_wheel_with_a_public_name_wins_and_warns(make_model: MakeModel, index: PackageIndex) -> None:
    index.add(wheel("needy", "1.0", requires=("tiny",)))
    model = make_model("needy")
    write(model.wheels, wheel("tiny", "1.5"))
    environment = await model.build()
    assert "tiny==1.5" in environment.packages
    assert any(
        "privatepkgs/tiny-1.5-py3-none-any.whl takes the place of the public package tiny, which needy asks for" in note
        for note in environment.notes
    )


async def test_start_up_hooks_run_only_in_the_last_step_which_can_write_nothing_shared(
    make_model: MakeModel, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    hook = f"import os; open({str(seen)!r}, 'a').write(os.environ.get('UV_CACHE_DIR', 'no cache') + '\\n')\n"
    model = make_model("tiny")
    write(model.wheels, wheel("hooky", "1.0", files={"hooky.pth": hook, "hooky.py": ""}))
    environment = await model.build()
    assert set(seen.read_text().splitlines()) == {"no cache"}
    assert model.steps[-1].argv[1:] == ("-I", "-m", "pip", "--version")
    assert model.steps[-1].writable == (model.config.root / "builds" / environment.key,)
    assert any("hooky.pth" in note for note in environment.notes)


# from source -----------------------------------------------------------------------------------------------


async def test_a_package_without_a_wheel_is_built_apart_from_the_shared_cache(
    make_model: MakeModel, index: PackageIndex
) -> None:
    index.add(sdist("sourced", "1.0"))
    model = make_model("sourced\ntiny==1.0")
    environment = await model.build()
    assert "sourced==1.0" in environment.packages
    assert run(environment.python, "import sourced; print(sourced.built)") == "True"
    sources = [step for step in model.steps if "install" in step.argv and "--no-build" not in step.argv]
    assert [step.writable for step in sources] == [(model.config.root / "builds" / environment.key,)]
    assert not (model.config.root / "builds" / environment.key).exists()


async def test_a_failing_build_script_is_quoted_with_the_line_and_without_paths_of_the_host(
    make_model: MakeModel, index: PackageIndex
) -> None:
    index.add(sdist("broken", "1.0", prelude="raise RuntimeError('no compiler for you')"))
    model = make_model("tiny\nbroken==1.0")
    with pytest.raises(EnvironmentBuildError, match="no compiler for you") as caught:
        await model.build()
    assert "broken 1.0 has no wheel" in caught.value.message
    assert caught.value.place == "src/requirements.txt:2"
    assert str(model.config.root) not in caught.value.message


async def test_a_build_script_that_replaces_python_is_refused(make_model: MakeModel, index: PackageIndex) -> None:
    prelude = """
python = os.path.join(os.path.dirname(os.environ["UV_CACHE_DIR"]), "build", "venv", "bin", "python")
os.path.islink(python) and os.unlink(python)
os.symlink("/bin/true", python)
"""
    index.add(sdist("nasty", "1.0", prelude=prelude))
    with pytest.raises(EnvironmentBuildError, match="replaced the environment's own bin/python"):
        await make_model("nasty").build()


async def test_a_script_named_python_in_a_wheel_is_refused(make_model: MakeModel) -> None:
    model = make_model("tiny")
    write(
        model.wheels,
        wheel("imposter", "1.0", files={"imposter.py": "", "imposter-1.0.data/scripts/python": "#!/bin/sh\nexit 0\n"}),
    )
    with pytest.raises(EnvironmentBuildError, match="reserved name `python`") as caught:
        await model.build()
    assert str(model.folder) not in caught.value.message


# failures --------------------------------------------------------------------------------------------------


async def test_an_unknown_package_names_its_line(make_model: MakeModel) -> None:
    with pytest.raises(RequirementsFileError, match="no package nowhere-to-be-found") as caught:
        await make_model("tiny\n\nNowhere_To.be-found>=1\n").build()
    assert caught.value.place == "src/requirements.txt:3"


async def test_an_unknown_package_that_another_needs_names_both(make_model: MakeModel, index: PackageIndex) -> None:
    index.add(wheel("needy", "1.0", requires=("not-there",)))
    with pytest.raises(EnvironmentBuildError, match=r"not-there was not found.*needy"):
        await make_model("needy").build()


async def test_an_impossible_version_carries_the_resolvers_cause(make_model: MakeModel) -> None:
    with pytest.raises(EnvironmentBuildError, match=r"no version of tiny==9\.9") as caught:
        await make_model("# first\ntiny==9.9").build()
    assert caught.value.place == "src/requirements.txt:2"
    assert "tiny==9.9 does not exist" in caught.value.hint


async def test_requirements_that_contradict_each_other_say_which(make_model: MakeModel, index: PackageIndex) -> None:
    index.add(wheel("needy", "1.0", requires=("tiny>=2",)))
    with pytest.raises(EnvironmentBuildError, match=r"needy depend on tiny>=2 .* you require tiny<2"):
        await make_model("needy==1.0\ntiny<2").build()


async def test_a_wheel_for_no_python_of_ours_is_explained(make_model: MakeModel, index: PackageIndex) -> None:
    index.add(wheel("ancient", "1.0", tag="cp36-cp36m-manylinux1_x86_64"))
    with pytest.raises(EnvironmentBuildError) as caught:
        await make_model("ancient==1.0").build()
    assert "ancient==1.0" in caught.value.message


async def test_a_pip_that_can_not_run_on_this_python_says_so(make_model: MakeModel, index: PackageIndex) -> None:
    index.add(pip_wheel("9.0.1", main="import distutils_of_old_times"))
    with pytest.raises(EnvironmentBuildError, match=r"pip 9\.0\.1 does not run on Python") as caught:
        await make_model(pip="9.0.1").build()
    assert caught.value.place == "src/settings.yml"


async def test_a_pip_that_does_not_exist_points_to_the_settings(make_model: MakeModel) -> None:
    with pytest.raises(EnvironmentBuildError, match=r"pip==99\.0") as caught:
        await make_model(pip="99.0").build()
    assert caught.value.place == "src/settings.yml"


async def test_an_index_that_refuses_connections_is_not_the_models_fault(make_model: MakeModel) -> None:
    with pytest.raises(PackageIndexUnavailableError, match="refused"):
        await make_model().build(index_url="http://127.0.0.1:9/simple")


async def test_an_index_that_answers_503_is_not_the_models_fault(make_model: MakeModel, index: PackageIndex) -> None:
    index.status = HTTPStatus.SERVICE_UNAVAILABLE
    with pytest.raises(PackageIndexUnavailableError):
        await make_model().build()


async def test_an_index_that_refuses_our_credentials_is_the_platforms_fault_and_keeps_them_secret(
    make_model: MakeModel, index: PackageIndex
) -> None:
    index.status = HTTPStatus.UNAUTHORIZED
    model = make_model()
    with pytest.raises(PlatformCredentialError) as caught:
        await model.build(index_url=index.url.replace("//", "//user:hunter2@"))
    assert "hunter2" not in caught.value.message
    assert "hunter2" not in "\n".join(model.log)
    assert all("hunter2" not in " ".join(step.argv) for step in model.steps)


async def test_a_build_past_its_deadline_ends_with_its_processes(make_model: MakeModel, index: PackageIndex) -> None:
    index.gate.clear()
    model = make_model()
    with pytest.raises(EnvironmentBuildError, match="not built within"):
        await model.build(build_seconds=1.5)
    assert processes_below(model.config.root) == {}


# cancelled, killed, damaged --------------------------------------------------------------------------------


async def test_a_cancelled_build_leaves_no_process_and_the_next_one_works(
    make_model: MakeModel, index: PackageIndex
) -> None:
    index.gate.clear()
    model = make_model()
    task = asyncio.create_task(model.build())
    await asyncio.to_thread(index.waiting.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert processes_below(model.config.root) == {}
    index.gate.set()
    assert not (await model.build()).reused


BUILD_IN_A_PROCESS = """
import asyncio, json, sys
from pathlib import Path
from mop.environments import EnvironmentConfig, Interpreter, ensure_environment, no_cage
given = json.loads(sys.argv[1])
config = EnvironmentConfig(
    root=Path(given["root"]), uv=Path(given["uv"]), mop_utils_wheels=Path(given["sdk"]), index_url=given["index"],
    interpreters=tuple(Interpreter(version, Path(path)) for version, path in given["interpreters"]),
)
try:
    made = asyncio.run(ensure_environment(
        Path(given["src"]), None, config=config, cage=no_cage, prepare_writable=lambda path: None, log=lambda line: None
    ))
    print(json.dumps({"reused": made.reused}))
except Exception as error:
    print(type(error).__name__)
"""


def build_argv(model: Model) -> list[str]:
    config = model.config
    given = {
        "root": str(config.root),
        "uv": str(config.uv),
        "sdk": str(config.mop_utils_wheels),
        "index": config.index_url,
        "interpreters": [(one.version, str(one.path)) for one in config.interpreters],
        "src": str(model.src),
    }
    return [sys.executable, "-c", BUILD_IN_A_PROCESS, json.dumps(given)]


@pytest.mark.chaos
async def test_a_killed_build_is_built_again(make_model: MakeModel, index: PackageIndex) -> None:
    index.gate.clear()
    model = make_model()
    builder = await asyncio.create_subprocess_exec(*build_argv(model))
    assert await asyncio.to_thread(index.waiting.wait, 30)
    builder.send_signal(signal.SIGKILL)
    await builder.wait()
    for pid in processes_below(model.config.root):  # of what is left some would see within a second that it is alone
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    assert processes_below(model.config.root)
    index.waiting.clear()
    rebuild = asyncio.create_task(model.build())
    assert await asyncio.to_thread(index.waiting.wait, 30)
    index.gate.set()
    environment = await rebuild
    assert not environment.reused
    assert "ends what a killed build of this environment left running" in model.log
    assert run(environment.python, "import tiny; print(tiny.version)") == "1.0"
    assert processes_below(model.config.root) == {}


@pytest.mark.chaos
async def test_what_a_killed_build_left_is_removed_by_the_next_build_of_any_key(
    make_model: MakeModel, index: PackageIndex
) -> None:
    index.gate.clear()
    model = make_model()
    builder = await asyncio.create_subprocess_exec(*build_argv(model))
    assert await asyncio.to_thread(index.waiting.wait, 30)
    builder.send_signal(signal.SIGKILL)
    await builder.wait()
    left = leftovers(model.config.root)
    assert left
    index.gate.set()
    await model.build()
    await make_model("tiny==2.0").build()
    assert leftovers(model.config.root) == []


def leftovers(root: Path) -> list[Path]:
    return [*root.glob("builds/*"), *root.glob("cache-*/building/*")]


async def test_a_full_disk_is_the_platforms_fault(make_model: MakeModel, index: PackageIndex) -> None:
    index.add(wheel("large", "1.0", files={f"large/part{number}.txt": "x" * 1_000_000 for number in range(4)}))
    model = make_model("large")
    model.config.root.mkdir()
    mount = 'mount -t tmpfs -o size=2m none "$0" && exec "$@"'
    argv = ["unshare", "--mount", "sh", "-c", mount, str(model.config.root), *build_argv(model)]
    if subprocess.run([*argv[:6], "true"], check=False, capture_output=True).returncode:  # noqa: ASYNC221 - at once
        pytest.skip("this host lets nobody mount a small disk")
    builder = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.PIPE)
    told, _ = await builder.communicate()
    assert told.decode().split() == ["DiskFullError"]


async def test_a_file_with_another_hash_than_the_line_says_is_refused(make_model: MakeModel) -> None:
    with pytest.raises(EnvironmentBuildError, match="Hash mismatch") as caught:
        await make_model(f"tiny==1.0 --hash=sha256:{'0' * 64}").build()
    assert "--hash" in caught.value.hint


async def test_an_environment_without_its_marker_is_built_again(make_model: MakeModel) -> None:
    model = make_model()
    environment = await model.build()
    (environment.path.parent / "environment.json").unlink()
    (environment.path / "half").write_text("left over")
    again = await model.build()
    assert not again.reused
    assert not (again.path / "half").exists()


@pytest.mark.parametrize("damage", ["", "{", '{"key": 1}', "[]"])
async def test_a_damaged_marker_is_not_trusted(make_model: MakeModel, damage: str) -> None:
    model = make_model()
    environment = await model.build()
    (environment.path.parent / "environment.json").write_text(damage)
    assert not (await model.build()).reused


async def test_an_environment_whose_python_is_gone_is_built_again(make_model: MakeModel) -> None:
    model = make_model()
    environment = await model.build()
    environment.python.unlink()
    assert not (await model.build()).reused


async def test_folders_that_a_build_script_closed_are_removed(make_model: MakeModel, index: PackageIndex) -> None:
    index.add(sdist("closing", "1.0", prelude="os.makedirs('shut/in', exist_ok=True); os.chmod('shut', 0)"))
    environment = await make_model("closing").build()
    assert "closing==1.0" in environment.packages
    assert not (environment.path.parents[2] / "builds" / environment.key).exists()


async def test_an_extra_index_that_is_allowed_is_asked(make_model: MakeModel, index: PackageIndex) -> None:
    other = PackageIndex()
    try:
        other.add(wheel("elsewhere", "1.0"))
        model = make_model(f"--extra-index-url {other.url}\nelsewhere")
        environment = await model.build(allowed_indexes=(other.url,))
    finally:
        other.close()
    assert "elsewhere==1.0" in environment.packages


def test_hard_links_share_files_between_cache_and_environments(make_model: MakeModel) -> None:
    environment = asyncio.run(make_model().build())
    module = next(environment.path.glob("lib/python3.*/site-packages/tiny/__init__.py"))
    assert module.stat().st_nlink > 1
