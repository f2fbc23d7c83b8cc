"""Which mounts a job gets, and in what order."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop.sandbox import Job, Limits, Mount, Sandbox, SandboxLevel, python_mounts
from mop.sandbox.mounts import find_certificates, view


def _interpreter(prefix: Path) -> Path:
    python = prefix / "bin" / "python3.11"
    python.parent.mkdir(parents=True)
    python.touch()
    (prefix / "bin" / "python3").symlink_to("python3.11")
    return prefix / "bin" / "python3"


def test_an_interpreters_prefix_is_bound_at_its_own_path(tmp_path: Path):
    prefix = tmp_path / "versions" / "3.11.7"
    assert python_mounts(_interpreter(prefix)) == (Mount(prefix, str(prefix)),)


def test_an_environments_python_leads_to_the_interpreter_not_to_the_environment(tmp_path: Path):
    prefix, environment = tmp_path / "3.11.7", tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(_interpreter(prefix))
    (environment / "pyvenv.cfg").write_text(f"home = {prefix}/bin\n")
    assert python_mounts(environment / "bin" / "python") == (Mount(prefix, str(prefix)),)


def test_a_prefix_reached_through_a_symlink_is_bound_under_both_names(tmp_path: Path):
    prefix, alias = tmp_path / "3.11.7", tmp_path / "3.11"
    _interpreter(prefix)
    alias.symlink_to(prefix)
    assert set(python_mounts(alias / "bin" / "python3")) == {Mount(prefix, str(alias)), Mount(prefix, str(prefix))}


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="no system Python")
def test_the_systems_python_needs_no_mount_of_its_own():
    assert python_mounts(Path("/usr/bin/python3")) == ()


def test_an_interpreter_that_is_not_there_is_an_error(tmp_path: Path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for name in ("a", "missing"):
        with pytest.raises(FileNotFoundError):
            python_mounts(tmp_path / name)


def test_parents_come_before_what_lies_below_them(tmp_path: Path):
    targets = ["/mop/src/data", "/mop-other", "/mop", "/mop/src", "/usr/lib/extra"]
    built = view([Mount(tmp_path, target) for target in targets], network=False, certificates=None)
    order = [mount.target for mount in built.mounts]
    for target in order:
        for parent in Path(target).parents:
            assert str(parent) not in order[order.index(target) :]


def test_a_jobs_own_mount_replaces_the_systems(tmp_path: Path):
    built = view([Mount(tmp_path, "/etc/localtime")], network=False, certificates=None)
    assert [mount.source for mount in built.mounts if mount.target == "/etc/localtime"] == [tmp_path]


@pytest.mark.parametrize(
    "target", ["relative", "/", "/proc", "/proc/1", "/dev/shm/x", "/a/../b", "/a//b", "/a/", "/sys/fs"]
)
def test_targets_that_make_no_sense_are_refused(tmp_path: Path, target: str):
    with pytest.raises(ValueError, match=r"target|mounted at"):
        view([Mount(tmp_path, target)], network=False, certificates=None)


def test_two_sources_for_one_target_are_refused_and_the_same_one_twice_is_not(tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(ValueError, match="two sources"):
        view([Mount(tmp_path, "/mop"), Mount(other, "/mop")], network=False, certificates=None)
    assert view([Mount(tmp_path, "/mop"), Mount(tmp_path, "/mop")], network=False, certificates=None)


def test_a_missing_source_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        view([Mount(tmp_path / "missing", "/mop")], network=False, certificates=None)


def test_the_given_certificates_are_used(tmp_path: Path):
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    assert find_certificates(bundle) == bundle
    assert find_certificates(tmp_path / "missing") is None
    built = view([], network=True, certificates=bundle)
    assert [mount.target for mount in built.mounts if mount.source == bundle] == ["/etc/ssl/certs/ca-certificates.crt"]


@pytest.mark.parametrize(
    ("argv", "env"),
    [((), {}), (("a\0--bind",), {}), (("a",), {"A": "x\0--bind\0/\0/"}), (("a",), {"A=B": "x"}), (("a",), {"": "x"})],
)
def test_text_that_could_smuggle_an_option_is_refused(tmp_path: Path, argv: tuple[str, ...], env: dict[str, str]):
    sandbox = Sandbox(SandboxLevel.RLIMIT, tmp_path, bwrap=Path("/usr/bin/bwrap"))
    job = Job(argv=argv, mounts=(), env=env, limits=Limits(cpus=1, memory_bytes=1 << 26))
    with pytest.raises(ValueError, match=r"NUL|argv"):
        sandbox.command(job)


@pytest.mark.parametrize("wrong", [{"cpus": 0}, {"memory_bytes": -1}, {"processes": 0}, {"seconds": 0}])
def test_limits_of_nothing_are_refused(wrong: dict[str, int]):
    with pytest.raises(ValueError, match="above zero"):
        Limits(**{"cpus": 1, "memory_bytes": 1 << 26, **wrong})


def test_the_symlinks_of_a_merged_usr_are_kept():
    built = view([], network=False, certificates=None)
    assert [link for link in built.symlinks if link[0] == "/lib"] == (
        [("/lib", str(Path("/lib").readlink()))] if Path("/lib").is_symlink() else []
    )
