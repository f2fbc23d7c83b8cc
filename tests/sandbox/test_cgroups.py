"""Finding control groups and writing their limits, for hosts other than the one the tests run on."""

from __future__ import annotations

from pathlib import Path

from mop.sandbox.cgroup_search import find_controllers
from mop.sandbox.cgroups import Controller, JobCgroups, sweep


def _group(folder: Path, *, available: str = "", enabled: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.procs").touch()
    (folder / "cgroup.controllers").write_text(available)
    (folder / "cgroup.subtree_control").write_text(enabled)
    return folder


def _mountinfo(kind: str, path: Path, options: str = "rw", root: str = "/") -> str:
    return f"30 24 0:27 {root} {path} rw,nosuid shared:9 - {kind} {kind} {options}\n"


def test_version_2_is_used_where_the_nearest_ancestor_lends_its_controllers(tmp_path: Path):
    _group(tmp_path, available="cpu memory pids", enabled="cpu memory pids")
    middle = _group(tmp_path / "user.slice", available="memory pids", enabled="memory pids")
    _group(middle / "mop.scope")
    found = find_controllers(mountinfo=_mountinfo("cgroup2", tmp_path), own="0::/user.slice/mop.scope\n")
    assert found == [Controller("memory", 2, str(middle)), Controller("pids", 2, str(middle))]


def test_version_2_without_the_memory_controller_is_no_use(tmp_path: Path):
    _group(tmp_path, available="hugetlb", enabled="")
    assert find_controllers(mountinfo=_mountinfo("cgroup2", tmp_path), own="0::/\n") == []


def test_a_version_2_group_outside_the_mount_is_not_searched(tmp_path: Path):
    mount = tmp_path / "mount"
    _group(tmp_path, enabled="memory")
    _group(mount, enabled="")
    assert find_controllers(mountinfo=_mountinfo("cgroup2", mount), own="0::/../escaped\n") == []


def test_version_1_has_one_hierarchy_for_each_controller(tmp_path: Path):
    memory, cpu = _group(tmp_path / "memory"), _group(tmp_path / "cpu,cpuacct")
    mountinfo = _mountinfo("cgroup", memory, "rw,memory") + _mountinfo("cgroup", cpu, "rw,cpu,cpuacct")
    own = "2:cpu,cpuacct:/\n1:memory:/a/b\n"
    assert find_controllers(mountinfo=mountinfo, own=own) == [
        Controller("memory", 1, str(memory)),
        Controller("cpu", 1, str(cpu)),
    ]


def test_a_host_without_control_groups_has_none():
    assert find_controllers(mountinfo="22 1 8:1 / / rw - ext4 /dev/vda rw\n", own="0::/\n") == []


def test_version_2_limits_are_written_in_its_words(tmp_path: Path):
    groups = JobCgroups([Controller(name, 2, str(tmp_path)) for name in ("memory", "cpu", "pids")], "a label/..")
    files = ("memory.max", "memory.oom.group", "memory.swap.max", "cpu.max", "pids.max")
    (folder,) = {Path(folder) for folder in groups._folders.values()}
    assert folder.parent == tmp_path
    folder.mkdir()
    for name in files:
        (folder / name).touch()
    groups.write_limits(memory_bytes=1 << 26, cpus=1.5, processes=10)
    assert [(folder / name).read_text() for name in files] == [str(1 << 26), "1", "0", "150000 100000", "12"]


def test_the_sweep_removes_groups_whose_owner_is_gone_and_no_others(tmp_path: Path):
    controllers = [Controller("memory", 2, str(tmp_path))]
    mine = Path(JobCgroups(controllers, "job")._folders["memory"])
    namespace, pid, started = mine.name.split("-")[1:4]
    gone = tmp_path / f"mop-{namespace}-{pid}-{int(started) + 1}-job"
    elsewhere = tmp_path / "mop-1-1-1-job"
    for folder in (mine, gone, elsewhere, tmp_path / "system.slice"):
        folder.mkdir()
    assert sweep(controllers) == [gone.name]
    assert {folder.name for folder in tmp_path.iterdir()} == {mine.name, elsewhere.name, "system.slice"}
