"""Scanner `model-files`: every file of the model folder, whatever its name, for code that runs when it is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from mop.scanning.findings import FileVerdict, Finding, ScanReport, Severity, Verdict, not_seen_whole, worst
from mop.scanning.formats import Format, format_of
from mop.scanning.pickles.known_globals import Kind, kind_of
from mop.scanning.pickles.machine import BrokenPickleError, Global, TooLongError, Trace, run
from mop.scanning.pickles.search import WINDOW, Search
from mop.scanning.reader import Reader
from mop.scanning.scanner import Looking, Subject
from mop.scanning.unwrap import unwrap_file

NAME = "model-files"
_KERAS_LAMBDA = re.compile(rb'"class_name"\s*:\s*"Lambda"')
_OVERLAP = 64
_WHEELS = "privatepkgs/"
"""Where native code may be; the scanner `wheels` lists it."""
_SAVE_WEIGHTS = (
    "Save weights and data instead of objects: safetensors, ONNX, numpy arrays without objects, JSON; or rebuild the "
    "object in inference.py."
)


class ModelFiles:
    """Takes every file apart and follows every pickle in it without loading it."""

    name = NAME

    def is_for(self, _path: str) -> bool:
        """Every file, whatever its name."""
        return True

    def scan(self, subject: Subject) -> Iterator[Looking | ScanReport]:
        """One verdict for each file."""
        for name, path in subject.files():
            yield Looking(name)
            look = _Look(name)
            try:
                unwrap_file(path, name, look, subject.limits)
            except OSError as error:
                look.incomplete(name, f"it can not be read: {error.strerror}")
            except Exception as error:  # noqa: BLE001 - a file may break any reader; it is then not clean
                look.incomplete(name, f"it can not be followed: {type(error).__name__}")
            yield ScanReport((look.verdict(),), tuple(look.findings))


class _Look:
    """What is known of one file. Hears `unwrap`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._verdicts: list[Verdict] = []
        self._reasons: list[str] = []
        self._told: dict[str, set[Global]] = {}
        self.findings: list[Finding] = []

    def verdict(self) -> FileVerdict:
        return FileVerdict(self._name, worst(self._verdicts), tuple(dict.fromkeys(self._reasons)))

    # Listener ----------------------------------------------------------------------------------------------

    def part(self, name: str, head: bytes) -> Callable[[bytes], None]:
        kind = format_of(head)
        if kind == Format.BYTECODE or (kind == Format.NATIVE and not name.startswith(_WHEELS)):
            self._compiled(name, kind)
        search = Search()
        tail = b""
        lambdas = False

        def watch(chunk: bytes) -> None:
            nonlocal tail, lambdas
            if chunk:
                search.feed(chunk)
                if not lambdas and _KERAS_LAMBDA.search(tail + chunk):
                    lambdas = True
                    self._keras_lambda(name)
                tail = chunk[-_OVERLAP:]
                return
            search.end()
            for hit in search.hits:
                if hit.name not in self._told.get(name, set()):
                    self._dangerous(name, hit.name, hit.position)

        return watch

    def pickles(self, name: str, reader: Reader) -> None:
        certain = format_of(reader.peek(2)) == Format.PICKLE
        if not certain and not self._looks_like_a_pickle(reader):
            return
        while reader.peek(1):
            start = reader.position
            trace = Trace()
            broken = ""
            try:
                run(reader, trace)
            except BrokenPickleError:
                broken = "a loader would stop in the middle"
            except TooLongError:
                broken = "it is longer than a scan follows, or holds an array whose length can not be told"
            self._judge(name, trace)
            if broken:
                if certain or trace.lookups:
                    self.incomplete(name, f"the pickle at byte {start} is not read to its end: {broken}")
                return
            certain = format_of(reader.peek(2)) == Format.PICKLE
            if not certain:
                return

    def incomplete(self, name: str, reason: str) -> None:
        self._unseen(
            name,
            reason,
            "Save it in a format that MOP can read, complete and without encryption or unusual compression.",
        )

    def bomb(self, name: str, reason: str) -> None:
        mend = "Store the file uncompressed, or split it."
        if "bomb" not in reason:
            self._unseen(name, reason, mend)
            return
        message = f"{name} was not looked at whole: {reason}."
        self._tell(Verdict.INFECTED, "decompression-bomb", Severity.CRITICAL, name, message, mend)

    def escape(self, name: str, member: str) -> None:
        shown = "".join(character if character.isprintable() else "?" for character in member)[:200]
        self._tell(
            Verdict.INFECTED,
            "archive-escape",
            Severity.CRITICAL,
            name,
            f"{name} holds a member named {shown!r}, which would be unpacked outside of its folder.",
            "Pack the archive anew with names below its own folder.",
        )

    # Judging -----------------------------------------------------------------------------------------------

    @staticmethod
    def _looks_like_a_pickle(reader: Reader) -> bool:
        """Whether bytes without a pickle's header can be followed as one: to its end, or to a call of something known.

        Protocols 0 and 1 have no header, and any text may begin like one.
        """
        window = reader.peek(WINDOW)
        trace = Trace()
        try:
            run(Reader(_Bytes(window)), trace)
        except (BrokenPickleError, TooLongError):
            # one that goes on behind the window, or is cut off on purpose after its payload
            known = any(kind_of(lookup.name) != Kind.UNKNOWN for lookup in trace.lookups)
            return trace.calls and known
        return bool(trace.lookups or trace.oddities)

    def _judge(self, name: str, trace: Trace) -> None:
        told = self._told.setdefault(name, set())
        for lookup in trace.lookups:
            told.add(lookup.name)
            kind = kind_of(lookup.name)
            if kind == Kind.DANGEROUS:
                self._dangerous(name, lookup.name, lookup.position)
            elif kind == Kind.UNKNOWN:
                self._unknown(name, lookup.name, lookup.position)
        for what, position in trace.oddities:
            self._odd(name, what, position)

    def _dangerous(self, name: str, found: Global, position: int) -> None:
        self._tell(
            Verdict.INFECTED,
            "code-execution",
            Severity.CRITICAL,
            name,
            f"Loading {name} looks up {found}, which can run any code.",
            f"Do not load this file. If it is your own, find out what put {found} into it. {_SAVE_WEIGHTS}",
            position=f"byte {position}",
            details={"global": str(found)},
        )

    def _unknown(self, name: str, found: Global, position: int) -> None:
        self._tell(
            Verdict.SUSPICIOUS,
            "unknown-global",
            Severity.MEDIUM,
            name,
            f"Loading {name} looks up {found}, which MOP does not know as harmless.",
            _SAVE_WEIGHTS,
            position=f"byte {position}",
            details={"global": str(found)},
        )

    def _odd(self, name: str, what: str, position: int) -> None:
        self._tell(
            Verdict.SUSPICIOUS,
            "hidden-lookup",
            Severity.HIGH,
            name,
            f"The pickle in {name} {what}; no ordinary pickle does.",
            _SAVE_WEIGHTS,
            position=f"byte {position}",
        )

    def _keras_lambda(self, name: str) -> None:
        self._tell(
            Verdict.SUSPICIOUS,
            "keras-lambda",
            Severity.HIGH,
            name,
            f"{name} describes a Keras Lambda layer, whose code runs when the model is loaded.",
            "Replace the Lambda layer by a layer class in src/, and save the model again.",
        )

    def _compiled(self, name: str, kind: Format) -> None:
        self._tell(
            Verdict.SUSPICIOUS,
            "compiled-code",
            Severity.MEDIUM,
            name,
            f"{name} is {kind.value}, which nobody can read.",
            "Bring code as source in src/, or as a wheel in privatepkgs/.",
        )

    def _unseen(self, name: str, reason: str, mend: str) -> None:
        (finding,) = not_seen_whole(NAME, name, reason, mend=mend).findings
        self._note(Verdict.NOT_FULLY_SCANNED, finding)

    def _tell(
        self,
        verdict: Verdict,
        rule: str,
        severity: Severity,
        path: str,
        message: str,
        mend: str,
        *,
        position: str = "",
        details: dict[str, Any] | None = None,
    ) -> None:
        self._note(verdict, Finding(NAME, rule, severity, path, message, mend, position, details or {}))

    def _note(self, verdict: Verdict, finding: Finding) -> None:
        self._verdicts.append(verdict)
        self._reasons.append(finding.message)
        self.findings.append(finding)


class _Bytes:
    """Bytes as a stream."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int, /) -> bytes:
        data, self._content = self._content[:size], self._content[size:]
        return data
