"""What a job sees, reads, writes and reaches."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import mop.errors
from mop.sandbox import Mount
from sandbox.cage import Cage

pytestmark = pytest.mark.sandbox


def test_nothing_of_the_host_but_libraries_and_the_interpreter_is_visible(cage: Cage, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    hidden = [
        mop.errors.__file__,
        str(secret),
        str(tmp_path),
        "/etc/shadow",
        "/sys",
        "/var",
        "/home",
        "/proc/1/root/var",
    ]
    seen = cage.output(f"import os; print([path for path in {hidden!r} if os.path.exists(path)])")
    assert seen == "[]"


def test_roots_home_shows_at_most_the_way_to_the_interpreter(cage: Cage):
    text = cage.output(
        "import os, sys; print([os.path.join(top, name) for top, folders, files in os.walk('/root')"
        " for name in files if not os.path.join(top, name).startswith(sys.base_prefix)])"
    )
    assert text == "[]"


def test_processes_of_the_host_are_invisible(cage: Cage):
    pids = json.loads(
        cage.output("import os, json; print(json.dumps([p for p in os.listdir('/proc') if p.isdigit()]))")
    )
    assert os.getpid() not in map(int, pids)
    assert len(pids) == 2  # the cage's process 1 and the job


def test_the_command_line_of_process_1_names_no_path_of_the_host(cage: Cage, tmp_path: Path):
    mount = Mount(tmp_path, "/mop/src")
    text = cage.output("print(open('/proc/1/cmdline').read(), open('/proc/1/environ').read())", mounts=(mount,))
    assert str(tmp_path) not in text


def test_only_the_tmpfs_folders_can_be_written(cage: Cage, tmp_path: Path):
    (tmp_path / "given").write_text("kept")
    text = cage.output(
        "import os, sys\n"
        "written = []\n"
        "for top in ('/', '/dev', '/etc', '/usr/lib', '/mop/src', sys.base_prefix, '/tmp', '/dev/shm', '/proc'):\n"
        "    try:\n"
        "        open(os.path.join(top, 'probe'), 'w').close()\n"
        "        written.append(top)\n"
        "    except OSError:\n"
        "        pass\n"
        "try:\n"
        "    open('/mop/src/given', 'w')\n"
        "    written.append('given')\n"
        "except OSError:\n"
        "    pass\n"
        "print(written)",
        mounts=(Mount(tmp_path, "/mop/src"),),
    )
    assert text == "['/tmp', '/dev/shm']"
    assert (tmp_path / "given").read_text() == "kept"


def test_the_environment_is_the_jobs_own(cage: Cage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOP_SECRET", "secret")
    text = cage.output(
        "import json, os; print(json.dumps(dict(os.environ)))", env={"MODEL": "a=b", "MKL_NUM_THREADS": "7"}
    )
    environment = json.loads(text)
    assert "MOP_SECRET" not in environment
    assert environment["MODEL"] == "a=b"
    assert environment["HOME"] == "/tmp"
    assert (environment["MKL_NUM_THREADS"], environment["OMP_NUM_THREADS"]) == ("7", "1")


def test_it_is_no_privileged_user_and_can_not_become_one(cage: Cage):
    status = cage.output(
        "import os, pwd\n"
        "print(os.getuid(), os.getgid(), pwd.getpwuid(os.getuid()).pw_name)\n"
        "print(open('/proc/self/status').read())"
    )
    assert status.startswith("1000 1000 mop")
    fields = dict(line.split(":\t") for line in status.splitlines()[1:] if ":\t" in line)
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    assert fields["Groups"].split() in ([], ["1000"], ["65534"])


def test_on_the_host_a_job_of_root_runs_as_the_service_uid(cage: Cage):
    uids = cage.output("print(open('/proc/self/uid_map').read())").split()
    assert uids[0] == "1000"
    mapped = cage.sandbox.service_uid if os.getuid() == 0 else os.getuid()
    assert cage.sandbox.service_uid == (61000 if os.getuid() == 0 else None)
    assert mapped != 0


def test_no_further_user_namespace_can_be_made(cage: Cage):
    code = "import ctypes; print(ctypes.CDLL(None).unshare(0x10000000))"
    assert cage.output(code) == "-1"


def test_no_descriptor_beyond_the_three_streams_is_inherited(cage: Cage):
    with Path(__file__).open() as file:
        os.set_inheritable(file.fileno(), True)
        code = "import os; print(sorted(int(fd) for fd in os.listdir('/proc/self/fd')))"
        assert cage.output(code) in ("[0, 1, 2, 3]", "[0, 1, 2]")  # 3 is the listing's own


def test_symlinks_in_a_mount_do_not_lead_out(cage: Cage, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "absolute").symlink_to(outside / "secret")
    (inside / "relative").symlink_to("../outside/secret")
    (inside / "shadow").symlink_to("/etc/shadow")
    (inside / "way").symlink_to("/proc/1/root")
    text = cage.output(
        "import os\n"
        "names = ('absolute', 'relative', 'shadow', 'way/home', 'way/var')\n"
        "print([name for name in names if os.path.exists('/mop/src/' + name)])",
        mounts=(Mount(inside, "/mop/src"),),
    )
    assert text == "[]"


def test_mounts_may_lie_below_each_other(cage: Cage, tmp_path: Path):
    model, sources, note = tmp_path / "model", tmp_path / "src", tmp_path / "note.txt"
    (model / "src").mkdir(parents=True)
    sources.mkdir()
    (model / "weights").write_text("weights")
    (sources / "inference.py").write_text("code")
    note.write_text("note")
    text = cage.output(
        "print(open('/mop/weights').read(), open('/mop/src/inference.py').read(), open('/tmp/note.txt').read())",
        mounts=(Mount(sources, "/mop/src"), Mount(note, "/tmp/note.txt"), Mount(model, "/mop")),
    )
    assert text == "weights code note"


def test_a_source_may_be_a_symlink(cage: Cage, tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("text")
    (tmp_path / "link").symlink_to("real")
    assert cage.output("print(open('/mop/src/file').read())", mounts=(Mount(tmp_path / "link", "/mop/src"),)) == "text"


def test_a_writable_mount_is_written_by_the_service_uid(cage: Cage, tmp_path: Path):
    folder = tmp_path / "build"
    (folder / "old").mkdir(parents=True)
    cage.sandbox.make_writable(folder)
    cage.output(
        "import os; open('/build/old/new', 'w').write('made inside'); os.link('/build/old/new', '/build/linked')",
        mounts=(Mount(folder, "/build", writable=True),),
    )
    assert (folder / "linked").read_text() == "made inside"
    assert (folder / "linked").stat().st_uid == (cage.sandbox.service_uid or os.getuid())


@pytest.fixture
def host_service() -> Iterator[int]:
    """The port of a service on the host's loopback that says hello to each caller."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller:
                    caller.sendall(b"hello")

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _call(port: int) -> str:
    return (
        "import socket\n"
        f"try: print(socket.create_connection(('localhost', {port}), 10).recv(9).decode())\n"
        "except OSError as error: print(type(error).__name__)"
    )


def test_without_network_the_host_is_out_of_reach(cage: Cage, host_service: int):
    assert cage.output(_call(host_service)) == "ConnectionRefusedError"
    interfaces = cage.output("import socket; print([name for _, name in socket.if_nameindex()])")
    assert interfaces == "['lo']"


def test_with_network_it_is_within_reach(cage: Cage, host_service: int):
    assert cage.output(_call(host_service), network=True) == "hello"


def test_with_network_certificates_and_resolver_are_there(cage: Cage):
    text = cage.output(
        "import os\n"
        "files = ('/etc/hosts', '/etc/resolv.conf', os.environ['SSL_CERT_FILE'])\n"
        "print([path for path in files if not open(path).read()])",
        network=True,
    )
    assert text == "[]"
