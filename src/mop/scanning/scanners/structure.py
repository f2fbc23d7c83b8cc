"""Scanner `structure`: what a model folder is made of, before anything in it is read for its sense.

Follows no link and opens nothing but regular files, for their first bytes.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mop.file_names import name_fault, quoted
from mop.scanning.findings import FileVerdict, Finding, ScanReport, Severity, Verdict, not_seen_whole
from mop.scanning.formats import HEAD_BYTES, Format, Head, format_of
from mop.scanning.formats.compiled import Bytecode, Native
from mop.scanning.formats.pickles import Pickle
from mop.scanning.formats.zip_archive import Zip
from mop.scanning.limits import ScanLimits
from mop.scanning.scanner import Looking, Subject

NAME = "structure"
DEPTH_MAX = 64
"""Folders within each other."""
SEEN_TIMES = 10
"""So many times the allowed number of files, the rest of the folder is not looked at."""
FINDINGS_MAX = 50
"""Of one rule; one more tells how many were left out."""

_SPECIAL = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
_HARMLESS_SUFFIXES = frozenset(
    {".cfg", ".csv", ".htm", ".html", ".ini", ".json", ".jsonl", ".md", ".rst", ".text", ".toml", ".tsv", ".txt"}
    | {
        ".bmp",
        ".gif",
        ".jpeg",
        ".jpg",
        ".onnx",
        ".pdf",
        ".png",
        ".safetensors",
        ".svg",
        ".webp",
        ".xml",
        ".yaml",
        ".yml",
    }
)
_RUNS: dict[type[Format], str] = {
    Native: "a program",
    Bytecode: "compiled Python",
    Pickle: "a pickle, which can run code when it is loaded",
    Zip: "an archive",
}
_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


class Structure:
    """Looks at names, kinds, sizes and modes."""

    name = NAME

    def is_for(self, _path: str) -> bool:
        """Everything that has a name."""
        return True

    def scan(self, subject: Subject) -> Iterator[Looking | ScanReport]:
        """One report; a verdict only for what no other scanner will look at, or what is in disguise."""
        if subject.model is None:
            return
        look = _Look(subject.model, subject.limits, subject.left_out)
        look.folder()
        yield look.report()


class _Look:
    def __init__(self, root: Path, limits: ScanLimits, left_out: frozenset[str]) -> None:
        self._root = root
        self._left_out = left_out
        self._limits = limits
        self._findings: list[Finding] = []
        self._verdicts: list[FileVerdict] = []
        self._count: Counter[tuple[str, Severity]] = Counter()
        self._entries = 0
        self._bytes = 0
        self._executable: list[str] = []
        self._alike: dict[str, str] = {}

    def folder(self) -> None:
        """Walk it, without recursion: it may be deeper than Python's."""
        waiting = [(self._root, 0)]
        while waiting:
            folder, depth = waiting.pop()
            for entry in self._entries_of(folder):
                path = self._name(entry.path)
                if path in self._left_out:
                    continue
                self._entries += 1
                if self._entries > SEEN_TIMES * self._limits.files:
                    self._incomplete(self._name(folder), "there are far too many files to look at each")
                    return
                self._look_at_name(path)
                if not entry.is_dir(follow_symlinks=False):
                    self._look_at(entry, path)
                elif depth >= DEPTH_MAX:
                    self._incomplete(path, f"more than {DEPTH_MAX} folders within each other")
                else:
                    waiting.append((Path(entry.path), depth + 1))

    def report(self) -> ScanReport:
        """Everything found."""
        self._look_at_whole()
        for (rule, severity), count in self._count.items():
            if count > FINDINGS_MAX:
                message = f"The folder has {count - FINDINGS_MAX:,} more findings of the rule {rule}."
                self._findings.append(_finding(rule, severity, ".", message, "Fix those that are listed first."))
        return ScanReport(tuple(self._verdicts), tuple(self._findings))

    def _name(self, path: str | Path) -> str:
        return Path(path).relative_to(self._root).as_posix()

    def _entries_of(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                most = SEEN_TIMES * self._limits.files - self._entries + 1
                return sorted((entry for entry, _ in zip(entries, range(most), strict=False)), key=lambda one: one.name)
        except OSError as error:
            self._incomplete(self._name(folder), f"the folder cannot be listed: {error.strerror}")
            return []

    def _look_at_name(self, path: str) -> None:
        fault = name_fault(path) or _invisible(path)
        if fault:
            self._tell(
                "strange-name",
                Severity.MEDIUM,
                path,
                f"The name {quoted(path) if name_fault(path) else ascii(path)} may mislead or be refused: {fault}.",
                "Rename it, with letters, digits, dots, dashes and underscores.",
            )
        alike = unicodedata.normalize("NFC", path).casefold()
        if self._alike.setdefault(alike, path) != path:
            self._tell(
                "names-alike",
                Severity.LOW,
                path,
                f"{quoted(path)} and {quoted(self._alike[alike])} are one name on systems that do not tell case apart.",
                "Rename one of them.",
            )

    def _look_at(self, entry: os.DirEntry[str], path: str) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                self._link(entry, path)
            elif stat.S_ISREG(status.st_mode):
                self._file(entry, path, status)
            else:
                self._special(path, _SPECIAL.get(stat.S_IFMT(status.st_mode), "no regular file"))
        except OSError as error:
            self._incomplete(path, f"it cannot be read: {error.strerror}")

    def _link(self, entry: os.DirEntry[str], path: str) -> None:
        target = str(Path(entry.path).readlink())
        inside = os.path.normpath(Path(path).parent / target)  # an absolute target takes the place of its parent
        leads_out = inside.startswith("/") or inside.split("/")[0] == ".."
        where = "out of the folder" if leads_out else "to another name in the folder"
        message = f"{quoted(path)} is a link that leads {where}, to {quoted(target)}; no scanner follows it."
        self._tell(
            "link-escape" if leads_out else "link",
            Severity.CRITICAL if leads_out else Severity.MEDIUM,
            path,
            message,
            "Put the file itself in its place.",
        )
        self._verdict(path, Verdict.INFECTED if leads_out else Verdict.NOT_FULLY_SCANNED, message)

    def _special(self, path: str, kind: str) -> None:
        message = f"{quoted(path)} is {kind}, which no model needs and no scanner opens."
        self._tell("special-file", Severity.MEDIUM, path, message, "Remove it.")
        self._verdict(path, Verdict.NOT_FULLY_SCANNED, message)

    def _file(self, entry: os.DirEntry[str], path: str, status: os.stat_result) -> None:
        self._bytes += status.st_size
        if status.st_size > self._limits.file_bytes:
            self._tell(
                "large-file",
                Severity.MEDIUM,
                path,
                f"{quoted(path)} has {status.st_size:,} bytes, over the limit of {self._limits.file_bytes:,}.",
                "Remove what the model does not need, or ask the operator for a higher limit.",
            )
        if status.st_mode & (stat.S_ISUID | stat.S_ISGID):
            self._tell(
                "set-user-id",
                Severity.MEDIUM,
                path,
                f"{quoted(path)} would run with the rights of its owner or group (setuid, setgid).",
                f"Take the bit away: chmod ug-s {Path(path).name!a}.",
            )
        if status.st_mode & _EXECUTABLE and path.startswith("model/"):
            self._executable.append(path)
        if Path(path).suffix.lower() in _HARMLESS_SUFFIXES:
            self._look_at_content(entry, path)

    def _look_at_content(self, entry: os.DirEntry[str], path: str) -> None:
        # a pipe that was put into the file's place meanwhile does not hold us up
        descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            head = os.read(descriptor, HEAD_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
        finally:
            os.close(descriptor)
        kind = type(format_of(Head(head)))
        if kind not in _RUNS:
            return
        message = f"{quoted(path)} is not what its name says: it is {_RUNS[kind]}."
        hint = "Name the file as what it is, or remove it."
        self._tell("disguised", Severity.MEDIUM, path, message, hint)
        self._verdict(path, Verdict.SUSPICIOUS, message)

    def _look_at_whole(self) -> None:
        hint = "Remove what the model does not need, or ask the operator for a higher limit."
        if self._entries > self._limits.files:
            message = f"The folder has over {self._limits.files:,} files and folders."
            self._tell("many-files", Severity.MEDIUM, ".", message, hint)
        if self._bytes > self._limits.folder_bytes:
            message = f"The folder has {self._bytes:,} bytes, over the limit of {self._limits.folder_bytes:,}."
            self._tell("large-folder", Severity.MEDIUM, ".", message, hint)
        if self._executable:
            count, first = len(self._executable), self._executable[0]
            message = f"{count:,} files of model/ are marked as programs, {quoted(first)} first; MOP does not run them."
            self._tell("executable-bit", Severity.LOW, first, message, "Take the bit away: chmod -R a-x+X model.")

    def _incomplete(self, path: str, reason: str) -> None:
        unseen = not_seen_whole(NAME, path, reason, hint="Make the folder smaller and readable.")
        self._note(unseen.findings[0])
        self._verdicts += unseen.files

    def _verdict(self, path: str, verdict: Verdict, reason: str) -> None:
        self._verdicts.append(FileVerdict(path, verdict, (reason,)))

    def _tell(self, rule: str, severity: Severity, path: str, message: str, hint: str) -> None:
        self._note(_finding(rule, severity, path, message, hint))

    def _note(self, finding: Finding) -> None:
        kind = (finding.rule, finding.severity)  # what blocks does not hide behind what warns
        self._count[kind] += 1
        if self._count[kind] <= FINDINGS_MAX:
            self._findings.append(finding)


def _finding(rule: str, severity: Severity, path: str, message: str, hint: str) -> Finding:
    return Finding(scanner=NAME, rule=rule, severity=severity, path=path, message=message, hint=hint)


def _invisible(path: str) -> str | None:
    """Characters that nobody sees: two names may look the same."""
    for character in path:
        if unicodedata.category(character) in {"Cf", "Cn", "Co"}:
            return f"it holds a character that nobody sees (U+{ord(character):04X})"
    if any(part != part.strip() for part in path.split("/")):
        return "it begins or ends with a space"
    return None
