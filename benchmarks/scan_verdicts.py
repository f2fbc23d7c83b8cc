"""What MOP's scan and four others say of the same files: caught, missed, false alarms, speed.

    .venv/bin/python benchmarks/scan_verdicts.py [--only mop modelaudit ...] [--json FILE] [--show]

The files: every hostile kind and every ordinary file of tests/security, and the test files that one of those projects
publishes in its source distribution (the others publish none). Each tool runs in an environment of its own, which uv
builds below ~/.cache/mop-benchmarks, in MOP's cage without network, on the same folder. Nothing is loaded.

A tool blocks a file (its own highest severities; of MOP what the default policy blocks), warns of it, says that it
could not read it, or is silent. Caught is a hostile file that is blocked, missed one of which nothing is said, a false
alarm an ordinary file that is blocked.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import importlib
import json
import resource
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from mop.hosting.caged_scan import caged_scan
from mop.sandbox import Job, Limits, Mount, Sandbox, probe_sandbox, python_mounts
from mop.scanning.findings import Verdict
from mop.scanning.policy import decide
from mop.scanning.run import run_scanners
from mop.scanning.scanner import Subject

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path.home() / ".cache" / "mop-benchmarks"
TOOLS = {
    "modelaudit": (
        "--no-deps",  # of all that it names these are what it needs for local files
        *("modelaudit==0.2.54", "modelaudit-picklescan==0.1.12", "numpy", "protobuf", "msgpack", "pyyaml", "requests"),
        *("click", "yaspin", "termcolor", "pydantic", "pydantic-core", "annotated-types", "typing-extensions"),
        *("typing-inspection", "defusedxml", "cyclonedx-python-lib", "platformdirs", "packageurl-python"),
        *("license-expression", "boolean.py", "sortedcontainers", "py-serializable", "urllib3", "idna", "certifi"),
        *("charset-normalizer", "packaging", "h5py"),
    ),
    "modelscan": ("modelscan==0.8.8", "h5py"),
    "picklescan": ("picklescan==1.0.5",),
    "fickling": ("fickling==0.1.12", "typing-extensions"),
}
PUBLISHED = "modelaudit==0.2.54"
HOSTILE_NAMES = (
    "malicious",
    "attack",
    "exploit",
    "injection",
    "traversal",
    "obfuscated",
    "nested_pickle",
    "exec_chain",
)
ORDINARY_NAMES = ("safe_", "benign")
MEMORY_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class File:
    """One file below the folder that all tools look at."""

    path: str
    corpus: str
    hostile: bool


@dataclass(frozen=True)
class Outcome:
    """What a tool said of each file, by path, with its reason; and its seconds of CPU."""

    said: dict[str, tuple[str, str]]
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=["mop", *TOOLS], choices=["mop", *TOOLS])
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--show", action="store_true", help="name what MOP does not catch and another does")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mop-verdicts-") as temporary:
        folder, runtime = Path(temporary, "files"), Path(temporary, "runtime")
        folder.mkdir()
        runtime.mkdir()
        Path(temporary).chmod(0o755)
        files = write_corpora(folder)
        sandbox = probe_sandbox(runtime_folder=runtime)
        outcomes = {}
        for tool in arguments.only:
            outcomes[tool] = mop(folder, sandbox) if tool == "mop" else rival(tool, folder, sandbox)
            tell(tool, files, outcomes[tool])
    if arguments.show:
        show(files, outcomes)
    if arguments.json:
        told = {tool: {"cpu": one.cpu, "said": one.said} for tool, one in outcomes.items()}
        arguments.json.write_text(json.dumps(told, indent=2))


# The files ---------------------------------------------------------------------------------------------------


def write_corpora(folder: Path) -> list[File]:
    sys.path.insert(0, str(ROOT / "tests"))
    hostile = importlib.import_module("security.hostile_kinds").ALL
    ordinary = importlib.import_module("security.ordinary").ALL
    files = []
    for number, kind in enumerate(hostile):
        path = folder / "hostile" / f"{number:03}" / kind.file
        path.parent.mkdir(parents=True)
        path.write_bytes(kind.build("/tmp/mop-marker-file"))  # noqa: S108 - nothing is loaded here
        files.append(File(path.relative_to(folder).as_posix(), "hostile kinds", hostile=True))
    for number, one in enumerate(ordinary):
        path = folder / "ordinary" / f"{number:03}" / one.file
        path.parent.mkdir(parents=True)
        one.write(path)
        files.append(File(path.relative_to(folder).as_posix(), "ordinary files", hostile=False))
    return files + published_files(folder / "published", folder)


def published_files(target: Path, folder: Path) -> list[File]:
    """The test files of modelaudit's source distribution that their names call hostile or harmless."""
    name = PUBLISHED.replace("==", "-")
    archive = CACHE / "sources" / f"{name}.tar.gz"
    if not archive.is_file():
        python = environment("pip", ("pip",))
        command = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", PUBLISHED]
        subprocess.run([*command, "--dest", archive.parent], check=True)
    files = []
    with tarfile.open(archive) as source:
        for member in source:
            _, _, path = member.name.partition("/tests/assets/")
            kind = _kind_of(path) if member.isfile() and not path.endswith((".py", ".md", ".txt")) else None
            content = source.extractfile(member) if kind is not None else None
            if content is None or kind is None:
                continue
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.read())
            files.append(File(place.relative_to(folder).as_posix(), f"{name}'s own", hostile=kind))
    return files


def _kind_of(path: str) -> bool | None:
    """Whether a published file is hostile; None when its name does not tell."""
    own = "/".join(path.split("/")[-2:])
    if any(name in path.rpartition("/")[2] for name in ORDINARY_NAMES):
        return False
    if any(name in own for name in HOSTILE_NAMES):
        return not path.endswith("config.json") or "jinja2" in path
    return False if any(name in own for name in ORDINARY_NAMES) else None


# The tools ---------------------------------------------------------------------------------------------------


def environment(name: str, packages: tuple[str, ...]) -> Path:
    """The Python of a tool's own environment."""
    place = CACHE / name
    python = place / "bin" / "python"
    uv = find_uv_bin()
    if not python.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, place], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)
    return python


def rival(tool: str, folder: Path, sandbox: Sandbox) -> Outcome:
    python = environment(tool, TOOLS[tool])
    script = Path(__file__).with_name("scan_verdicts_rivals.py")
    mounts = {mount.target: mount for mount in python_mounts(python)}
    for path in (python.parent.parent, folder, script):
        mounts[str(path)] = Mount(path, str(path))
    job = Job(
        argv=(str(python), "-I", str(script), tool, str(folder)),
        mounts=tuple(mounts.values()),
        limits=Limits(cpus=1, memory_bytes=MEMORY_BYTES, processes=64, tmpfs_bytes=MEMORY_BYTES // 8),
        label="scan",
        env={"PROMPTFOO_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "HOME": "/tmp"},  # noqa: S108 - of the cage
    )
    done = subprocess.run(sandbox.command(job), check=False, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines or "cpu" not in lines[-1]:
        raise SystemExit(f"{tool} did not finish:\n{done.stderr[-2000:]}")
    return Outcome({line["file"]: (line["said"], line["why"]) for line in lines[:-1]}, lines[-1]["cpu"])


def mop(folder: Path, sandbox: Sandbox) -> Outcome:
    subject = Subject(folder)
    before = _children_cpu()
    report = asyncio.run(run_scanners(subject, cage=caged_scan(sandbox, subject), log=lambda _line: None))
    cpu = _children_cpu() - before
    policy = importlib.import_module("support.policies").default_policy()
    decision = decide(report, policy, (), today=dt.datetime.now(tz=dt.UTC).date())
    blocked = {finding.path.partition("!")[0]: finding.message for finding in decision.blocked}
    warned = {finding.path.partition("!")[0]: finding.message for finding in decision.warned}
    said = {}
    for file in report.files:
        if file.path in blocked:
            said[file.path] = "blocks", blocked[file.path]
        elif file.verdict == Verdict.NOT_FULLY_SCANNED:
            said[file.path] = "unread", " ".join(file.reasons)
        elif file.path in warned or file.verdict != Verdict.CLEAN:
            said[file.path] = "warns", warned.get(file.path, "")
        else:
            said[file.path] = "silent", ""
    return Outcome(said, cpu)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# What is told ------------------------------------------------------------------------------------------------


def tell(tool: str, files: list[File], outcome: Outcome) -> None:
    told = [tool]
    for corpus in dict.fromkeys(file.corpus for file in files):
        for hostile in (True, False):
            of = [file for file in files if file.corpus == corpus and file.hostile == hostile]
            if not of:
                continue
            counts = Counter(outcome.said.get(file.path, ("silent", ""))[0] for file in of)
            words = ("caught", "missed") if hostile else ("false alarms", "silent")
            told.append(
                f"{corpus}{'' if hostile else ' (harmless)'}: {counts['blocks']} of {len(of)} {words[0]}, "
                f"{counts['warns']} warned, {counts['unread']} not read, {counts['silent']} {words[1]}"
            )
    told.append(f"{outcome.cpu:.1f} s of CPU, {len(files) / outcome.cpu:.0f} files/s")
    print("\n  ".join(told), flush=True)


def show(files: list[File], outcomes: dict[str, Outcome]) -> None:
    """Where MOP and another differ over what is hostile, and where MOP blocks what is not."""
    own = outcomes["mop"].said
    for file in files:
        said, why = own.get(file.path, ("silent", ""))
        others = [
            tool for tool, one in outcomes.items() if tool != "mop" and one.said.get(file.path, ("",))[0] == "blocks"
        ]
        if file.hostile and said != "blocks":
            print(f"{file.path}: MOP {said} {why[:100]!r}; caught by {', '.join(others) or 'nobody'}")
        elif not file.hostile and said == "blocks":
            print(f"{file.path}: MOP blocks: {why[:200]}")


if __name__ == "__main__":
    main()
