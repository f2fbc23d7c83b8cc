"""What is found in one file while it is read: verdicts, reasons, findings, and the limits that its reading shares."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mop.scanning.findings import (
    COSTLY,
    SCANNER_ENDED,
    FileVerdict,
    Finding,
    Severity,
    Verdict,
    not_seen_whole,
    too_slow,
    worst,
)
from mop.scanning.limits import ScanLimits
from mop.scanning.pickles.own_code import OwnCode
from mop.scanning.reader import TooMuchError, TooSlowError

FINDINGS_MAX = 200
"""Of one file; each of them names another place."""
ALIKE_MAX = 20
"""Of one rule and severity, whatever was found before: what blocks does not hide behind what warns."""
SAVE_WEIGHTS = (
    "Save weights and data instead of objects: safetensors, ONNX, numpy arrays without objects, JSON; or rebuild the "
    "object in inference.py."
)
_READABLE = "Save it in a format that MOP can read, complete and without encryption or unusual compression."
_SIMPLER = "Save the file anew with the library that made it, and in a simpler form."


@dataclass
class Look:
    """One file of a model folder, with everything that it contains.

    Attributes:
        scanner: whose findings they are.
        path: the file below the model folder.
        limits: how far to go.
        size: of the file in bytes.
        own: what the model folder brings besides.
        findings: everything that was found so far.
    """

    scanner: str
    path: str
    limits: ScanLimits
    size: int
    own: OwnCode
    findings: list[Finding] = field(default_factory=list)
    _verdicts: set[Verdict] = field(default_factory=set)
    _told: set[tuple[str, str, str]] = field(default_factory=set)
    _alike: Counter[tuple[str, Severity]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._bytes_left = self._bytes_most = self.size + self.limits.expanded_bytes(self.size)
        self._members_left = self.limits.members
        self._began = time.process_time()

    def verdict(self) -> FileVerdict:
        """The verdict of the file as a whole."""
        reasons = tuple(dict.fromkeys(finding.message for finding in self.findings))
        return FileVerdict(self.path, worst(self._verdicts), reasons)

    # Limits ------------------------------------------------------------------------------------------------

    def spend(self, count: int) -> None:
        """Bytes were read, of the file or of what came out of it.

        Raises:
            TooMuchError: the file grows beyond all measure.
            TooSlowError: they took more processor time than so many bytes are worth.
        """
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise TooMuchError("it unpacks to far more than its size: a decompression bomb")
        most = self.limits.seconds_for(self._bytes_most - self._bytes_left)
        if time.process_time() - self._began > most:
            raise TooSlowError(too_slow(most))

    def take_member(self, part: str) -> bool:
        """Whether one more member of an archive may be read."""
        self._members_left -= 1
        if self._members_left < 0:
            self.costly(part, f"more than {self.limits.members:,} members")
            return False
        return True

    def may_open(self, part: str, depth: int) -> bool:
        """Whether a container at this depth may be opened."""
        if depth < self.limits.depth:
            return True
        self.tell(
            Verdict.NOT_FULLY_SCANNED,
            "nested-too-deep",
            Severity.CRITICAL,
            part,
            f"{part} was not looked at whole: more than {self.limits.depth} containers within each other.",
            _SIMPLER,
        )
        return False

    # Findings ----------------------------------------------------------------------------------------------

    def tell(
        self,
        verdict: Verdict,
        rule: str,
        severity: Severity,
        part: str,
        message: str,
        remedy: str,
        *,
        position: str = "",
        details: dict[str, Any] | None = None,
    ) -> None:
        """Note a finding; the same one is told once for each part."""
        self._verdicts.add(verdict)
        key, alike = (rule, part, message), (rule, severity)
        if key in self._told or (len(self.findings) >= FINDINGS_MAX and self._alike[alike] >= ALIKE_MAX):
            return
        self._told.add(key)
        self._alike[alike] += 1
        self.findings.append(Finding(self.scanner, rule, severity, part, message, remedy, position, details or {}))

    def incomplete(self, part: str, reason: str, remedy: str = _READABLE, *, rule: str = "not-fully-scanned") -> None:
        """Something of this part was not seen."""
        (finding,) = not_seen_whole(self.scanner, part, reason, hint=remedy).findings
        self.tell(Verdict.NOT_FULLY_SCANNED, rule, finding.severity, part, finding.message, remedy)

    def costly(self, part: str, reason: str) -> None:
        """This part is made so that reading it takes more than its size is worth."""
        message = f"{part} was not looked at whole: {reason}."
        self.tell(Verdict.NOT_FULLY_SCANNED, COSTLY, Severity.CRITICAL, part, message, _SIMPLER)

    def broken_reader(self, part: str, error: Exception) -> None:
        """This part made its reader fail as no broken file does: what runs in it may be behind that place."""
        message = f"{part} was not looked at whole: it cannot be followed: {type(error).__name__}."
        self.tell(Verdict.NOT_FULLY_SCANNED, SCANNER_ENDED, Severity.CRITICAL, part, message, _SIMPLER)

    def ambiguous(self, part: str, reason: str) -> None:
        """Two readers may understand this part differently."""
        message = f"Two readers of {part} may understand it differently: {reason}."
        self.tell(Verdict.SUSPICIOUS, "ambiguous-structure", Severity.CRITICAL, part, message, _SIMPLER)

    def bomb(self, part: str, reason: str) -> None:
        """This part grows beyond all measure."""
        message = f"{part} was not looked at whole: {reason}."
        remedy = "Store the file uncompressed, or split it."
        self.tell(Verdict.INFECTED, "decompression-bomb", Severity.CRITICAL, part, message, remedy)

    def escape(self, part: str, member: str) -> None:
        """A member's name leads out of the folder that its archive is unpacked to."""
        message = f"{part} holds a member named {shown(member)!r}, which would be unpacked outside of its folder."
        remedy = "Pack the archive anew with names below its own folder."
        self.tell(Verdict.INFECTED, "archive-escape", Severity.CRITICAL, part, message, remedy)

    def code(self, part: str, rule: str, what: str, remedy: str, *, position: str = "") -> None:
        """Something in a structured format runs code, or writes, when it is loaded or used the usual way."""
        self.tell(Verdict.INFECTED, rule, Severity.CRITICAL, part, f"{part} {what}.", remedy, position=position)

    def odd(self, part: str, rule: str, severity: Severity, what: str, remedy: str) -> None:
        """Something in a structured format is not what ordinary files hold."""
        self.tell(Verdict.SUSPICIOUS, rule, severity, part, f"{part} {what}.", remedy)


def shown(text: str) -> str:
    """A text of strangers', one line, bounded."""
    return "".join(character if character.isprintable() else "?" for character in text)[:200]


def plain(error: BaseException) -> str:
    """An error's text, one line, bounded: names in it come from the file."""
    return shown(" ".join(str(error).split()) or type(error).__name__)
