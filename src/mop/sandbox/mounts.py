"""What a job sees of the host beside its own mounts: system libraries, a Python, certificates."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mop.sandbox.bubblewrap import INNER_UID
from mop.sandbox.job import Mount

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""Where the certificate bundle stands in a cage with network."""

_SYSTEM = (
    *("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/include"),
    *("/usr/share/zoneinfo", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl/openssl.cnf"),
)
_MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")  # links into /usr on most hosts, folders on some
_NETWORK = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/gai.conf")
_BUNDLES = (
    CERTIFICATES,  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",
)
_UNCAGED = (
    *("/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/self", "/sys/devices/system/cpu"),
    *("/dev/random", "/dev/urandom", "/dev/zero", "/dev/full"),
)
_FORBIDDEN = ("/", "/proc", "/dev", "/sys")


@dataclass(frozen=True)
class View:
    """The cage's file system, in the order in which it is built."""

    mounts: tuple[Mount, ...]
    symlinks: tuple[tuple[str, str], ...]
    """Each a path and what it points to."""
    files: tuple[tuple[str, str], ...]
    """Each a path and its text."""


def view(mounts: Iterable[Mount], *, network: bool, certificates: Path | None) -> View:
    """The system's part and the job's mounts; a parent comes before what lies below it, the job's own win.

    Raises:
        ValueError: a target is not a plain absolute path, or has two sources.
        FileNotFoundError: a source does not exist.
    """
    system = [Mount(Path(path), path) for path in _SYSTEM if Path(path).exists()]
    files = [
        ("/etc/passwd", f"mop:x:{INNER_UID}:{INNER_UID}:mop:/tmp:/bin/sh\n"),
        ("/etc/group", f"mop:x:{INNER_UID}:\n"),
    ]
    if network:
        system += [Mount(Path(path), path) for path in _NETWORK if Path(path).exists()]
        bundle = find_certificates(certificates)
        system += [Mount(bundle, CERTIFICATES)] if bundle else []
    else:
        files.append(("/etc/hosts", "127.0.0.1 localhost mop\n::1 localhost\n"))
    links = tuple((path, str(Path(path).readlink())) for path in _MERGED if Path(path).is_symlink())
    system += [Mount(Path(path), path) for path in _MERGED if Path(path).is_dir() and not Path(path).is_symlink()]
    own = _by_target(mounts)
    merged = {**{mount.target: mount for mount in system}, **own}
    resolved = (Mount(mount.source.resolve(strict=True), mount.target, mount.writable) for mount in merged.values())
    return View(tuple(sorted(resolved, key=lambda mount: Path(mount.target).parts)), links, tuple(files))


def system_paths(*, network: bool) -> list[str]:
    """What a job may read of the host where it has no file system of its own."""
    return [
        *_SYSTEM,
        *(path for path in _MERGED if not Path(path).is_symlink()),
        *_UNCAGED,
        *(_NETWORK if network else ()),
    ]


def python_mounts(python: Path) -> tuple[Mount, ...]:
    """The binds that make this interpreter run inside, at its own path; not the environment it may belong to.

    Follows an environment's `bin/python` link by link to the interpreter: each prefix on the way is bound where the
    link names it. A prefix of /usr needs nothing more; of /usr/local only bin and lib are bound.
    """
    prefixes: dict[str, Path] = {}
    for link in _links(python):
        prefix = link.parent.parent
        config = prefix / "pyvenv.cfg"
        if config.is_file():
            home = _home(config)
            prefixes.update({str(home.parent): home.parent.resolve()} if home else {})
        else:
            prefixes[str(prefix)] = prefix.resolve()
            prefixes[str(prefix.resolve())] = prefix.resolve()
    mounts = []
    for target, source in prefixes.items():
        if target == "/usr/local":
            mounts += [Mount(source / name, f"{target}/{name}") for name in ("bin", "lib")]
        elif target not in {"/", "/usr"}:
            mounts.append(Mount(source, target))
    return tuple(mounts)


def find_certificates(given: Path | None) -> Path | None:
    """The host's bundle of trusted certificates: the given one, or at the usual places."""
    places = [given] if given else [Path(name) for name in _BUNDLES]
    return next((place for place in places if place.is_file()), None)


def _by_target(mounts: Iterable[Mount]) -> dict[str, Mount]:
    found: dict[str, Mount] = {}
    for mount in mounts:
        if not mount.target.startswith("/") or os.path.normpath(mount.target) != mount.target:
            raise ValueError(f"a mount's target must be a plain absolute path, not {mount.target!r}")
        if mount.target in _FORBIDDEN or mount.target.startswith(("/proc/", "/dev/", "/sys/")):
            raise ValueError(f"nothing can be mounted at {mount.target}")
        if found.setdefault(mount.target, mount) != mount:
            raise ValueError(f"two sources for {mount.target}: {found[mount.target].source} and {mount.source}")
    return found


def _links(python: Path) -> list[Path]:
    """The path itself and each path that it points to in turn."""
    links = [Path(os.path.normpath(Path.cwd() / python))]
    while links[-1].is_symlink():
        link = links[-1]
        following = Path(os.path.normpath(link.parent / link.readlink()))
        if following in links:
            raise FileNotFoundError(f"{python} is a link that leads to itself")
        links.append(following)
    if not links[-1].is_file():
        raise FileNotFoundError(f"{python} leads to {links[-1]}, which is not a file")
    return links


def _home(config: Path) -> Path | None:
    for line in config.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home":
            return Path(value.strip())
    return None
