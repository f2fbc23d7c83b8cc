"""Running scanners in the cage, from outside: a file that ends one is named, and the rest is scanned all the same."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from mop.scanning.findings import FileVerdict, ScanReport, Verdict, merge
from mop.scanning.scanner import ENVIRONMENT_FILES, Subject
from mop.scanning.scanner_process import Cage, ScannerProcess
from mop.scanning.scanners import NAMES, OF_ENVIRONMENTS, OF_THE_WHOLE, SHARED, TOGETHER, scanner_of
from mop.scanning.shared_files import processes_for

DEADLINE_SECONDS = 3600.0


async def run_scanners(
    subject: Subject,
    *,
    cage: Cage,
    log: Callable[[str], None],
    progress: Callable[[str, str], None] | None = None,
    scanners: Sequence[str] | None = None,
    seconds: float = DEADLINE_SECONDS,
    cpus: int | None = None,
) -> ScanReport:
    """Run scanners over a model folder, an environment, or both, each file by each.

    Args:
        subject: what is scanned, at the paths where the cage shows it.
        cage: makes the job's command one that runs in the sandbox.
        log: takes one line.
        progress: takes the scanner and the file that it begins with.
        scanners: names of those to run; None for all that look at what the subject holds.
        seconds: for the scan as a whole.
        cpus: as many processes look at the files of a large folder at once, four at most; None for those that this
            process may use.

    Returns:
        One report; of an environment alone it depends on the environment alone. A file whose scanner died over it, or
        which a scanner that is for it did not come to, is not fully scanned; so is what was left at the deadline.
    """
    wanted = _for(subject) if scanners is None else scanners
    processes = _processes(subject, wanted, cpus or len(os.sched_getaffinity(0)), log=log, progress=progress)
    tasks = [asyncio.create_task(process.run(cage)) for process in processes]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for process in processes:
        process.give_up(f"the whole scan takes longer than {seconds:g} s")
    return _whole(subject, processes)


def _processes(
    subject: Subject,
    wanted: Sequence[str],
    cpus: int,
    *,
    log: Callable[[str], None],
    progress: Callable[[str, str], None] | None,
) -> list[ScannerProcess]:
    """Those of `TOGETHER`, and more for the scanner whose files are shared, when there is much to read."""
    count, files = processes_for(subject, cpus) if SHARED in wanted else (1, None)
    shared = {SHARED: files} if files else {}
    groups = [[name for name in group if name in wanted] for group in TOGETHER] + [[SHARED]] * (count - 1)
    return [ScannerProcess(subject, names, log=log, progress=progress, shared=shared) for names in groups if names]


def _for(subject: Subject) -> Sequence[str]:
    return OF_ENVIRONMENTS if subject.model is None else NAMES


def _whole(subject: Subject, processes: Sequence[ScannerProcess]) -> ScanReport:
    """Everything, with a verdict for every file."""
    merged = merge(report for process in processes for report in process.reports)
    incomplete = {name: reason for process in processes for name, reason in process.incomplete.items()}
    ended = {name for process in processes for name in process.ended} - incomplete.keys()
    passed_over = {name: f"{name} passed it over" for name in ended if name not in OF_THE_WHOLE}
    unseen = {name: f"{name} did not come to it: {reason}" for name, reason in incomplete.items()} | passed_over
    looked: dict[str, set[str]] = {}
    for process in processes:
        for name, seen in process.looked.items():
            looked.setdefault(name, set()).update(seen)
    known = {file.path for file in merged.files}
    missed = []
    with suppress(OSError):  # of a folder that cannot be listed every scanner is incomplete
        for path, _ in replace(subject, skip=frozenset()).files():
            reasons = tuple(
                reason for name, reason in unseen.items() if path not in looked[name] and scanner_of(name).is_for(path)
            )
            if reasons or path not in known:
                missed.append(FileVerdict(path, Verdict.NOT_FULLY_SCANNED, reasons or ("no scanner came to it",)))
    missed += [
        FileVerdict(ENVIRONMENT_FILES, Verdict.NOT_FULLY_SCANNED, (f"{name} did not finish: {reason}",))
        for name, reason in incomplete.items()
        if subject.environment is not None and name in OF_ENVIRONMENTS
    ]
    return ScanReport(
        files=merge([merged, ScanReport(tuple(missed), ())]).files,
        findings=merged.findings,
        scanners=tuple(name for name in NAMES if name in ended),
        incomplete={name: incomplete[name] for name in NAMES if name in incomplete},
    )
