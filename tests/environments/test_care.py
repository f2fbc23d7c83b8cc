from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from environments.conftest import MakeModel, Model
from environments.packages import PackageIndex
from environments.test_builds import build_argv, processes_below, run
from mop.environments import Environment
from mop.environments.locks import free_key
from mop.environments.removal import (
    bytes_freed,
    clean_command,
    environment_in_use,
    leftover_folders,
    leftovers,
    remove_environment,
    remove_leftover,
    standing_caches,
    standing_environments,
)
from support.waiting import wait_for

LONG_AGO = time.time() - 10 * 24 * 3600
ALWAYS = float("inf")  # as if nothing was used since


def age(environment: Environment) -> None:
    """As if it was last used long ago."""
    os.utime(environment.path.parent / "environment.json", (LONG_AGO, LONG_AGO))


def site(environment: Environment) -> Path:
    return next(environment.path.glob("lib/python3.*/site-packages"))


# Broken environments ---------------------------------------------------------------------------------------


def remove_a_file(environment: Environment) -> str:
    (site(environment) / "tiny" / "__init__.py").unlink()
    return "1 missing (lib/"


def remove_a_package(environment: Environment) -> str:
    shutil.rmtree(site(environment) / "tiny")
    return "1 missing (lib/"


def cut_a_file(environment: Environment) -> str:
    (site(environment) / "tiny" / "__init__.py").write_text("")
    return "1 changed (lib/"


def change_a_file_of_the_same_size(environment: Environment) -> str:
    path = site(environment) / "tiny" / "__init__.py"
    path.write_bytes(path.read_bytes().swapcase())
    return "1 changed (lib/"


def add_a_file(environment: Environment) -> str:
    (site(environment) / "sitecustomize.py").write_text("")
    return "1 new (lib/"


def damage_the_list(environment: Environment) -> str:
    (environment.path.parent / "files.txt").write_text("")
    return cut_a_file(environment) and "its own list of them is damaged too"


def point_to_a_gone_interpreter(environment: Environment) -> str:
    environment.python.unlink()
    environment.python.symlink_to("/nowhere/python3")
    return "interpreter"


def point_to_another_interpreter(environment: Environment) -> str:
    environment.python.unlink()
    environment.python.symlink_to("/bin/true")
    return "its interpreter is "


def damage_the_marker(environment: Environment) -> str:
    (environment.path.parent / "environment.json").write_text("{}")
    return "environment.json is missing or cannot be read"


@pytest.mark.parametrize(
    "damage",
    [
        remove_a_file,
        remove_a_package,
        cut_a_file,
        change_a_file_of_the_same_size,
        add_a_file,
        damage_the_list,
        point_to_a_gone_interpreter,
        point_to_another_interpreter,
        damage_the_marker,
    ],
)
async def test_a_broken_environment_is_built_again_and_the_log_says_what_was_wrong(
    make_model: MakeModel, damage: object
) -> None:
    model = make_model()
    environment = await model.build()
    told = damage(environment)  # type: ignore[operator]
    age(environment)
    again = await model.build()
    assert not again.reused
    assert any("is not whole and is built again" in line and told in line for line in model.log), model.log
    assert (site(again) / "tiny" / "__init__.py").read_text() == "version = '1.0'\n"
    assert (await model.build()).reused


async def test_missing_bytecode_is_no_damage(make_model: MakeModel) -> None:
    model = make_model()
    environment = await model.build()
    shutil.rmtree(site(environment) / "tiny" / "__pycache__")
    age(environment)
    assert (await model.build()).reused


async def test_a_whole_environment_is_used_and_counts_as_used_now(make_model: MakeModel) -> None:
    model = make_model()
    age(await model.build())
    began = time.time()
    assert (await model.build()).reused
    [standing] = standing_environments(model.config.root)
    assert standing.last_used >= began - 1


async def test_who_runs_in_a_broken_environment_keeps_its_files_while_it_is_built_again(make_model: MakeModel) -> None:
    model = make_model()
    environment = await model.build()
    age(environment)
    with environment_in_use(environment):
        held = os.open(environment.path, os.O_PATH)  # as a mount of the cage does
        (site(environment) / "tiny" / "__init__.py").unlink()
        age(environment)
        assert not (await model.build()).reused
        assert (Path("/proc/self/fd") / str(held) / "bin" / "python").exists()
        [left] = leftover_folders(model.config.root)
        assert leftovers(model.config.root) == []  # it is in use
        assert not remove_leftover(model.config.root, left)
    os.close(held)
    assert [one.folder for one in leftovers(model.config.root)] == [left]
    assert remove_leftover(model.config.root, left)
    assert leftovers(model.config.root) == []


# Two builds of one key -------------------------------------------------------------------------------------


async def start_build(model: Model) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(*build_argv(model), stdout=subprocess.PIPE)


async def test_processes_that_ask_for_one_content_at_once_build_it_once(
    make_model: MakeModel, index: PackageIndex
) -> None:
    index.gate.clear()
    models = [make_model() for _ in range(3)]
    builders = [await start_build(model) for model in models]
    assert await asyncio.to_thread(index.waiting.wait, 30)
    ours = asyncio.create_task(models[0].build())
    await asyncio.to_thread(
        lambda: wait_for(lambda: models[0].log[-1:] == [WAITS], seconds=30, what="it says that it waits")
    )
    index.gate.set()
    told = [(await builder.communicate())[0].decode() for builder in builders]
    assert (await ours).reused
    assert sorted(json.loads(line)["reused"] for line in told) == [False, True, True]


async def test_who_waits_for_a_builder_that_is_killed_takes_over(make_model: MakeModel, index: PackageIndex) -> None:
    index.gate.clear()
    model = make_model()
    builder = await start_build(model)
    assert await asyncio.to_thread(index.waiting.wait, 30)
    waiting = asyncio.create_task(model.build())
    await asyncio.to_thread(lambda: wait_for(lambda: WAITS in model.log, seconds=30, what="it says that it waits"))
    assert standing_environments(model.config.root) == []
    builder.send_signal(signal.SIGKILL)
    await builder.wait()
    index.gate.set()
    environment = await waiting
    assert not environment.reused
    assert processes_below(model.config.root) == {}


WAITS = "waits for another build of the same environment"


# Removal ---------------------------------------------------------------------------------------------------


async def test_an_environment_that_nobody_used_since_is_removed_with_all_its_parts(make_model: MakeModel) -> None:
    model = make_model()
    environment = await model.build()
    age(environment)
    root = model.config.root
    assert remove_environment(root, environment.key, unused_since=time.time() - 3600)
    assert [*root.glob("envs/*"), *root.glob("locks/*"), *root.glob("trash/*")] == []
    assert not (await model.build()).reused


async def test_an_environment_used_a_moment_ago_stays(make_model: MakeModel) -> None:
    model = make_model()
    environment = await model.build()
    assert not remove_environment(model.config.root, environment.key, unused_since=time.time() - 3600)
    assert (await model.build()).reused


async def test_an_environment_in_use_stays_however_old(make_model: MakeModel) -> None:
    model = make_model()
    environment = await model.build()
    age(environment)
    with environment_in_use(environment):
        age(environment)
        assert not remove_environment(model.config.root, environment.key, unused_since=ALWAYS)
    assert environment.python.exists()
    assert remove_environment(model.config.root, environment.key, unused_since=ALWAYS)


HOLD = """
import sys
from pathlib import Path
from mop.environments.locks import shared_use
with shared_use(Path(sys.argv[1])):
    print("holds", flush=True)
    sys.stdin.read()
"""


async def test_another_process_keeps_an_environment_until_it_dies(make_model: MakeModel) -> None:
    model = make_model()
    environment = await model.build()
    age(environment)
    root = model.config.root
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(root / "locks" / environment.key)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"holds\n"
    assert not remove_environment(root, environment.key, unused_since=ALWAYS)
    holder.kill()
    await holder.wait()
    assert remove_environment(root, environment.key, unused_since=ALWAYS)


async def test_what_is_built_now_is_left_alone(make_model: MakeModel, index: PackageIndex) -> None:
    index.gate.clear()
    model = make_model()
    build = asyncio.create_task(model.build())
    assert await asyncio.to_thread(index.waiting.wait, 30)
    parts = leftover_folders(model.config.root)
    assert parts
    assert leftovers(model.config.root) == []
    assert [remove_leftover(model.config.root, part) for part in parts] == [False] * len(parts)
    index.gate.set()
    environment = await build
    assert not remove_environment(model.config.root, environment.key, unused_since=time.time() - 3600)
    assert (await model.build()).reused


async def test_removal_and_builds_of_one_key_in_a_race_never_give_a_half_environment(make_model: MakeModel) -> None:
    model = make_model()
    root = model.config.root
    environment = await model.build()
    removed = 0

    def collect() -> int:
        # the hardest case: everything counts as old, only the locks protect
        return sum(remove_environment(root, one.key, unused_since=ALWAYS) for one in standing_environments(root))

    for _ in range(4):
        collecting = [asyncio.create_task(asyncio.to_thread(collect)) for _ in range(3)]
        built = await asyncio.gather(*(make_model().build() for _ in range(3)))
        removed += sum(await asyncio.gather(*collecting))
        assert {one.key for one in built} == {environment.key}
        for one in standing_environments(root):
            assert run(one.folder / "venv" / "bin" / "python", "import tiny; print(tiny.version)") == "1.0"
    assert removed
    final = await model.build()
    with environment_in_use(final):
        assert collect() == 0
    assert leftovers(root) == []


async def test_who_found_an_environment_can_still_enter_it_whoever_collects(make_model: MakeModel) -> None:
    """Between finding it and using it its recent use protects it."""
    model = make_model()
    age(await model.build())
    environment = await model.build()
    assert environment.reused
    assert not remove_environment(model.config.root, environment.key, unused_since=time.time() - 3600)
    with environment_in_use(environment):
        assert environment.python.exists()


async def test_leftovers_of_a_killed_build_are_removed_without_another_build(
    make_model: MakeModel, index: PackageIndex
) -> None:
    index.gate.clear()
    model = make_model()
    builder = await start_build(model)
    assert await asyncio.to_thread(index.waiting.wait, 30)
    builder.send_signal(signal.SIGKILL)
    await builder.wait()
    root = model.config.root
    left = leftovers(root)
    assert all(one.key == left[0].key for one in left)
    with free_key(root / "locks" / left[0].key) as free:
        assert free
        assert not remove_leftover(root, left[0].folder)
    assert [remove_leftover(root, one.folder) for one in left] == [True] * len(left)
    assert leftovers(root) == []
    index.gate.set()


# Sizes and the cache ---------------------------------------------------------------------------------------


async def test_files_that_environments_share_are_counted_once(make_model: MakeModel, index: PackageIndex) -> None:
    first, second = await make_model("tiny==1.0").build(), await make_model("tiny==1.0\nmop-utils>=2.0").build()
    root = first.path.parents[2]
    environments, caches = standing_environments(root), standing_caches(root)
    assert {one.key for one in environments} == {first.key, second.key}
    everything = [*environments, *caches]
    freed_by_both = bytes_freed(environments, everything)
    assert freed_by_both > 0
    assert bytes_freed(everything, everything) > freed_by_both + bytes_freed(caches, everything)
    assert bytes_freed([], everything) == 0


async def test_an_emptied_cache_leaves_environments_whole(make_model: MakeModel) -> None:
    model = make_model()
    environment = await model.build()
    [cache] = standing_caches(model.config.root)
    for everything in (False, True):
        command = clean_command(model.config, cache.folder.parent, everything=everything)
        subprocess.run(command.argv, env=dict(command.env), cwd=command.cwd, check=True)  # noqa: ASYNC221 - short
    assert not any(cache.folder.rglob("*.whl"))
    age(environment)
    assert (await model.build()).reused
    remove_environment(model.config.root, environment.key, unused_since=ALWAYS)
    assert not (await model.build()).reused
